//! The number of the issue that collateral is from.

/// `tcbEvaluationDataNumber` of both documents: it grows whenever Intel rates platforms anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Evaluation {
    pub(crate) tcb_info: u32,
    pub(crate) qe_identity: u32,
}

impl Evaluation {
    pub(crate) fn lower(self) -> u32 {
        self.tcb_info.min(self.qe_identity)
    }

    pub(crate) fn highest(self, other: Self) -> Self {
        Self {
            tcb_info: self.tcb_info.max(other.tcb_info),
            qe_identity: self.qe_identity.max(other.qe_identity),
        }
    }

    /// Whether both numbers are at least those of the other.
    pub(crate) fn reaches(self, other: Self) -> bool {
        self.tcb_info >= other.tcb_info && self.qe_identity >= other.qe_identity
    }
}
