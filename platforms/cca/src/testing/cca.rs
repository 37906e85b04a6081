//! A forged platform with one realm.

use std::sync::Arc;

use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaProfile;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::CcaToken;
use atls_formats::psa::Component;
use atls_formats::psa::KeyHash;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::RealmKey;
use atls_reference::Live;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use rustls::crypto::CryptoProvider;

use super::key::ForgedKey;
use crate::attester::CcaAttester;
use crate::cca::CcaVerifier;
use crate::keys::CcaKeys;
use crate::keys::TrustedKey;
use crate::policy::CcaPlatformFirmware;
use crate::policy::CcaPolicy;
use crate::policy::CcaRealmImage;
use crate::policy::KnownComponent;
use crate::policy::Measurement;

/// A platform and a realm under keys of P-384 that are made now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ForgedCca {
    /// The key of the platform.
    pub cpak: ForgedKey,
    /// The key of the realm.
    pub rak: ForgedKey,
    /// The claims of the platform, but for its challenge, for tests to alter.
    pub platform: CcaPlatform,
    /// The claims of the realm, but for its challenge, for tests to alter.
    pub realm: CcaRealm,
}

impl ForgedCca {
    /// Of the profile of the draft, secured, with two components.
    #[allow(clippy::new_without_default, reason = "no two are equal")]
    pub fn new() -> Self {
        Self::of(CcaProfile::Tag2023)
    }

    /// Both tokens of this profile: before the draft, the realm's key is a bare point.
    pub fn of(profile: CcaProfile) -> Self {
        let (cpak, rak) = (ForgedKey::p384(), ForgedKey::p384());
        let key = match profile {
            CcaProfile::First => rak.key().point().to_vec(),
            _ => rak.key().to_cose_key().unwrap(),
        };
        let component = |kind: &str, byte: u8| Component {
            kind: Some(kind.to_owned()),
            measurement: vec![byte; 32],
            version: Some("1.0.0".to_owned()),
            signer_id: vec![0x51; 32],
            hash_algorithm: Some("sha-256".to_owned()),
        };
        let platform = CcaPlatform {
            profile,
            challenge: Vec::new(),
            implementation_id: [0x1d; 32],
            instance_id: [1; 33],
            configuration: vec![0xcf; 4],
            lifecycle: Lifecycle::Secured,
            components: vec![component("BL2", 0xb2), component("RMM", 0x33)],
            hash_algorithm: "sha-256".to_owned(),
            verification_service: None,
        };
        let realm = CcaRealm {
            profile,
            challenge: [0; 64],
            personalization_value: [0x77; 64],
            initial_measurement: vec![0x1a; 64],
            extensible_measurements: [0, 1, 2, 3].map(|number| vec![number; 64]),
            hash_algorithm: "sha-512".to_owned(),
            key: RealmKey::decode(&key).unwrap(),
            key_hash: KeyHash::Sha256,
        };
        Self {
            cpak,
            rak,
            platform,
            realm,
        }
    }

    /// A token over this challenge.
    pub fn token(&self, challenge: &[u8; 64]) -> Vec<u8> {
        CcaToken::encode(&self.platform_token(), &self.realm_token(challenge)).unwrap()
    }

    /// The token of the platform, which vouches for the realm's key.
    pub fn platform_token(&self) -> Vec<u8> {
        let platform = CcaPlatform {
            challenge: self.realm.key_digest(),
            ..self.platform.clone()
        };
        self.cpak.seal(platform.to_sign(self.cpak.ecdsa()))
    }

    /// The token of the realm.
    pub fn realm_token(&self, challenge: &[u8; 64]) -> Vec<u8> {
        let realm = CcaRealm {
            challenge: *challenge,
            ..self.realm.clone()
        };
        self.rak.seal(realm.to_sign(self.rak.ecdsa()))
    }

    /// Its CPAK, as a file of keys has it.
    pub fn trusted(&self, name: &str) -> TrustedKey {
        let CcaPlatform {
            implementation_id,
            instance_id,
            ..
        } = self.platform;
        TrustedKey::new(name, implementation_id, instance_id, self.cpak.public())
    }

    /// A policy that knows its firmware, in its configuration, and its realm with all measurements.
    pub fn policy(&self) -> CcaPolicy {
        let components = self.platform.components.iter().map(known).collect();
        let (id, name) = (self.platform.implementation_id, "forged firmware");
        let mut firmware = CcaPlatformFirmware::new(name, id, components);
        firmware.configuration = Some(self.platform.configuration.clone());
        let measured = |bytes: &[u8]| Measurement::new(bytes).unwrap();
        let mut image =
            CcaRealmImage::new("forged realm", measured(&self.realm.initial_measurement));
        image.personalization_value = Some(self.realm.personalization_value.into());
        let [rem0, rem1, rem2, rem3] = &self.realm.extensible_measurements;
        image.rem0 = Some(measured(rem0));
        image.rem1 = Some(measured(rem1));
        image.rem2 = Some(measured(rem2));
        image.rem3 = Some(measured(rem3));
        CcaPolicy::new(vec![firmware], vec![image])
    }

    /// A verifier that trusts its key for one in software, by its own policy.
    pub fn verifier(&self, provider: &CryptoProvider) -> CcaVerifier {
        self.verifier_with(self.policy(), provider)
    }

    /// The same by another policy.
    pub fn verifier_with(&self, policy: CcaPolicy, provider: &CryptoProvider) -> CcaVerifier {
        let keys = Live::fixed(CcaKeys::new(vec![self.trusted("forged")])).unwrap();
        let policy = Live::fixed(policy).unwrap();
        CcaVerifier::dangerous_with_software_keys(Arc::new(keys), Arc::new(policy), provider)
    }

    /// A configfs-tsm over it.
    pub fn configfs(&self) -> FakeConfigFs {
        let forged = self.clone();
        FakeConfigFs::new(Provider::ArmCcaGuest, move |inblob| Forged {
            outblob: forged.token(&padded(inblob)),
            auxblob: Vec::new(),
        })
    }

    /// The real attester over that.
    pub fn attester(&self) -> CcaAttester {
        CcaAttester::over(Tsm::over(self.configfs()))
            .unwrap()
            .unwrap()
    }
}

/// The realm management monitor fills a shorter challenge up with zeros.
fn padded(inblob: &[u8]) -> [u8; 64] {
    let mut challenge = [0; 64];
    for (byte, given) in challenge.iter_mut().zip(inblob) {
        *byte = *given;
    }
    challenge
}

/// The reference value of a component, with all that it says.
pub(super) fn known(component: &Component) -> KnownComponent {
    let mut known = KnownComponent::new(Measurement::new(&component.measurement).unwrap());
    known.kind.clone_from(&component.kind);
    known.version.clone_from(&component.version);
    known.signer_id = Measurement::new(&component.signer_id);
    known
}
