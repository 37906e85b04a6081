//! Certificates and devices, known to both processes.

use axum::BoxError;
use demo::Authority;
use demo::Issued;
use demo::roots_of;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use serde::Deserialize;
use serde::Serialize;

/// Everybody's keys.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Keys {
    authority: String,
    /// Of the server: one, and the one after it was renewed.
    pub(crate) server: [Identity; 2],
    /// Somebody in between, with a good certificate of its own.
    pub(crate) relay: Identity,
    pub(crate) server_device: Device,
    pub(crate) client_device: Device,
    /// A client that one policy accepts and the next does not.
    pub(crate) former_device: Device,
    /// Known to nobody.
    pub(crate) unknown_device: Device,
}

/// A certificate and its key, in DER.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    chain: Vec<Vec<u8>>,
    key: Vec<u8>,
}

/// The key of a simulated device, in PKCS #8.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device(pub(crate) Vec<u8>);

impl Keys {
    pub(crate) fn new() -> Result<Self, BoxError> {
        let authority = Authority::new().map_err(|error| error.to_string())?;
        let issue = || {
            let issued = authority.issue().map_err(|error| error.to_string());
            issued.map(Identity::of)
        };
        Ok(Self {
            server: [issue()?, issue()?],
            relay: issue()?,
            authority: authority.pem(),
            server_device: Device::generate()?,
            client_device: Device::generate()?,
            former_device: Device::generate()?,
            unknown_device: Device::generate()?,
        })
    }

    pub(crate) fn roots(&self) -> Result<RootCertStore, BoxError> {
        Ok(roots_of(&self.authority).map_err(|error| error.to_string())?)
    }
}

impl Identity {
    #[allow(clippy::needless_pass_by_value, reason = "the key is moved in here")]
    fn of(issued: Issued) -> Self {
        Self {
            chain: issued.chain.iter().map(|der| der.to_vec()).collect(),
            key: issued.key.secret_der().to_vec(),
        }
    }

    pub(crate) fn issued(&self) -> Result<Issued, BoxError> {
        let chain = self.chain.iter().cloned().map(CertificateDer::from);
        Ok(Issued {
            chain: chain.collect(),
            key: PrivateKeyDer::try_from(self.key.clone())?,
        })
    }
}

impl Device {
    fn generate() -> Result<Self, BoxError> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        Ok(Self(key.map_err(|_| "no randomness")?.as_ref().to_vec()))
    }
}
