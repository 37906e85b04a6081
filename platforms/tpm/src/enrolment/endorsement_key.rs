//! The endorsement key, by its maker's certificate.

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use webpki::KeyUsage;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use super::EnrolmentError;
use super::chain::Anchors;
use super::oaep;

/// A key that a maker certified, of the kind that credentials are made for.
pub(super) struct EndorsementKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl EndorsementKey {
    /// The certificate is of a key that encrypts keys, and for endorsement keys: by its purpose, or where it names none, by the maker of the TPM among
    /// its alternative names ("TCG EK Credential Profile" §3.2).
    pub(super) fn certified(
        certificate: &CertificateDer<'_>,
        anchors: &Anchors<'_>,
        now: UnixTime,
    ) -> Result<Self, EnrolmentError> {
        let purpose = KeyUsage::required_if_present(EK_CERTIFICATE);
        anchors.verify(certificate, purpose, now)?;
        Self::of(certificate).ok_or(EnrolmentError::EndorsementKey)
    }

    /// The content of a `TPM2B_ENCRYPTED_SECRET`.
    pub(super) fn encrypt(
        &self,
        seed: &[u8],
        random: &[u8; oaep::SEED],
    ) -> Result<Vec<u8>, EnrolmentError> {
        let (modulus, exponent) = (&self.modulus, &self.exponent);
        let encrypted = oaep::encrypt(modulus, exponent, IDENTITY, seed, random);
        encrypted.ok_or(EnrolmentError::EndorsementKey)
    }

    fn of(certificate: &[u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(certificate).ok()?;
        let PublicKey::RSA(key) = certificate.public_key().parsed().ok()? else {
            return None;
        };
        let is_known =
            rest.is_empty() && key.key_size() == BITS && is_for_endorsement(&certificate);
        let modulus = key.modulus.strip_prefix(&[0]).unwrap_or(key.modulus);
        is_known.then(|| Self {
            modulus: modulus.to_vec(),
            exponent: key.exponent.to_vec(),
        })
    }
}

fn is_for_endorsement(certificate: &X509Certificate<'_>) -> bool {
    let encrypts_keys = match certificate.key_usage() {
        Ok(Some(usage)) => usage.value.key_encipherment(),
        _ => false,
    };
    let has_purpose = matches!(certificate.extended_key_usage(), Ok(Some(_)));
    encrypts_keys && (has_purpose || names_maker(certificate))
}

fn names_maker(certificate: &X509Certificate<'_>) -> bool {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return false;
    };
    let mut names = names.value.general_names.iter();
    names.any(|name| match name {
        GeneralName::DirectoryName(name) => {
            let mut attributes = name.iter_attributes();
            attributes.any(|attribute| attribute.attr_type().as_bytes() == TPM_MANUFACTURER)
        }
        _ => false,
    })
}

/// 2.23.133.2.1, `tcg-at-tpmManufacturer`.
const TPM_MANUFACTURER: &[u8] = &[0x67, 0x81, 0x05, 0x02, 0x01];

/// 2.23.133.8.1, `tcg-kp-EKCertificate`.
const EK_CERTIFICATE: &[u8] = &[0x67, 0x81, 0x05, 0x08, 0x01];

/// The use of the secret (Part 1 §24). The zero counts.
const IDENTITY: &[u8] = b"IDENTITY\0";

/// The size of the default RSA template, L-1.
const BITS: usize = 2048;
