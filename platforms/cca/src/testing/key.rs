//! A key in software.

use std::fmt;
use std::sync::Arc;

use atls_formats::psa::EcKey;
use atls_formats::psa::Ecdsa;
use atls_formats::psa::TokenToSign;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::ECDSA_P384_SHA384_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;

use crate::public_key::PublicKey;

/// A key of P-256 or P-384 that is made now.
#[derive(Clone)]
pub struct ForgedKey {
    pair: Arc<EcdsaKeyPair>,
    key: EcKey,
}

impl ForgedKey {
    /// P-256.
    pub fn p256() -> Self {
        Self::of(Ecdsa::Es256)
    }

    /// P-384, as platforms have it.
    pub fn p384() -> Self {
        Self::of(Ecdsa::Es384)
    }

    /// The public key.
    pub fn key(&self) -> &EcKey {
        &self.key
    }

    /// The public key, as files have it.
    pub fn public(&self) -> PublicKey {
        self.key.clone().into()
    }

    /// The algorithm by which it signs.
    pub fn ecdsa(&self) -> Ecdsa {
        self.key.ecdsa()
    }

    /// The signature of any bytes, `r || s`.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let signature = self.pair.sign(&SystemRandom::new(), message).unwrap();
        signature.as_ref().to_vec()
    }

    /// The token, signed.
    pub fn seal(&self, token: Option<TokenToSign>) -> Vec<u8> {
        let token = token.unwrap();
        let signature = self.sign(&token.bytes());
        token.with_signature(&signature).unwrap()
    }

    fn of(ecdsa: Ecdsa) -> Self {
        let algorithm = match ecdsa {
            Ecdsa::Es256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            _ => &ECDSA_P384_SHA384_FIXED_SIGNING,
        };
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let key = EcKey::from_point(pair.public_key().as_ref()).unwrap();
        Self {
            pair: Arc::new(pair),
            key,
        }
    }
}

impl fmt::Debug for ForgedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForgedKey").finish_non_exhaustive()
    }
}
