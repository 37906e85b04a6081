//! Keys and certificates that an attacker may write as he likes, Evidence included.

use std::sync::Arc;

use atls_core::cmw::Cmw;
use atls_core::exchange::certificate;
use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::KeyPair;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::CertifiedKey;
use rustls::sign::SigningKey;

/// A private key, made or leaked.
pub struct ForgedKey {
    pair: KeyPair,
    pub signing: Arc<dyn SigningKey>,
}

impl ForgedKey {
    pub fn new() -> Self {
        Self::leaked(KeyPair::generate().unwrap().serialize_der())
    }

    /// PKCS #8.
    pub fn leaked(pkcs8: Vec<u8>) -> Self {
        let der = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pkcs8));
        Self {
            pair: KeyPair::try_from(&der).unwrap(),
            signing: demo::provider().key_provider.load_private_key(der).unwrap(),
        }
    }

    /// A self-signed certificate for `localhost` that is valid for as long as anybody lives, with one `id-pe-cmw` for each
    /// piece of Evidence.
    pub fn certify<'a>(&self, evidence: impl IntoIterator<Item = &'a Cmw>) -> Arc<CertifiedKey> {
        let value = |evidence| certificate::cmw_extension(evidence).unwrap();
        let extensions = evidence.into_iter().map(value);
        self.certify_with(extensions.map(|value| (certificate::ID_PE_CMW, value)))
    }

    /// The same with extensions of any kind.
    pub fn certify_with(
        &self,
        extensions: impl IntoIterator<Item = (&'static [u64], Vec<u8>)>,
    ) -> Arc<CertifiedKey> {
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        for (oid, value) in extensions {
            let extension = CustomExtension::from_oid_content(oid, value);
            parameters.custom_extensions.push(extension);
        }
        let leaf = parameters.self_signed(&self.pair).unwrap();
        self.with(vec![leaf.der().clone()])
    }

    /// DER SubjectPublicKeyInfo.
    pub fn spki(&self) -> Vec<u8> {
        self.signing.public_key().unwrap().as_ref().to_vec()
    }

    /// Under a certificate that is there already.
    pub fn with(
        &self,
        chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    ) -> Arc<CertifiedKey> {
        Arc::new(CertifiedKey::new(chain, self.signing.clone()))
    }
}

impl Default for ForgedKey {
    fn default() -> Self {
        Self::new()
    }
}
