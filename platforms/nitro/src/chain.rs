//! The certificate chain from the pinned root to the enclave's key. Certificates and a time go in; the end of their validity comes out,
//! or the error of the first rule that they break.

use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::pki_types::AlgorithmIdentifier;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::InvalidSignature;
use atls_core::pki_types::SignatureVerificationAlgorithm;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::alg_id;
use atls_reference::Digest;
use ring::digest;
use ring::signature::ECDSA_P384_SHA384_FIXED;
use ring::signature::UnparsedPublicKey;
use webpki::EndEntityCert;
use webpki::Error;
use webpki::ExtendedKeyUsageValidator;
use webpki::KeyPurposeIdIter;
use webpki::VerifiedPath;
use webpki::anchor_from_trusted_cert;
use webpki::ring::ECDSA_P384_SHA384;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::KeyUsage;
use x509_parser::prelude::FromDer;

/// SHA-256 of the certificate of the AWS Nitro Enclaves root G1 (`CN=aws.nitro-enclaves`, until 2049-10-28), of the
/// commercial partition. AWS publishes the certificate, and every document carries it.
pub const AWS_ROOT_G1: [u8; 32] = [
    0x64, 0x1a, 0x03, 0x21, 0xa3, 0xe2, 0x44, 0xef, 0xe4, 0x56, 0x46, 0x31, 0x95, 0xd6, 0x06, 0x31,
    0x7e, 0xd7, 0xcd, 0xcc, 0x3c, 0x17, 0x56, 0xe0, 0x98, 0x93, 0xf3, 0xc6, 0x8f, 0x79, 0xbb, 0x5b,
];

/// Verifies the chain as "Nitro Enclaves Attestation Process" §3.2.3 says: the bundle, root first, whole and in order; validity of
/// every certificate, the root included; path lengths; key usages; no revocation lists.
///
/// The value is the earliest end of validity in the chain.
pub(crate) fn verify(
    leaf: &[u8],
    bundle: &[Vec<u8>],
    root: &Digest<32>,
    at: UnixTime,
) -> Result<UnixTime, AppraisalError> {
    let (anchor, intermediates) = bundle.split_first().ok_or(AppraisalError::Malformed)?;
    if digest::digest(&digest::SHA256, anchor).as_ref() != root.as_ref() {
        return Err(AppraisalError::UnknownKey);
    }
    verify_path(leaf, anchor, intermediates, at)?;

    // webpki leaves these rules to its callers. All of these bytes are certified by now.
    let leaf_certificate = parse(leaf)?;
    let mut valid_until = end_of_validity(&leaf_certificate, at)?;
    let path_length = leaf_certificate
        .basic_constraints()
        .map_err(|_| AppraisalError::Malformed)?
        .and_then(|constraints| constraints.value.path_len_constraint);
    if path_length.is_some() || !has_usage(&leaf_certificate, KeyUsage::digital_signature)? {
        return Err(AppraisalError::BadSignature);
    }
    for authority in bundle {
        let authority = parse(authority)?;
        if !has_usage(&authority, KeyUsage::key_cert_sign)? {
            return Err(AppraisalError::BadSignature);
        }
        valid_until = valid_until.min(end_of_validity(&authority, at)?);
    }
    Ok(valid_until)
}

/// Verifies a signature of 96 bytes, `r || s` (RFC 9053 §2.1), under the key of a certificate.
pub(crate) fn verify_es384(
    certificate: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), AppraisalError> {
    let certificate = CertificateDer::from(certificate);
    EndEntityCert::try_from(&certificate)
        .map_err(|_| AppraisalError::Malformed)?
        .verify_signature(&Es384, message, signature)
        .map_err(|_| AppraisalError::BadSignature)
}

fn verify_path(
    leaf: &[u8],
    anchor: &[u8],
    intermediates: &[Vec<u8>],
    at: UnixTime,
) -> Result<(), AppraisalError> {
    let anchor = CertificateDer::from(anchor);
    let anchors = [anchor_from_trusted_cert(&anchor).map_err(|_| AppraisalError::Malformed)?];
    let intermediates: Vec<_> = intermediates
        .iter()
        .map(|certificate| CertificateDer::from(certificate.as_slice()))
        .collect();
    let whole_and_in_order = |path: &VerifiedPath<'_>| {
        let used = path.intermediate_certificates().map(|used| used.der());
        if used.eq(intermediates.iter().rev().cloned()) {
            Ok(())
        } else {
            Err(Error::UnknownIssuer)
        }
    };
    let leaf = CertificateDer::from(leaf);
    let leaf = EndEntityCert::try_from(&leaf).map_err(|_| AppraisalError::Malformed)?;
    leaf.verify_for_usage(
        &[ECDSA_P384_SHA384],
        &anchors,
        &intermediates,
        at,
        NoPurpose,
        None,
        Some(&whole_and_in_order),
    )
    .map(drop)
    .map_err(|error| match error {
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => AppraisalError::Expired,
        _ => AppraisalError::BadSignature,
    })
}

/// AWS's certificates name no extended key usage. A certificate that names one is for another purpose.
struct NoPurpose;

impl ExtendedKeyUsageValidator for NoPurpose {
    fn validate(&self, mut purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        match purposes.next() {
            None => Ok(()),
            Some(_) => Err(Error::UnknownIssuer),
        }
    }
}

/// ECDSA with P-384 and SHA-384 as COSE writes it: two integers of 48 bytes instead of DER.
#[derive(Debug)]
struct Es384;

impl SignatureVerificationAlgorithm for Es384 {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, public_key)
            .verify(message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_P384
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        alg_id::ECDSA_SHA384
    }
}

fn parse(certificate: &[u8]) -> Result<X509Certificate<'_>, AppraisalError> {
    match X509Certificate::from_der(certificate) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(AppraisalError::Malformed),
    }
}

fn has_usage(
    certificate: &X509Certificate<'_>,
    usage: impl Fn(&KeyUsage) -> bool,
) -> Result<bool, AppraisalError> {
    let extension = certificate
        .key_usage()
        .map_err(|_| AppraisalError::Malformed)?;
    Ok(extension.is_some_and(|extension| usage(extension.value)))
}

fn end_of_validity(
    certificate: &X509Certificate<'_>,
    at: UnixTime,
) -> Result<UnixTime, AppraisalError> {
    let validity = certificate.validity();
    let seconds = |time: i64| u64::try_from(time).map_err(|_| AppraisalError::Malformed);
    let start = seconds(validity.not_before.timestamp())?;
    let end = seconds(validity.not_after.timestamp())?;
    if (start..=end).contains(&at.as_secs()) {
        Ok(UnixTime::since_unix_epoch(Duration::from_secs(end)))
    } else {
        Err(AppraisalError::Expired)
    }
}
