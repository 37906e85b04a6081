//! The key by which a service signs results of its own.

use std::fmt;

use rustls::SignatureScheme;
use rustls::sign::Signer;
use rustls::sign::SigningKey;

use super::encode_error::EncodeError;
use super::key_error::KeyError;
use super::signature::SignatureAlgorithm;

/// Signs results of this service. Use a key that signs nothing else: whoever has another signature of it could pass that off as a
/// result.
///
/// ```
/// # use atls_core::ear::{EarSigner, KeyError};
/// # use rustls::{crypto::CryptoProvider, pki_types::PrivateKeyDer};
/// fn signer(provider: &CryptoProvider, key: PrivateKeyDer<'static>) -> Result<EarSigner, KeyError> {
///     let key = provider.key_provider.load_private_key(key);
///     Ok(EarSigner::new(&*key.map_err(|_| KeyError::Malformed)?)?.with_key_id("2026-11"))
/// }
/// ```
pub struct EarSigner {
    signer: Box<dyn Signer>,
    algorithm: &'static SignatureAlgorithm,
    key_id: Option<String>,
}

impl EarSigner {
    /// Signs by this key: ES256, ES384, EdDSA or PS256, as the key is.
    ///
    /// # Errors
    /// [`KeyError::Unsupported`] for a key of another kind.
    pub fn new(key: &dyn SigningKey) -> Result<Self, KeyError> {
        let schemes = SCHEMES.map(|(scheme, _)| scheme);
        let signer = key.choose_scheme(&schemes).ok_or(KeyError::Unsupported)?;
        let mut known = SCHEMES.iter();
        let name = known.find(|(scheme, _)| *scheme == signer.scheme());
        let algorithm = name.and_then(|(_, name)| SignatureAlgorithm::by_jose(name));
        Ok(Self {
            algorithm: algorithm.ok_or(KeyError::Unsupported)?,
            signer,
            key_id: None,
        })
    }

    /// Sets the `kid` of the results, by which readers with several keys choose theirs.
    #[must_use]
    pub fn with_key_id(mut self, id: impl Into<String>) -> Self {
        self.key_id = Some(id.into());
        self
    }

    pub(super) fn algorithm(&self) -> &SignatureAlgorithm {
        self.algorithm
    }

    pub(super) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// The signature in the form of JOSE and COSE.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, EncodeError> {
        let signature = self.signer.sign(message);
        let signature = signature.map_err(|_| EncodeError::Signature)?;
        let signature = self.algorithm.of_x509(&signature);
        signature.ok_or(EncodeError::Signature)
    }
}

/// Prints algorithm and identifier of the key.
impl fmt::Debug for EarSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EarSigner")
            .field("algorithm", &self.algorithm.jose)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// Schemes of TLS and their names in JOSE. A key fits one of them, and an RSA key never the weaker PKCS #1 v1.5.
const SCHEMES: [(SignatureScheme, &str); 4] = [
    (SignatureScheme::ECDSA_NISTP256_SHA256, "ES256"),
    (SignatureScheme::ECDSA_NISTP384_SHA384, "ES384"),
    (SignatureScheme::ED25519, "EdDSA"),
    (SignatureScheme::RSA_PSS_SHA256, "PS256"),
];
