//! Results as JWT (RFC 7519): a signature around JSON.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::decode_header;
use rustls::crypto::WebPkiSupportedAlgorithms;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::Ear;
use super::EarError;
use super::EarSigner;
use super::EncodeError;
use super::MAX_TOKEN;
use super::Statement;
use super::claims;
use super::claims::Check;
use super::json::UniqueNames;
use super::keys::VerificationKeys;
use super::signature::SignatureAlgorithm;
use crate::bounded;
use crate::limits::MAX_HEADER_VALUES;
use crate::limits::MAX_TOKEN_VALUES;

/// Verifies and reads a compact JWS of at most 64 KiB. `supported` is the `signature_verification_algorithms` of
/// your `CryptoProvider`.
///
/// The header's `alg` must be that of a pinned key, and its `kid` may choose among several. The header fields `b64`, `crit`, `enc`
/// and `zip` would change the meaning of the rest, so a token with one of them is refused. Other fields are ignored. A token that
/// repeats a name in one object of its header or claims is refused.
///
/// # Errors
/// [`EarError`]. No claim is read before the signature is verified.
pub fn decode(
    token: &str,
    keys: &VerificationKeys,
    supported: &WebPkiSupportedAlgorithms,
    check: &Check<'_>,
) -> Result<Ear, EarError> {
    claims::read(&verify(token, keys, supported)?, check)
}

/// Signs a result, as a compact JWS whose `typ` is `eat+jwt` (RFC 9782).
///
/// # Errors
/// [`EncodeError`].
pub fn encode(statement: &Statement<'_>, signer: &EarSigner) -> Result<String, EncodeError> {
    let mut header = json!({ "alg": signer.algorithm().jose, "typ": "eat+jwt" });
    if let (Some(id), Value::Object(header)) = (signer.key_id(), &mut header) {
        header.insert("kid".to_owned(), id.into());
    }
    let claims = Value::Object(statement.claims()?);
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&header), part(&claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signer.sign(message.as_bytes())?);
    let token = format!("{message}.{signature}");
    if token.len() > MAX_TOKEN {
        return Err(EncodeError::TooLarge);
    }
    Ok(token)
}

/// Verifies the signature of a token that is no EAR, such as that of a cloud's own verifier, and returns its claims. The header is
/// checked as by [`decode`]. **Nothing else is checked**: the caller must check issuer, times, and the binding to a connection.
///
/// # Errors
/// [`EarError`] for a bad header or signature, and for claims that are not a JSON object.
pub fn verify(
    token: &str,
    keys: &VerificationKeys,
    supported: &WebPkiSupportedAlgorithms,
) -> Result<Map<String, Value>, EarError> {
    if token.len() > MAX_TOKEN {
        return Err(EarError::TooLarge);
    }
    let (message, signature) = token.rsplit_once('.').ok_or(EarError::Malformed)?;
    if message.matches('.').count() != 1 {
        return Err(EarError::Malformed);
    }
    check_header(message)?;
    // jsonwebtoken fails on algorithms that it does not know, `none` among them.
    let header = decode_header(token).map_err(|_| EarError::Algorithm)?;
    let name = format!("{:?}", header.alg);
    let algorithm = SignatureAlgorithm::by_jose(&name).ok_or(EarError::Algorithm)?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature);
    let signature = signature.map_err(|_| EarError::Malformed)?;
    let key_id = header.kid.as_deref();
    keys.verify(algorithm, key_id, supported, message.as_bytes(), &signature)?;
    // The signature was verified above by the application's own provider, not by jsonwebtoken's process-wide one.
    let payload = message.rsplit_once('.').map(|(_, payload)| payload);
    let payload = BASE64_URL_SAFE_NO_PAD.decode(payload.ok_or(EarError::Malformed)?);
    let payload = payload.map_err(|_| EarError::Malformed)?;
    if !bounded::json(MAX_TOKEN_VALUES, &payload) {
        return Err(EarError::TooLarge);
    }
    match serde_json::from_slice(&payload) {
        Ok(UniqueNames(Value::Object(claims))) => Ok(claims),
        _ => Err(EarError::Malformed),
    }
}

/// Refuses a header with a forbidden field, whatever its value. jsonwebtoken would take `null` for absence.
fn check_header(message: &str) -> Result<(), EarError> {
    let (header, _) = message.split_once('.').ok_or(EarError::Malformed)?;
    let header = BASE64_URL_SAFE_NO_PAD.decode(header);
    let header = header.map_err(|_| EarError::Malformed)?;
    if !bounded::json(MAX_HEADER_VALUES, &header) {
        return Err(EarError::TooLarge);
    }
    let Ok(UniqueNames(Value::Object(header))) = serde_json::from_slice(&header) else {
        return Err(EarError::Malformed);
    };
    if ["b64", "crit", "enc", "zip"]
        .iter()
        .any(|name| header.contains_key(*name))
    {
        return Err(EarError::Algorithm);
    }
    Ok(())
}
