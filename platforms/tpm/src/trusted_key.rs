//! One attestation key that is trusted.

use atls_reference::Digest;
use serde::Deserialize;
use serde::Serialize;

use crate::attestation_key::AttestationKey;

/// One trusted attestation key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct TrustedKey {
    /// For people, and for [`TpmClaims::key`](crate::TpmClaims::key): usually the name of the machine.
    pub name: String,
    /// The key.
    pub public: AttestationKey,
    /// SHA-256 of the certificate of the endorsement key by which the key was enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ek_certificate: Option<Digest<32>>,
    /// SHA-256 of the certificate of the key itself, where a cloud certified it for one of its vTPMs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ak_certificate: Option<Digest<32>>,
    /// Somebody says that the key is one of a TPM that keeps it. A key without certificate needs this, or `software`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub vouched_for: bool,
    /// The key is of a TPM in software, whose holder can read it: results are [simulated](atls_core::Origin::Simulated).
    #[serde(default, skip_serializing_if = "is_false")]
    pub software: bool,
    /// How often the TPM was reset, as its quotes say ([`Clock`](atls_formats::tpm::Clock)): any other boot of the machine is refused then.
    /// Plain counters are needed, as for [`min_firmware`](crate::TpmPolicy::min_firmware).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_count: Option<u32>,
}

impl TrustedKey {
    /// A key that somebody vouches for.
    pub fn provided(name: impl Into<String>, public: AttestationKey) -> Self {
        Self {
            name: name.into(),
            public,
            ek_certificate: None,
            ak_certificate: None,
            vouched_for: true,
            software: false,
            reset_count: None,
        }
    }

    /// A key of a TPM in software, such as `swtpm`.
    pub fn software(name: impl Into<String>, public: AttestationKey) -> Self {
        Self {
            vouched_for: false,
            software: true,
            ..Self::provided(name, public)
        }
    }

    /// A key that was enrolled by a certified endorsement key, by the SHA-256 of the certificate.
    #[must_use]
    pub fn enrolled_by(mut self, ek_certificate: Digest<32>) -> Self {
        self.ek_certificate = Some(ek_certificate);
        self.vouched_for = false;
        self
    }

    /// A key that is certified itself, by the SHA-256 of the certificate.
    #[must_use]
    pub fn certified_by(mut self, ak_certificate: Digest<32>) -> Self {
        self.ak_certificate = Some(ak_certificate);
        self.vouched_for = false;
        self
    }

    /// Whether it is certified, vouched for, or said to be of software.
    pub(crate) fn says_where_it_is(&self) -> bool {
        let is_certified = self.ek_certificate.is_some() || self.ak_certificate.is_some();
        is_certified || self.vouched_for || self.software
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}
