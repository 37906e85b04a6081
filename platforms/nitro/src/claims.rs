//! The claims of a verified document, for handlers.

use atls_core::policy::instance::InstanceId;
use std::fmt;
use std::time::Duration;

use atls_core::pki_types::UnixTime;
use atls_formats::nitro;
use atls_reference::Digest;

/// The claims of an attestation document: `peer.claims::<NitroClaims>()`.
///
/// The security module signs all of them. The content of [`user_data`](Self::user_data) is the enclave's own word.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NitroClaims {
    /// The parent instance and the enclave, `i-…-enc…`.
    pub module_id: String,
    /// The time of signing, in milliseconds since the epoch, UTC.
    pub timestamp_ms: u64,
    /// The locked registers by index, 0 to 31, SHA-384. 0, 1 and 2 are always there. Unused registers are zero.
    pub pcrs: Vec<(u8, Digest<48>)>,
    /// Further data of the enclave, up to 512 bytes. Nothing here interprets it.
    pub user_data: Option<Vec<u8>>,
    /// The name of the policy's image that the enclave matched in everything.
    pub image: Option<String>,
}

/// Without the fields that identify an instance, and without the data of the enclave.
impl fmt::Debug for NitroClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NitroClaims")
            .field("timestamp_ms", &self.timestamp_ms)
            .field("image", &self.image)
            .field("is_debug", &self.is_debug())
            .finish_non_exhaustive()
    }
}

impl NitroClaims {
    /// The identities of the machine.
    pub(crate) fn instances(&self) -> impl Iterator<Item = InstanceId> + use<> {
        InstanceId::new("nitro.module_id", self.module_id.as_bytes()).into_iter()
    }

    /// `digest` of every accepted document: the hash of the registers.
    pub const DIGEST: &'static str = nitro::DIGEST;

    /// One register; `None` if the document lacks it.
    pub fn pcr(&self, index: u8) -> Option<&Digest<48>> {
        register(&self.pcrs, index)
    }

    /// The time of signing, in whole seconds.
    pub fn made_at(&self) -> UnixTime {
        seconds(self.timestamp_ms)
    }

    /// Whether the enclave runs in debug mode: its measurements are zero, and its parent reads its console.
    pub fn is_debug(&self) -> bool {
        is_debug(&self.pcrs)
    }
}

/// One of the three measurements is enough: no image measures as zero, so a register of zero measures nothing.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_identifies_an_instance_is_printed() {
        let claims = NitroClaims {
            module_id: "i-0123".to_owned(),
            timestamp_ms: 1,
            pcrs: vec![(4, Digest::from([0xab; 48]))],
            user_data: Some(b"secret".to_vec()),
            image: None,
        };
        let printed = format!("{claims:?}");
        for hidden in ["i-0123", "abab", "115, 101"] {
            assert!(!printed.contains(hidden), "{printed}");
        }
    }
}
