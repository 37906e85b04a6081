//! The keys of a run: an authority for certificates, a simulated device for Evidence.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use atls_formats::psa::ClaimsToSign;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::Profile;
use atls_formats::psa::SIMULATED_IMPLEMENTATION_ID;
use atls_formats::psa::SoftwareComponent;
use atls_formats::psa::TokenToSign;
use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::CustomExtension;
use rcgen::DnType;
use rcgen::IsCa;
use rcgen::KeyPair;
use ring::digest::SHA256;
use ring::digest::digest;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair as _;
use rustls::RootCertStore;
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;

use crate::wire::cmw::Payload;

/// Whom the peer under test must trust, and the keys behind it.
#[derive(Debug)]
pub struct Keys {
    authority: CertifiedIssuer<'static, KeyPair>,
    stranger: CertifiedIssuer<'static, KeyPair>,
    device: EcdsaKeyPair,
    /// The kit's servers present it.
    pub server: Arc<CertifiedKey>,
    /// The kit's clients attest under it.
    pub client: Arc<CertifiedKey>,
    /// Nobody expects it.
    pub other: Arc<CertifiedKey>,
}

impl Keys {
    /// Fresh ones.
    ///
    /// # Errors
    /// Those of rcgen and ring.
    pub fn generate() -> Result<Self, Box<dyn Error>> {
        let device =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let device = device.map_err(|_| "no randomness")?;
        Self::of(KeyPair::generate()?, device.as_ref())
    }

    /// Those of a folder. Where it is absent, fresh ones are put there: `authority.pem` and `device.key` are for the peer.
    ///
    /// # Errors
    /// Those of files, rcgen and ring.
    pub fn kept(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let (authority, device) = (folder.join("authority.key"), folder.join("device.pkcs8"));
        if authority.exists() {
            let authority = KeyPair::from_pem(&fs::read_to_string(authority)?)?;
            return Self::of(authority, &fs::read(device)?);
        }
        fs::create_dir_all(folder)?;
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let pkcs8 = pkcs8.map_err(|_| "no randomness")?;
        let key = KeyPair::generate()?;
        fs::write(authority, key.serialize_pem())?;
        fs::write(device, pkcs8.as_ref())?;
        let keys = Self::of(key, pkcs8.as_ref())?;
        fs::write(folder.join("authority.pem"), keys.authority_pem())?;
        fs::write(folder.join("device.key"), keys.device_key())?;
        Ok(keys)
    }

