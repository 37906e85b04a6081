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
/// A client usually has no TLS certificate, and an authenticator needs one. This one names nobody: the Evidence
/// vouches for its key, and nothing reads its names. The key is 32 octets of the provider's randomness and lives in
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

/// An Ed25519 key of 32 octets of the provider's randomness, in the provider's own key object.
///
/// # Errors
/// [`ConfigError::Identity`] where the provider has no randomness or no Ed25519.
pub(crate) fn fresh_key(provider: &CryptoProvider) -> Result<Arc<dyn SigningKey>, ConfigError> {
    let mut seed = Zeroizing::new([0; 32]);
    provider
        .secure_random
        .fill(seed.as_mut_slice())
        .map_err(|_| ConfigError::Identity)?;
    let pkcs8 = [PKCS8_ED25519, seed.as_slice()].concat();
    provider
        .key_provider
        .load_private_key(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pkcs8)))
        .map_err(|_| ConfigError::Identity)
}

/// A certificate for such a key, signed by itself.
///
/// # Errors
/// [`ConfigError::Identity`]
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
}

impl Signer {
    fn new(key: Arc<dyn SigningKey>) -> Option<Self> {
        let spki = key.public_key()?;
        let public = spki.as_ref().strip_prefix(SPKI_ED25519)?.to_vec();
        Some(Self { key, public })
    }
}

impl rcgen::PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ED25519
    }
}

impl rcgen::SigningKey for Signer {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.key
            .choose_scheme(&[SignatureScheme::ED25519])
            .and_then(|signer| signer.sign(message).ok())
            .ok_or(rcgen::Error::RemoteKeyError)
    }
}

/// RFC 8410 §7, PrivateKeyInfo up to the 32 octets of the seed.
const PKCS8_ED25519: &[u8] = &[
    0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
];
/// RFC 8410 §4, SubjectPublicKeyInfo up to the 32 octets of the key.
const SPKI_ED25519: &[u8] = &[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
