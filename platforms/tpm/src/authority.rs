//! Authorities that certify attestation keys, as clouds do it for their vTPMs.

use std::fmt;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::bounded;
use atls_core::limits::MAX_CERTIFICATE_VALUES;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TpmEvidence;
use atls_reference::Digest;
use rustls::crypto::WebPkiSupportedAlgorithms;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;
use webpki::anchor_from_trusted_cert;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::attestation_key::AttestationKey;
use crate::chain::Anchors;
use crate::chain::Purpose;
use crate::policy::hexadecimal;
use crate::trusted_key::TrustedKey;

/// An entry `[[tpm-keys.authority]]`: keys are trusted whose certificate, which Evidence carries, chains to this root, for the purpose
/// `tcg-kp-AIKCertificate`, at the time of the appraisal.
///
/// **A cloud certifies the keys of every customer.** Whoever rents a machine there has such a key, so this says that a key is of a vTPM of
/// the cloud, and not whose machine it is: `instance-identity` is 0. Compare
/// [`TpmClaims::ak_certificate`](crate::TpmClaims::ak_certificate) or put keys into the file one by one where that matters. No revocation
/// list is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct KeyAuthority {
    /// For people, and the beginning of [`TpmClaims::key`](crate::TpmClaims::key).
    pub name: String,
    /// The certificate of its root.
    pub root: RootCertificate,
    /// It certifies keys of TPMs in software that their users run, whose results are [simulated](atls_core::Origin::Simulated).
    #[serde(default, skip_serializing_if = "is_false")]
    pub software: bool,
}

/// The certificate of a root. In files: PEM, or its DER in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct RootCertificate(CertificateDer<'static>);

impl KeyAuthority {
    /// Trusts keys that this root certifies, itself or by others.
    pub fn new(name: impl Into<String>, root: RootCertificate) -> Self {
        Self {
            name: name.into(),
            root,
            software: false,
        }
    }

    /// The key of this Evidence, if this root certifies it, and until when.
    pub(crate) fn trusted(
        &self,
        certified: &CertifiedKey<'_>,
        supported: &WebPkiSupportedAlgorithms,
        now: UnixTime,
    ) -> Option<(TrustedKey, UnixTime)> {
        let anchors = Anchors {
            roots: std::slice::from_ref(&self.root.0),
            intermediates: &certified.intermediates,
            revocation_lists: &[],
            supported,
        };
        let verified = anchors.verify(&certified.leaf, Purpose::AttestationKey, now);
        verified.ok()?;
        if !certified.is_of_key() {
            return None;
        }
        let digest: [u8; 32] = HashAlgorithm::Sha256
            .digest(&[&certified.leaf])
            .try_into()
            .ok()?;
        let digest = Digest::from(digest);
        let name = format!("{} {digest}", self.name);
        let mut key = TrustedKey::provided(name, certified.key.clone()).certified_by(digest);
        key.software = self.software;
        Some((key, certified.until()?))
    }
}

/// A key that may be trusted, and the certificates that came with it. Nothing is verified.
pub(crate) struct CertifiedKey<'a> {
    key: AttestationKey,
    leaf: CertificateDer<'a>,
    intermediates: Vec<CertificateDer<'a>>,
}

impl<'a> CertifiedKey<'a> {
    /// [`AppraisalError::UnknownKey`] where no certificate came.
    pub(crate) fn of(evidence: &'a TpmEvidence) -> Result<Self, AppraisalError> {
        let certificates = evidence.ak_certificates.as_deref();
        let certificates = certificates.ok_or(AppraisalError::UnknownKey)?;
        let mut chain = split(certificates).ok_or(AppraisalError::Malformed)?;
        if chain.is_empty() {
            return Err(AppraisalError::Malformed);
        }
        let leaf = chain.remove(0);
        // A key that signs what it is given is none to trust, whoever certified it.
        let key = AttestationKey::decode(&evidence.ak);
        Ok(Self {
            key: key.map_err(|_| AppraisalError::UnknownKey)?,
            leaf,
            intermediates: chain,
        })
    }

    /// When the first of the certificates ends. One that is not needed makes that earlier, never later.
    fn until(&self) -> Option<UnixTime> {
        let certificates = std::iter::once(&self.leaf).chain(&self.intermediates);
        let ends = certificates.map(|certificate| {
            let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
            u64::try_from(certificate.validity().not_after.timestamp()).ok()
        });
        let ends: Option<Vec<_>> = ends.collect();
        let first = ends?.into_iter().min()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(first)))
    }

    /// Whether the certificate, whose chain is verified by now, is of the key.
    fn is_of_key(&self) -> bool {
        let Ok((_, certificate)) = X509Certificate::from_der(&self.leaf) else {
            return false;
        };
        let spki = &certificate.public_key().subject_public_key;
        spki.unused_bits == 0 && spki.data.as_ref() == self.key.public_key()
    }
}

/// Certificates in DER, one after the other. Each has a length of two bytes.
fn split(mut bytes: &[u8]) -> Option<Vec<CertificateDer<'_>>> {
    let mut certificates = Vec::new();
    while let [0x30, 0x82, high, low, ..] = bytes {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let (certificate, rest) = bytes.split_at_checked(length.checked_add(4)?)?;
        if certificates.len() == MAX_CHAIN || !bounded::der(MAX_CERTIFICATE_VALUES, certificate) {
            return None;
        }
        certificates.push(CertificateDer::from(certificate));
        bytes = rest;
    }
    bytes.is_empty().then_some(certificates)
}

impl RootCertificate {
    /// A certificate in DER; `None` where it is none.
    pub fn new(certificate: CertificateDer<'static>) -> Option<Self> {
        let is_certificate = anchor_from_trusted_cert(&certificate).is_ok();
        is_certificate.then_some(Self(certificate))
    }

    /// The DER.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for RootCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootCertificate(..)")
    }
}

impl Serialize for RootCertificate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hexadecimal::of(&self.0))
    }
}

impl<'de> Deserialize<'de> for RootCertificate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let pem = CertificateDer::from_pem_slice(text.as_bytes()).ok();
        let certificate = pem.or_else(|| hexadecimal::bytes(&text).map(CertificateDer::from));
        let root = certificate.and_then(Self::new);
        root.ok_or_else(|| de::Error::custom("not a certificate in PEM, or in hexadecimal"))
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Certificates beside Evidence: a leaf, three authorities, and some room.
const MAX_CHAIN: usize = 8;