    fn of(authority: KeyPair, device: &[u8]) -> Result<Self, Box<dyn Error>> {
        let random = SystemRandom::new();
        let device = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, device, &random);
        let authority = issuer("conformance authority", authority)?;
        Ok(Self {
            server: issued(&authority, "localhost", &KeyPair::generate()?)?,
            stranger: issuer("another authority", KeyPair::generate()?)?,
            authority,
            device: device.map_err(|_| "no P-256 key")?,
            client: self_signed(&KeyPair::generate()?, None)?,
            other: self_signed(&KeyPair::generate()?, None)?,
        })
    }

    /// For clients under test.
    pub fn authority_pem(&self) -> String {
        self.authority.pem()
    }

    /// The same, for clients of rustls.
    ///
    /// # Errors
    /// None: it is a certificate.
    pub fn roots(&self) -> Result<RootCertStore, Box<dyn Error>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone())?;
        Ok(roots)
    }

    /// The key of the simulated device, an uncompressed P-256 point: for whoever appraises.
    pub fn device_key(&self) -> Vec<u8> {
        self.device.public_key().as_ref().to_vec()
    }

    /// A server's certificate for this name.
    ///
    /// # Errors
    /// Those of rcgen.
    pub fn named(&self, name: &str) -> Result<Arc<CertifiedKey>, Box<dyn Error>> {
        issued(&self.authority, name, &KeyPair::generate()?)
    }

    /// A server's certificate that nobody trusts.
    ///
    /// # Errors
    /// Those of rcgen.
    pub fn untrusted(&self) -> Result<Arc<CertifiedKey>, Box<dyn Error>> {
        issued(&self.stranger, "localhost", &KeyPair::generate()?)
    }

    /// A server's certificate with an RSA key.
    ///
    /// # Errors
    /// Those of rcgen.
    pub fn rsa(&self) -> Result<Arc<CertifiedKey>, Box<dyn Error>> {
        issued(&self.authority, "localhost", &KeyPair::from_pem(RSA)?)
    }

    /// A client's certificate with an RSA key.
    ///
    /// # Errors
    /// Those of rcgen.
    pub fn rsa_client(&self) -> Result<Arc<CertifiedKey>, Box<dyn Error>> {
        self_signed(&KeyPair::from_pem(RSA)?, None)
    }

    /// A token of the simulated device over this value of 32 to 64 bytes.
    ///
    /// Its length is no multiple of three, so that padding of base64 shows.
    pub fn token(&self, value: &[u8]) -> Payload {
        let token = self.token_of("ARoT", value);
        match token.value.len().is_multiple_of(3) {
            true => self.token_of("ARoT.", value),
            false => token,
        }
    }

    fn token_of(&self, software: &str, value: &[u8]) -> Payload {
        let measurement = *b"atls simulated software, release";
        let software = [SoftwareComponent::new(software, measurement)];
        let point = self.device_key();
        let instance = [&[1], digest(&SHA256, &point).as_ref()].concat();
        let token = TokenToSign::over(&ClaimsToSign {
            profile: Profile::Tfm,
            nonce: value,
            instance_id: &instance,
            implementation_id: &SIMULATED_IMPLEMENTATION_ID,
            client_id: 1,
            lifecycle: Lifecycle::Secured,
            boot_seed: &[7; 32],
            software: &software,
        });
        let signed = token.and_then(|token| {
            let signature = self
                .device
                .sign(&SystemRandom::new(), &token.bytes())
                .ok()?;
            token.with_signature(signature.as_ref())
        });
        Payload {
            media_type: TOKEN.to_owned(),
            value: signed.unwrap_or_default(),
        }
    }
}

/// A self-signed certificate, perhaps with Evidence in an extension.
///
/// # Errors
/// Those of rcgen.
pub fn self_signed(
    key: &KeyPair,
    extension: Option<CustomExtension>,
) -> Result<Arc<CertifiedKey>, Box<dyn Error>> {
    let mut parameters = CertificateParams::new(vec!["localhost".to_owned()])?;
    parameters.custom_extensions.extend(extension);
    certified(&parameters.self_signed(key)?, key)
}

fn issuer(name: &str, key: KeyPair) -> Result<CertifiedIssuer<'static, KeyPair>, Box<dyn Error>> {
    let mut parameters = CertificateParams::new(Vec::new())?;
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    Ok(CertifiedIssuer::self_signed(parameters, key)?)
}

fn issued(
    authority: &CertifiedIssuer<'_, KeyPair>,
    name: &str,
    key: &KeyPair,
) -> Result<Arc<CertifiedKey>, Box<dyn Error>> {
    let mut names = vec![name.to_owned()];
    if name == "localhost" {
        names.push("127.0.0.1".to_owned());
    }
    let parameters = CertificateParams::new(names)?;
    certified(&parameters.signed_by(key, authority)?, key)
}

pub(crate) fn certified(
    certificate: &rcgen::Certificate,
    key: &KeyPair,
) -> Result<Arc<CertifiedKey>, Box<dyn Error>> {
    let der = PrivateKeyDer::try_from(key.serialize_der())?;
    let provider = rustls::crypto::ring::default_provider();
    let key = provider.key_provider.load_private_key(der)?;
    Ok(Arc::new(CertifiedKey::new(
        vec![certificate.der().clone()],
        key,
    )))
}

/// The media type of the simulated device's Evidence.
pub const TOKEN: &str = "application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"";

/// Of no use but here: rcgen makes no RSA keys with ring.
const RSA: &str = include_str!("rsa.pem");
