//! The frame of a token: COSE_Sign1 (RFC 9052 §4.2).

use atls_core::bounded;
use atls_core::limits::MAX_HEADER_VALUES;
use coset::CoseSign1;
use coset::RegisteredLabelWithPrivate;
use coset::TaggedCborSerializable;

use super::claims::Claims;
use super::ecdsa::Ecdsa;
use super::error::TokenError;
use crate::cbor;
use crate::printed::printed_by_name;

/// A token under tag 18, with a signature that is not verified.
#[derive(Clone)]
pub struct SignedToken {
    sign1: CoseSign1,
    claims: Claims,
}

printed_by_name!(SignedToken, "SignedToken");

impl SignedToken {
    /// Reads the frame and the map of claims in it. Each claim is read when it is asked for.
    ///
    /// # Errors
    /// [`TokenError`]
    pub fn decode(bytes: &[u8]) -> Result<Self, TokenError> {
        if !bounded::cose_sign1(MAX_HEADER_VALUES, bytes) || !cbor::is_definite(bytes) {
            return Err(TokenError::Envelope);
        }
        let sign1 = CoseSign1::from_tagged_slice(bytes).map_err(|_| TokenError::Envelope)?;
        let payload = sign1.payload.as_deref().ok_or(TokenError::Envelope)?;
        let claims = Claims::decode(payload)?;
        Ok(Self { sign1, claims })
    }

    /// The claims, which the signature covers.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The algorithm that the protected header names. `None` if it names another one or none, if the other header names any, or if
    /// either has a parameter that a reader must understand.
    pub fn plain_ecdsa(&self) -> Option<Ecdsa> {
        let (inside, outside) = (&self.sign1.protected.header, &self.sign1.unprotected);
        let Some(RegisteredLabelWithPrivate::Assigned(algorithm)) = inside.alg else {
            return None;
        };
        let plain = outside.alg.is_none() && inside.crit.is_empty() && outside.crit.is_empty();
        plain.then(|| Ecdsa::named(algorithm))?
    }

    /// Whether [`plain_ecdsa`](Self::plain_ecdsa) is ES256.
    pub fn is_plain_es256(&self) -> bool {
        self.plain_ecdsa() == Some(Ecdsa::Es256)
    }

    /// The bytes that the signature covers: `Sig_structure` (RFC 9052 §4.4).
    pub fn signed(&self) -> Vec<u8> {
        self.sign1.tbs_data(b"")
    }

    /// The signature.
    pub fn signature(&self) -> &[u8] {
        &self.sign1.signature
    }
}
