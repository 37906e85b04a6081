//! What a verified document says, for handlers.

use std::time::Duration;

use atls_core::pki_types::UnixTime;
use atls_reference::Digest;

/// What the attestation document says: `peer.claims::<NitroClaims>()`.
///
/// Signed by the security module, except for [`user_data`](Self::user_data), whose content is the enclave's own word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NitroClaims {
    /// Which enclave: parent instance and enclave ID, `i-…-enc…`.
    pub module_id: String,
    /// When the document was made, milliseconds since the epoch, UTC.
    pub timestamp_ms: u64,
    /// The locked registers by index, 0 to 31, SHA-384. 0, 1 and 2 are always there; unused ones are zero.
    pub pcrs: Vec<(u8, Digest<48>)>,
    /// What the enclave put in beside, up to 512 octets. Nothing here interprets it.
    pub user_data: Option<Vec<u8>>,
    /// The name of the policy's image that the enclave matched in everything.
    pub image: Option<String>,
}

impl NitroClaims {
    /// `digest` of every document that is accepted: what the registers are made with.
    pub const DIGEST: &'static str = "SHA384";

    /// One register; `None` where the document does not have it.
    pub fn pcr(&self, index: u8) -> Option<&Digest<48>> {
        register(&self.pcrs, index)
    }

    /// When the document was made, in whole seconds.
    pub fn made_at(&self) -> UnixTime {
        seconds(self.timestamp_ms)
    }

    /// Whether the enclave runs in debug mode: its measurements are zero, and its console is open to its parent.
    pub fn is_debug(&self) -> bool {
        is_debug(&self.pcrs)
    }
}

/// One of the three measurements is enough: no image measures as zero, so whichever is zero measures nothing.
pub(crate) fn is_debug(pcrs: &[(u8, Digest<48>)]) -> bool {
    let measured = |index| register(pcrs, index).is_some_and(|value| !value.is_zero());
    ![0, 1, 2].into_iter().all(measured)
}

pub(crate) fn register(pcrs: &[(u8, Digest<48>)], index: u8) -> Option<&Digest<48>> {
    let mut registers = pcrs.iter();
    registers
        .find(|(known, _)| *known == index)
        .map(|(_, value)| value)
}

pub(crate) fn seconds(milliseconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_millis(milliseconds))
}
