//! The signature schemes of authenticators.

use pki_types::SignatureVerificationAlgorithm;
use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::codec::Reader;
use crate::codec::put_vec16;
use crate::error::ProtocolError;
use crate::error::SendError;

/// The schemes to offer: those that the provider verifies and TLS 1.3 allows, in the provider's order.
pub(crate) fn offered(algorithms: &WebPkiSupportedAlgorithms) -> Vec<SignatureScheme> {
    algorithms
        .mapping
        .iter()
        .map(|(scheme, _)| *scheme)
        .filter(|scheme| TLS13.contains(scheme))
        .collect()
}

/// The provider's algorithm for a scheme. In TLS 1.2 a scheme leaves the curve open and so maps to several algorithms; the first
/// is that of TLS 1.3.
pub(crate) fn algorithm(
    algorithms: &WebPkiSupportedAlgorithms,
    scheme: SignatureScheme,
) -> Option<&'static dyn SignatureVerificationAlgorithm> {
    let (_, candidates) = algorithms
        .mapping
        .iter()
        .find(|(known, _)| *known == scheme)?;
    candidates.first().copied()
}

/// RFC 9846 §4.2.3 forbids PKCS#1 v1.5, SHA-1, and ECDSA without a fixed curve in CertificateVerify. The list
/// of allowed schemes is closed: the provider's own list mixes both kinds, since it serves certificates too.
pub(crate) const TLS13: [SignatureScheme; 11] = [
    SignatureScheme::ECDSA_NISTP256_SHA256,
    SignatureScheme::ECDSA_NISTP384_SHA384,
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED25519,
    SignatureScheme::ED448,
    SignatureScheme::ML_DSA_44,
    SignatureScheme::ML_DSA_65,
    SignatureScheme::ML_DSA_87,
    SignatureScheme::RSA_PSS_SHA256,
    SignatureScheme::RSA_PSS_SHA384,
    SignatureScheme::RSA_PSS_SHA512,
];

/// `SignatureScheme supported_signature_algorithms<2..2^16-2>`
pub(crate) fn encode(schemes: &[SignatureScheme]) -> Result<Vec<u8>, SendError> {
    let list: Vec<u8> = schemes
        .iter()
        .flat_map(|scheme| u16::from(*scheme).to_be_bytes())
        .collect();
    let mut out = Vec::new();
    put_vec16(&mut out, &list)?;
    Ok(out)
}

pub(crate) fn decode(data: &[u8]) -> Result<Vec<SignatureScheme>, ProtocolError> {
    let mut outer = Reader::new(data);
    let mut list = Reader::new(outer.vec16()?);
    outer.finish()?;
    let mut schemes = Vec::new();
    while !list.is_empty() {
        schemes.push(SignatureScheme::from(list.u16()?));
    }
    if schemes.is_empty() {
        Err(ProtocolError::Malformed)
    } else {
        Ok(schemes)
    }
}
