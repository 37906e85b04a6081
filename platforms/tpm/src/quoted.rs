//! Evidence whose signature verifies: what the TPM said, before the policy is applied.

use std::borrow::Cow;
use std::collections::BTreeMap;

use atls_core::AppraisalError;
use atls_core::pki_types::UnixTime;
use atls_formats::tpm::Attest;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::PcrValues;
use atls_formats::tpm::TpmEvidence;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::keys::TpmKeys;
use crate::trusted_key::TrustedKey;

/// A quote of a trusted key, and the values of its registers. Whether it is about a connection was not asked.
pub(crate) struct Quoted<'a> {
    pub(crate) key: Cow<'a, TrustedKey>,
    /// When the certificates end by which the key is trusted.
    pub(crate) until: Option<UnixTime>,
    pub(crate) attest: Attest,
    pub(crate) banks: Vec<PcrValues>,
    /// Not signed.
    pub(crate) tcg_log: Option<Vec<u8>>,
    /// Not signed.
    pub(crate) systemd_log: Option<Vec<u8>>,
    /// Not signed.
    pub(crate) ima_log: Option<Vec<u8>>,
}

impl<'a> Quoted<'a> {
    /// Verifies the signature under one of these keys, and that the values are those whose digest is signed.
    pub(crate) fn verify(
        evidence: &[u8],
        keys: &'a TpmKeys,
        supported: &WebPkiSupportedAlgorithms,
        now: UnixTime,
    ) -> Result<Self, AppraisalError> {
        let evidence = TpmEvidence::decode(evidence)?;
        let (key, until) = match keys.find(&evidence.ak) {
            Some(key) => (Cow::Borrowed(key), None),
            None => {
                let (key, until) = keys.certified(&evidence, supported, now)?;
                (Cow::Owned(key), Some(until))
            }
        };
        let signed = &evidence.attest;
        let hash = key.public.verify(supported, signed, &evidence.signature)?;

        // From here on it is the word of a TPM.
        let attest = Attest::decode(signed)?;
        if hash.digest(&[&evidence.pcrs]) != attest.pcr_digest {
            return Err(AppraisalError::BadSignature);
        }
        Ok(Self {
            banks: PcrValues::split(&attest.selections, &evidence.pcrs)?,
            key,
            until,
            attest,
            tcg_log: evidence.tcg_log,
            systemd_log: evidence.systemd_log,
            ima_log: evidence.ima_log,
        })
    }

    /// Whether the counters and the firmware's version are what the TPM has, and not obfuscated.
    pub(crate) fn has_plain_counters(&self) -> bool {
        let signer = &self.attest.qualified_signer;
        self.key.public.is_endorsement_primary(signer)
    }

    /// Whether the file of keys has the key itself, and so says which machine it is of.
    pub(crate) fn has_known_key(&self) -> bool {
        matches!(self.key, Cow::Borrowed(_))
    }

    /// The quoted registers of a bank.
    pub(crate) fn bank(&self, bank: HashAlgorithm) -> Option<&BTreeMap<u8, Vec<u8>>> {
        let mut banks = self.banks.iter();
        banks
            .find(|known| known.bank == bank)
            .map(|bank| &bank.values)
    }
}
