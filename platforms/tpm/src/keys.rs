//! The attestation keys that are trusted.

use atls_core::AppraisalError;
use atls_core::pki_types::UnixTime;
use atls_formats::tpm::TpmEvidence;
use atls_reference::FieldProblem;
use atls_reference::Table;
use rustls::crypto::WebPkiSupportedAlgorithms;
use serde::Deserialize;
use serde::Serialize;

use crate::authority::CertifiedKey;
use crate::authority::KeyAuthority;
use crate::trusted_key::TrustedKey;

/// The table `[tpm-keys]`: whose quotes are looked at. Enrolment writes it, into a file of its own; a key may be put there by hand too.
///
/// ```toml
/// version = 1
///
/// [[tpm-keys.ak]]
/// name = "web-1.example"
/// public = "0023000b…"          # TPMT_PUBLIC, in hexadecimal
/// ek-certificate = "9a3f…"      # optional: SHA-256 of the certificate that it was enrolled by
/// ak-certificate = "1c07…"      # optional: SHA-256 of the key's own certificate
/// vouched-for = true            # without either: somebody says that it is of a TPM of hardware
/// software = true               # or that it is of one in software, whose results are simulated
/// reset-count = 41              # optional: the machine must not have been booted anew since
///
/// [[tpm-keys.authority]]        # keys that come with a certificate to this root
/// name = "a cloud"
/// root = "3082…"                # in hexadecimal, or PEM
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct TpmKeys {
    /// The keys. There is at least one, or an authority.
    #[serde(rename = "ak", default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<TrustedKey>,
    /// Authorities that certify keys, for those that are not here themselves.
    #[serde(rename = "authority", default, skip_serializing_if = "Vec::is_empty")]
    pub authorities: Vec<KeyAuthority>,
}

impl TpmKeys {
    /// Trusts these keys.
    pub fn new(keys: Vec<TrustedKey>) -> Self {
        Self {
            keys,
            authorities: Vec::new(),
        }
    }

    /// Trusts keys that these authorities certify, too.
    #[must_use]
    pub fn with_authorities(mut self, authorities: Vec<KeyAuthority>) -> Self {
        self.authorities = authorities;
        self
    }

    /// The key of this Evidence by its certificate, if an authority vouches for it now, and until when.
    pub(crate) fn certified(
        &self,
        evidence: &TpmEvidence,
        supported: &WebPkiSupportedAlgorithms,
        now: UnixTime,
    ) -> Result<(TrustedKey, UnixTime), AppraisalError> {
        if self.authorities.is_empty() {
            return Err(AppraisalError::UnknownKey);
        }
        let certified = CertifiedKey::of(evidence)?;
        let mut authorities = self.authorities.iter();
        let trusted = authorities.find_map(|known| known.trusted(&certified, supported, now));
        trusted.ok_or(AppraisalError::UnknownKey)
    }

    /// The entry of a key, by its public area.
    pub(crate) fn find(&self, public: &[u8]) -> Option<&TrustedKey> {
        let mut keys = self.keys.iter();
        keys.find(|known| known.public.as_bytes() == public)
    }
}

impl Table for TpmKeys {
    const NAME: &'static str = "tpm-keys";

    fn check(&self) -> Result<(), FieldProblem> {
        if self.keys.is_empty() && self.authorities.is_empty() {
            let problem =
                "no key: nothing could be accepted; add [[tpm-keys.ak]], or [[tpm-keys.authority]]";
            return Err(FieldProblem::new("ak", problem));
        }
        for (index, authority) in self.authorities.iter().enumerate() {
            if authority.name.trim().is_empty() {
                let problem = FieldProblem::new("name", "an authority has no name");
                return Err(problem.within(&format!("authority[{index}]")));
            }
        }
        for (index, key) in self.keys.iter().enumerate() {
            let at = format!("ak[{index}]");
            if key.name.trim().is_empty() {
                return Err(FieldProblem::new("name", "a key has no name").within(&at));
            }
            if !key.says_where_it_is() {
                let problem = "nothing says that the key is of a TPM: enrol it, or say vouched-for = true, or software = true";
                return Err(FieldProblem::new("public", problem).within(&at));
            }
            let mut before = self.keys.iter().take(index);
            // By the key itself: attributes of its public area may differ.
            let is_same =
                |other: &&TrustedKey| other.public.public_key() == key.public.public_key();
            if let Some(other) = before.find(is_same) {
                let problem = format!("the key of \"{}\" once more", other.name.escape_debug());
                return Err(FieldProblem::new("public", problem).within(&at));
            }
            let mut before = self.keys.iter().take(index);
            if before.any(|other| other.name == key.name) {
                let problem = "another key has this name: results would not say which machine";
                return Err(FieldProblem::new("name", problem).within(&at));
            }
        }
        Ok(())
    }
}
