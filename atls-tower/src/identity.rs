//! The key of a client that has no TLS certificate.

use std::sync::Arc;

use atls_core::ConfigError;
use rcgen::CertificateParams;
use rcgen::DistinguishedName;
use rcgen::ExtendedKeyUsagePurpose;
use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::CertifiedKey;
use rustls::sign::SigningKey;
use zeroize::Zeroizing;

/// Makes a self-signed Ed25519 leaf whose key exists in this process only.
///
/// A client usually has no TLS certificate, and an authenticator needs one. This one has no name: the Evidence vouches
/// for its key, and no code reads its names. The key is 32 bytes of the provider's randomness and lives in
/// the provider's own key object.
///
/// # Errors
/// [`ConfigError::Identity`] where the provider has no randomness or no Ed25519.
pub(crate) fn ephemeral(provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, ConfigError> {
    let mut parameters = CertificateParams::default();
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    self_signed(provider, parameters)
}

/// The same for a server of this name, in tests.
pub(crate) fn for_name(
    provider: &CryptoProvider,
    name: &str,
) -> Result<Arc<CertifiedKey>, ConfigError> {
    let mut parameters =
        CertificateParams::new(vec![name.to_owned()]).map_err(|_| ConfigError::Identity)?;
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    self_signed(provider, parameters)
}

fn self_signed(
    provider: &CryptoProvider,
    parameters: CertificateParams,
) -> Result<Arc<CertifiedKey>, ConfigError> {
    self_signed_by(provider, &fresh_key(provider)?, parameters)
}

/// An Ed25519 key of 32 bytes of the provider's randomness, in the provider's own key object.
///
/// # Errors
/// [`ConfigError::Identity`] where the provider has no randomness or no Ed25519.
pub(crate) fn fresh_key(provider: &CryptoProvider) -> Result<Arc<dyn SigningKey>, ConfigError> {
    let mut seed = Zeroizing::new([0; 32]);
    provider
        .secure_random
        .fill(seed.as_mut_slice())
        .map_err(|_| ConfigError::Identity)?;
    let pkcs8 = Zeroizing::new([PKCS8_ED25519, seed.as_slice()].concat());
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8.as_slice()));
    provider
        .key_provider
        .load_private_key(der.clone_key())
        .map_err(|_| ConfigError::Identity)
}

/// A certificate for an Ed25519 or ECDSA P-256 key, signed by itself.
///
/// # Errors
/// [`ConfigError::Identity`], also for a key of another kind.
pub(crate) fn self_signed_by(
    provider: &CryptoProvider,
    key: &Arc<dyn SigningKey>,
    mut parameters: CertificateParams,
) -> Result<Arc<CertifiedKey>, ConfigError> {
    let mut serial = [0; 16];
    provider
        .secure_random
        .fill(&mut serial)
        .map_err(|_| ConfigError::Identity)?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.serial_number = Some(serial.to_vec().into());
    let certificate = Signer::new(key.clone())
        .and_then(|signer| parameters.self_signed(&signer).ok())
        .ok_or(ConfigError::Identity)?;
    Ok(Arc::new(CertifiedKey::new(
        vec![certificate.der().clone()],
        key.clone(),
    )))
}

/// Lets rcgen sign with a rustls key.
struct Signer {
    key: Arc<dyn SigningKey>,
    public: Vec<u8>,
    kind: &'static Kind,
}

impl Signer {
    fn new(key: Arc<dyn SigningKey>) -> Option<Self> {
        let spki = key.public_key()?;
        let (kind, public) = [&P256, &ED25519]
            .into_iter()
            .find_map(|kind| Some((kind, spki.as_ref().strip_prefix(kind.spki)?.to_vec())))?;
        Some(Self { key, public, kind })
    }
}

/// One of the two kinds of keys made here.
struct Kind {
    /// SubjectPublicKeyInfo up to the bytes of the key.
    spki: &'static [u8],
    scheme: SignatureScheme,
    algorithm: &'static rcgen::SignatureAlgorithm,
}

impl rcgen::PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.kind.algorithm
    }
}

impl rcgen::SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.key
            .choose_scheme(&[self.kind.scheme])
            .and_then(|signer| signer.sign(message).ok())
            .ok_or(rcgen::Error::RemoteKeyError)
    }
}

/// RFC 8410 §7, PrivateKeyInfo up to the 32 bytes of the seed.
const PKCS8_ED25519: &[u8] = &[
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
];
/// RFC 8410 §4; 32 bytes follow.
static ED25519: Kind = Kind {
    spki: &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0],
    scheme: SignatureScheme::ED25519,
    algorithm: &rcgen::PKCS_ED25519,
};
/// RFC 5480 §2; an uncompressed point of 65 bytes follows.
static P256: Kind = Kind {
    spki: &[
        0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 3, 1, 7, 3, 0x42, 0,
    ],
    scheme: SignatureScheme::ECDSA_NISTP256_SHA256,
    algorithm: &rcgen::PKCS_ECDSA_P256_SHA256,
};
