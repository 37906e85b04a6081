//! A forged device.

use std::io;
use std::sync::Arc;

use atls_formats::psa::Component;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::Profile;
use atls_formats::psa::PsaDevice;
use atls_reference::Live;
use rustls::crypto::CryptoProvider;

use super::cca::known;
use super::key::ForgedKey;
use crate::keys::PsaKeys;
use crate::keys::TrustedKey;
use crate::policy::PsaFirmware;
use crate::policy::PsaPolicy;
use crate::psa::InitialAttestation;
use crate::psa::PsaAttester;
use crate::psa::PsaVerifier;

/// A device under a key of P-256 that is made now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ForgedPsa {
    /// The key of the device.
    pub iak: ForgedKey,
    /// The claims of the device, but for its nonce, for tests to alter.
    pub device: PsaDevice,
}

impl ForgedPsa {
    /// Of the profile of RFC 9783, secured, with two components.
    #[allow(clippy::new_without_default, reason = "no two are equal")]
    pub fn new() -> Self {
        let component = |kind: &str, byte: u8| Component {
            kind: Some(kind.to_owned()),
            measurement: vec![byte; 32],
            version: None,
            signer_id: vec![0x51; 32],
            hash_algorithm: None,
        };
        let device = PsaDevice {
            profile: Profile::Tfm,
            nonce: Vec::new(),
            instance_id: [1; 33],
            implementation_id: [0x1d; 32],
            client_id: -1,
            lifecycle: Lifecycle::Secured,
            boot_seed: Some(vec![0xb0; 32]),
            certification_reference: None,
            components: vec![component("BL", 0xb1), component("PRoT", 0x70)],
            verification_service: None,
        };
        Self {
            iak: ForgedKey::p256(),
            device,
        }
    }

    /// A token over this nonce.
    pub fn token(&self, nonce: &[u8]) -> Vec<u8> {
        let device = PsaDevice {
            nonce: nonce.to_vec(),
            ..self.device.clone()
        };
        self.iak.seal(device.to_sign(self.iak.ecdsa()))
    }

    /// Its IAK, as a file of keys has it.
    pub fn trusted(&self, name: &str) -> TrustedKey {
        let PsaDevice {
            implementation_id,
            instance_id,
            ..
        } = self.device;
        TrustedKey::new(name, implementation_id, instance_id, self.iak.public())
    }

    /// A policy that knows its firmware.
    pub fn policy(&self) -> PsaPolicy {
        let components = self.device.components.iter().map(known).collect();
        let id = self.device.implementation_id;
        PsaPolicy::new(vec![PsaFirmware::new("forged firmware", id, components)])
    }

    /// A verifier that trusts its key for one in software, by its own policy.
    pub fn verifier(&self, provider: &CryptoProvider) -> PsaVerifier {
        self.verifier_with(self.policy(), provider)
    }

    /// The same by another policy.
    pub fn verifier_with(&self, policy: PsaPolicy, provider: &CryptoProvider) -> PsaVerifier {
        let keys = Live::fixed(PsaKeys::new(vec![self.trusted("forged")])).unwrap();
        let policy = Live::fixed(policy).unwrap();
        PsaVerifier::dangerous_with_software_keys(Arc::new(keys), Arc::new(policy), provider)
    }

    /// The real attester over it.
    pub fn attester(&self) -> PsaAttester<Self> {
        PsaAttester::over(self.clone(), self.device.profile)
    }
}

impl InitialAttestation for ForgedPsa {
    fn token(&mut self, challenge: &[u8]) -> io::Result<Vec<u8>> {
        Ok(Self::token(self, challenge))
    }
}
