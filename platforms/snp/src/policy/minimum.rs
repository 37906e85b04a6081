//! The minimum versions of firmware of one product.

use atls_formats::snp::Product;
use atls_formats::snp::Tcb;
use atls_reference::FieldProblem;
use serde::Deserialize;
use serde::Serialize;

/// The least versions of firmware for one product.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the versions that a report states"
)]
pub struct MinimumTcb {
    /// The least `REPORTED_TCB`, for which the signing key was derived.
    pub reported: Tcb,
    /// The least `COMMITTED_TCB`, the oldest firmware to which the host can go back. Default: as `reported`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<Tcb>,
    /// The least `LAUNCH_TCB`, the firmware at the guest's launch. Default: as `reported`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch: Option<Tcb>,
}

impl MinimumTcb {
    /// The same minimum for all three.
    pub fn of(reported: Tcb) -> Self {
        Self {
            reported,
            committed: None,
            launch: None,
        }
    }

    pub(crate) fn committed(&self) -> &Tcb {
        self.committed.as_ref().unwrap_or(&self.reported)
    }

    pub(crate) fn launch(&self) -> &Tcb {
        self.launch.as_ref().unwrap_or(&self.reported)
    }

    pub(super) fn check(&self, product: Product) -> Result<(), FieldProblem> {
        let stated = [
            ("reported", Some(&self.reported)),
            ("committed", self.committed.as_ref()),
            ("launch", self.launch.as_ref()),
        ];
        for (name, tcb) in stated {
            let has_fmc = tcb.map(|tcb| tcb.fmc.is_some());
            let problem = match (product, has_fmc) {
                (Product::Turin, Some(false)) => "fmc is missing, and every Turin has one",
                (Product::Milan | Product::Genoa, Some(true)) => {
                    "fmc is there, and only Turin has one"
                }
                _ => continue,
            };
            return Err(FieldProblem::new(name, problem));
        }
        Ok(())
    }
}
