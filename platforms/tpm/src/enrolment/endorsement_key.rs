//! The endorsement key, by its maker's certificate.

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use zeroize::Zeroizing;

use super::credential;
use super::ecdh;
use super::enrolment_error::EnrolmentError;
use super::oaep;
use crate::chain::Anchors;
use crate::chain::Purpose;

/// A key that a maker certified, of a kind that credentials are made for.
pub(super) enum EndorsementKey {
    /// An uncompressed point.
    EccP256([u8; ecdh::POINT]),
    Rsa2048 {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
}

impl EndorsementKey {
    /// The certificate is of a key that encrypts keys, or agrees on them, and for endorsement keys: by its purpose, or where it names
    /// none, by the maker of the TPM among its alternative names ("TCG EK Credential Profile" §3.2).
    pub(super) fn certified(
        certificate: &CertificateDer<'_>,
        anchors: &Anchors<'_>,
        now: UnixTime,
    ) -> Result<Self, EnrolmentError> {
        anchors.verify(certificate, Purpose::EndorsementKey, now)?;
        Self::of(certificate).ok_or(EnrolmentError::EndorsementKey)
    }

    /// A fresh seed, and the content of the `TPM2B_ENCRYPTED_SECRET` that only the TPM opens.
    pub(super) fn seed(
        &self,
        fill: impl Fn(&mut [u8]) -> Result<(), EnrolmentError>,
    ) -> Result<(Zeroizing<[u8; credential::SEED]>, Vec<u8>), EnrolmentError> {
        let (modulus, exponent) = match self {
            Self::EccP256(point) => return ecdh::agree(point, IDENTITY),
            Self::Rsa2048 { modulus, exponent } => (modulus, exponent),
        };
        let mut seed = Zeroizing::new([0; credential::SEED]);
        fill(&mut *seed)?;
        let mut random = Zeroizing::new([0; oaep::SEED]);
        fill(&mut *random)?;
        let encrypted = oaep::encrypt(modulus, exponent, IDENTITY, &*seed, &random);
        Ok((seed, encrypted.ok_or(EnrolmentError::EndorsementKey)?))
    }

    fn of(certificate: &[u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(certificate).ok()?;
        let key = match certificate.public_key().parsed().ok()? {
            PublicKey::EC(_) => Self::point(&certificate)?,
            PublicKey::RSA(key) if key.key_size() == BITS => Self::Rsa2048 {
                modulus: key
                    .modulus
                    .strip_prefix(&[0])
                    .unwrap_or(key.modulus)
                    .to_vec(),
                exponent: key.exponent.to_vec(),
            },
            _ => return None,
        };
        let is_known = rest.is_empty() && key.is_certified_by(&certificate);
        is_known.then_some(key)
    }

    fn point(certificate: &X509Certificate<'_>) -> Option<Self> {
        let key = certificate.public_key();
        let curve = key.algorithm.parameters.as_ref()?.as_oid().ok()?;
        if curve.as_bytes() != P256 {
            return None;
        }
        let point = key.subject_public_key.data.as_ref().try_into().ok()?;
        Some(Self::EccP256(point))
    }

    fn is_certified_by(&self, certificate: &X509Certificate<'_>) -> bool {
        let serves = match (certificate.key_usage(), self) {
            (Ok(Some(usage)), Self::EccP256(_)) => usage.value.key_agreement(),
            (Ok(Some(usage)), Self::Rsa2048 { .. }) => usage.value.key_encipherment(),
            _ => false,
        };
        let has_purpose = matches!(certificate.extended_key_usage(), Ok(Some(_)));
        serves && (has_purpose || names_maker(certificate))
    }
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

/// The use of the secret (Part 1 §24). The zero counts.
const IDENTITY: &[u8] = b"IDENTITY\0";

/// The size of the default RSA template, L-1.
const BITS: usize = 2048;

/// 1.2.840.10045.3.1.7, the curve of the default ECC template, L-2.
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
