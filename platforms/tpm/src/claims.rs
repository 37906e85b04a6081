//! The claims of a verified quote, for handlers.

use atls_core::policy::instance::InstanceId;
use std::fmt;

use atls_formats::tpm::Clock;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrValues;
use atls_reference::Digest;

use crate::boot::ConfirmedEvent;
use crate::boot::MeasuredFile;

/// The claims of a verified quote: `peer.claims::<TpmClaims>()`.
///
/// Registers, clock and firmware version are signed by the TPM. Events and files are out of logs that nobody signs, and are here where a
/// replay of them leads to a signed register of the bank of [`image`](Self::image).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TpmClaims {
    /// The name of the trusted key that signed; of a key that an authority certified, the authority's name and the digest of the certificate.
    pub key: String,
    /// SHA-256 of the certificate of that key, where the file of keys or an authority says one.
    pub ak_certificate: Option<Digest<32>>,
    /// The registers that were quoted, bank by bank.
    pub banks: Vec<PcrValues>,
    /// Since when the TPM has run, and how often.
    pub clock: Clock,
    /// The TPM's firmware, as its maker counts.
    pub firmware_version: u64,
    /// Whether firmware version and counters are the TPM's own. For keys outside of the endorsement hierarchy a TPM obfuscates them, and for
    /// those that are no primary keys nobody can tell.
    pub has_plain_counters: bool,
    /// The name of the policy's image that the machine matched in everything.
    pub image: Option<String>,
    /// Whether the first event of register 7 is that Secure Boot is on.
    pub shows_secure_boot: bool,
    /// Events of the registers that the logs of firmware and systemd explain.
    pub events: Vec<ConfirmedEvent>,
    /// Files that IMA measured into register 10; none where no list came, or none that leads to its value.
    pub files: Vec<MeasuredFile>,
}

impl TpmClaims {
    /// The identities of the machine.
    pub(crate) fn instances(&self) -> impl Iterator<Item = InstanceId> + use<> {
        InstanceId::new("tpm.ak", self.key.as_bytes()).into_iter()
    }

    /// One register; `None` where it was not quoted.
    pub fn pcr(&self, bank: HashAlgorithm, index: u8) -> Option<&[u8]> {
        let mut banks = self.banks.iter();
        let bank = banks.find(|known| known.bank == bank)?;
        bank.values.get(&index).map(Vec::as_slice)
    }
}

/// Without what identifies a machine.
impl fmt::Debug for TpmClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TpmClaims")
            .field("image", &self.image)
            .field("shows_secure_boot", &self.shows_secure_boot)
            .finish_non_exhaustive()
    }
}
