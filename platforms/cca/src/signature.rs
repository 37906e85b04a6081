//! Signatures of tokens, verified by the algorithms of the application's rustls provider.

use atls_core::AppraisalError;
use atls_core::pki_types::alg_id;
use atls_formats::psa::EcKey;
use atls_formats::psa::Ecdsa;
use atls_formats::psa::SignedToken;
use rustls::crypto::WebPkiSupportedAlgorithms;

/// Verifies that the key signed the token, by the one algorithm of the key. The token chooses nothing: an algorithm in its header that is
/// not the key's refuses it.
pub(crate) fn verify(
    token: &SignedToken,
    key: &EcKey,
    supported: &WebPkiSupportedAlgorithms,
) -> Result<(), AppraisalError> {
    let named = token.plain_ecdsa().ok_or(AppraisalError::Malformed)?;
    let ecdsa = key.ecdsa();
    if named != ecdsa {
        return Err(AppraisalError::BadSignature);
    }
    let signature = ecdsa.to_x509(token.signature());
    let signature = signature.ok_or(AppraisalError::BadSignature)?;
    let (of_key, of_signature) = match ecdsa {
        Ecdsa::Es256 => (alg_id::ECDSA_P256, alg_id::ECDSA_SHA256),
        Ecdsa::Es384 => (alg_id::ECDSA_P384, alg_id::ECDSA_SHA384),
        Ecdsa::Es512 => (alg_id::ECDSA_P521, alg_id::ECDSA_SHA512),
        _ => return Err(AppraisalError::Local(UNSUPPORTED)),
    };
    let mut known = supported.all.iter().filter(|known| {
        known.public_key_alg_id() == of_key && known.signature_alg_id() == of_signature
    });
    let known = known.next().ok_or(AppraisalError::Local(UNSUPPORTED))?;
    known
        .verify_signature(key.point(), &token.signed(), &signature)
        .map_err(|_| AppraisalError::BadSignature)
}

const UNSUPPORTED: &str =
    "the CryptoProvider does not verify ECDSA on the curve of this attestation key";
