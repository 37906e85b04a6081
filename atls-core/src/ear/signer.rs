//! The key by which a service signs results of its own.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::SignatureScheme;
use rustls::sign::Signer;
use rustls::sign::SigningKey;
use serde_json::Value;
use serde_json::json;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

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
    /// In DER.
    public: Option<Vec<u8>>,
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
            public: key.public_key().map(|key| key.to_vec()),
        })
    }

    /// Sets the `kid` of the results, by which readers with several keys choose theirs.
    #[must_use]
    pub fn with_key_id(mut self, id: impl Into<String>) -> Self {
        self.key_id = Some(id.into());
        self
    }

    /// The JWK that readers pin. There is none of an RSA key, and none where the provider does not tell the public key.
    pub fn public_jwk(&self) -> Option<Value> {
        let (_, spki) = SubjectPublicKeyInfo::from_der(self.public.as_deref()?).ok()?;
        let key = &*spki.subject_public_key.data;
        let encode = |bytes: &[u8]| Value::from(BASE64_URL_SAFE_NO_PAD.encode(bytes));
        let coordinates = |curve: &str| {
            let (4, point) = key.split_first().map(|(form, point)| (*form, point))? else {
                return None;
            };
            let (x, y) = point.split_at_checked(point.len().checked_div(2)?)?;
            Some(json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) }))
        };
        let mut jwk = match self.algorithm.jose {
            "ES256" => coordinates("P-256")?,
            "ES384" => coordinates("P-384")?,
            "EdDSA" => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key) }),
            _ => return None,
        };
        let fields = jwk.as_object_mut()?;
        fields.insert("alg".to_owned(), self.algorithm.jose.into());
        fields.insert("use".to_owned(), "sig".into());
        if let Some(id) = &self.key_id {
            fields.insert("kid".to_owned(), id.as_str().into());
        }
        Some(jwk)
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
