//! The contents of certificates with Evidence.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::ConfigError;
use atls_core::exchange::certificate::Format;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;

use crate::identity;

/// The names, lifetime, format and keys of certificates that carry Evidence.
///
/// ```
/// use std::time::Duration;
/// use atls_core::exchange::certificate::Format;
/// use atls_tower::weaker::CertificateProfile;
///
/// let hourly = CertificateProfile::new(Duration::from_secs(3600)).name("service.example");
/// // Peers on mbedTLS, as those of Gramine, verify no Ed25519. rcgen makes P-256 keys.
/// let for_gramine = hourly
///     .format(Format::TaggedEvidence)
///     .keys(|| Some(rcgen::KeyPair::generate().ok()?.into()));
/// ```
#[derive(Clone)]
#[must_use]
pub struct CertificateProfile {
    pub(super) names: Vec<String>,
    pub(super) lifetime: Duration,
    pub(super) format: Format,
    keys: Option<Arc<Keys>>,
}

type Keys = dyn Fn() -> Option<PrivateKeyDer<'static>> + Send + Sync;

impl CertificateProfile {
    /// Certificates of this lifetime, without names, in the default format: [`Format::Cmw`], which is the published standard
    /// and fits every platform; with Ed25519 keys of the provider's randomness.
    ///
    /// The lifetime bounds how long a certificate is presented. It does **not** bound how long its Evidence can be replayed:
    /// the owner of the key can write new certificates about it at any time.
    pub fn new(lifetime: Duration) -> Self {
        Self {
            names: Vec::new(),
            lifetime,
            format: Format::default(),
            keys: None,
        }
    }

    /// Adds a name of a server, for clients that look at it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// How the Evidence is carried. [`Format::TaggedEvidence`] is for peers that read no other, and for attesters of
    /// SGX and TDX that know it.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets the source of the keys, for peers that verify no Ed25519: a fresh Ed25519 or ECDSA P-256 key at each call, or `None`
    /// where none can be made. A key must live nowhere else: each owner of it can replay its Evidence.
    pub fn keys(
        mut self,
        fresh: impl Fn() -> Option<PrivateKeyDer<'static>> + Send + Sync + 'static,
    ) -> Self {
        self.keys = Some(Arc::new(fresh));
        self
    }

    /// # Errors
    /// [`ConfigError::Identity`] without a key that the provider takes.
    pub(super) fn fresh_key(
        &self,
        provider: &CryptoProvider,
    ) -> Result<Arc<dyn SigningKey>, ConfigError> {
        let Some(fresh) = &self.keys else {
            return identity::fresh_key(provider);
        };
        let key = fresh().ok_or(ConfigError::Identity)?;
        provider
            .key_provider
            .load_private_key(key)
            .map_err(|_| ConfigError::Identity)
    }
}

impl fmt::Debug for CertificateProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateProfile")
            .field("names", &self.names)
            .field("lifetime", &self.lifetime)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}
