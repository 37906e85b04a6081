//! Intel's signatures: ECDSA over P-256 with SHA-256, in the two forms in which Intel writes them.
//!
//! Each function takes the signer, the message and the signature, and fails with [`QuoteError::BadSignature`].

use atls_core::pki_types::TrustAnchor;
use dcap_qvl::verify::CryptoBackend;
use ring::signature::ECDSA_P256_SHA256_ASN1;
use ring::signature::ECDSA_P256_SHA256_FIXED;
use ring::signature::UnparsedPublicKey;
use webpki::EndEntityCert;
use x509_cert::der::Decode;
use x509_cert::der::ErrorKind;
use x509_cert::der::Reader;
use x509_cert::der::SliceReader;
use x509_cert::der::asn1::BitString;

use crate::error::QuoteError;

/// A signature `r ‖ s` by a key `x ‖ y`, 64 bytes each.
pub(crate) fn verify(
    key: &[u8; 64],
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), QuoteError> {
    let point = [&[4], &key[..]].concat();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(message, signature)
        .map_err(|_| QuoteError::BadSignature)
}

/// A signature `r ‖ s` by the key of a certificate.
pub(crate) fn verify_by(
    signer: &EndEntityCert<'_>,
    message: &[u8],
    signature: &[u8],
) -> Result<(), QuoteError> {
    let backend = backend();
    let signature = (backend.encode_ecdsa)(signature).map_err(|_| QuoteError::BadSignature)?;
    signer
        .verify_signature(backend.sig_algo, message, &signature)
        .map_err(|_| QuoteError::BadSignature)
}

/// The signature over a certificate or revocation list: `SEQUENCE { toBeSigned, algorithm, BIT STRING }`.
pub(crate) fn verify_signed(signer: &TrustAnchor<'_>, der: &[u8]) -> Result<(), QuoteError> {
    let point = signer.subject_public_key_info.strip_prefix(&P256_KEY[..]);
    let point = point.ok_or(QuoteError::BadSignature)?;
    let (signed, signature) = parts_of(der).map_err(|_| QuoteError::BadSignature)?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point)
        .verify(signed, &signature)
        .map_err(|_| QuoteError::BadSignature)
}

fn parts_of(der: &[u8]) -> x509_cert::der::Result<(&[u8], Vec<u8>)> {
    let mut reader = SliceReader::new(der)?;
    let (signed, signature) = reader.sequence(|reader| {
        let signed = reader.tlv_bytes()?;
        let _algorithm = reader.tlv_bytes()?;
        Ok::<_, x509_cert::der::Error>((signed, BitString::decode(reader)?))
    })?;
    reader.finish()?;
    let signature = signature.as_bytes().ok_or(ErrorKind::Failed)?;
    Ok((signed, signature.to_vec()))
}

pub(crate) fn backend() -> CryptoBackend {
    dcap_qvl::verify::ring::backend()
}

/// The bytes before the point in the contents of a SubjectPublicKeyInfo: `id-ecPublicKey`, `prime256v1`, and the
/// beginning of the BIT STRING.
const P256_KEY: [u8; 24] = [
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
    0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
