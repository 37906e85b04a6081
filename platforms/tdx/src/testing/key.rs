//! The keys of a forged platform.

use rcgen::KeyPair;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair as _;

use super::error::ForgeError;

/// A P-256 key, for certificates and for signatures `r ‖ s`.
pub(super) struct Key {
    pkcs8: Vec<u8>,
    raw: EcdsaKeyPair,
}

impl Key {
    pub(super) fn generate() -> Result<Self, ForgeError> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(|_| ForgeError)?;
        let raw = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random);
        Ok(Self {
            pkcs8: pkcs8.as_ref().to_vec(),
            raw: raw.map_err(|_| ForgeError)?,
        })
    }

    /// `r ‖ s`.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ForgeError> {
        let signature = self.raw.sign(&SystemRandom::new(), message);
        Ok(signature.map_err(|_| ForgeError)?.as_ref().to_vec())
    }

    /// `x ‖ y`.
    pub(super) fn coordinates(&self) -> &[u8] {
        self.raw.public_key().as_ref().get(1..).unwrap_or_default()
    }

    pub(super) fn for_certificates(&self) -> Result<KeyPair, ForgeError> {
        KeyPair::try_from(self.pkcs8.as_slice()).map_err(|_| ForgeError)
    }
}
