//! The attester half: signs tokens with a key of this process.

use std::fmt;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use ring::digest;
use ring::rand::SecureRandom;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;

use crate::token;
use crate::token::Lifecycle;
use crate::token::Profile;
use crate::token::SimClaims;
use crate::token::SoftwareComponent;
use crate::verifier::TrustAnchor;

/// Makes PSA attestation tokens in software. **Anybody can run this**; see the crate's front page.
///
/// ```
/// use atls_core::Attester;
/// use atls_sim::SimAttester;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let device = SimAttester::generate()?;
/// // Verifiers need its key. It may go to another process, as bytes.
/// let key = device.trust_anchor().public_key().to_vec();
/// assert_eq!(key.len(), 65);
/// assert_eq!(device.media_types().len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct SimAttester {
    key: EcdsaKeyPair,
    anchor: TrustAnchor,
    profile: Profile,
    media_types: [MediaType; 1],
    boot_seed: Vec<u8>,
    lifecycle: Lifecycle,
    software: Vec<SoftwareComponent>,
}

impl SimAttester {
    /// A new device, as it were: a fresh P-256 key, secured, running [`SimAttester::SOFTWARE`].
    ///
    /// # Errors
    /// [`SimError::Random`] where the system has no randomness.
    pub fn generate() -> Result<Self, SimError> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        let pkcs8 = pkcs8.map_err(|_| SimError::Random)?;
        let key =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random);
        let key = key.map_err(|_| SimError::Random)?;
        let mut boot_seed = vec![0; 32];
        random.fill(&mut boot_seed).map_err(|_| SimError::Random)?;
        Ok(Self {
            anchor: TrustAnchor::of(key.public_key().as_ref()),
            key,
            profile: Profile::Tfm,
            media_types: [Profile::Tfm.media_type().map_err(|_| SimError::Random)?],
            boot_seed,
            lifecycle: Lifecycle::Secured,
            software: vec![SoftwareComponent::new("ARoT", Self::SOFTWARE)],
        })
    }

    /// The measurement of the software that a simulated device runs unless told otherwise, 32 bytes.
    pub const SOFTWARE: [u8; 32] = *b"atls simulated software, release";

    /// Runs other software: what an attacker's build, or your next release, would measure as.
    #[must_use]
    pub fn with_software(mut self, software: Vec<SoftwareComponent>) -> Self {
        self.software = software;
        self
    }

    /// Claims another lifecycle.
    #[must_use]
    pub fn with_lifecycle(mut self, lifecycle: Lifecycle) -> Self {
        self.lifecycle = lifecycle;
        self
    }

    /// Makes tokens of another profile, under its media type: for other verifiers than ours.
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        // Each is a media type.
        if let Ok(media_type) = profile.media_type() {
            self.media_types = [media_type];
            self.profile = profile;
        }
        self
    }

    /// What a verifier needs to know this device.
    pub fn trust_anchor(&self) -> TrustAnchor {
        self.anchor.clone()
    }

    fn evidence(&self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let token = self.token(crate::challenge(request.bound()).bytes())?;
        let [media_type] = &self.media_types;
        Ok(Cmw::evidence(media_type.clone(), token))
    }

    fn token(&self, nonce: &[u8]) -> Result<Vec<u8>, AttestError> {
        let claims = SimClaims {
            nonce: nonce.to_vec(),
            instance_id: self.anchor.instance_id().to_vec(),
            client_id: 1,
            lifecycle: self.lifecycle,
            boot_seed: self.boot_seed.clone(),
            software: self.software.clone(),
        };
        let failed = |what: &str| AttestError::Device(what.to_owned());
        let payload = claims
            .encode(self.profile)
            .map_err(|_| failed("claims do not encode"))?;
        let random = SystemRandom::new();
        let signer = |message: &[u8]| self.key.sign(&random, message).map(|s| s.as_ref().to_vec());
        token::sign(payload, signer)
            .map_err(|_| failed("signing failed"))?
            .map_err(|_| failed("token does not encode"))
    }
}

impl Attester for SimAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move { self.evidence(request) })
    }
}

/// For what asks a device on its own thread.
impl LocalAttester for SimAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        self.evidence(request)
    }
}

impl fmt::Debug for SimAttester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimAttester")
            .field("anchor", &self.anchor)
            .finish_non_exhaustive()
    }
}

/// A simulated device, or its trust anchor, cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The bytes are no uncompressed P-256 point.
    #[error("not a public key of a simulated device")]
    Key,
    /// The system has no randomness for a key.
    #[error("system has no randomness for a key")]
    Random,
}

/// 0x01 and SHA-256 of the uncompressed point, 33 bytes (RFC 9783 §4.2.1).
pub(crate) fn instance_id(point: &[u8]) -> Vec<u8> {
    let hash = digest::digest(&digest::SHA256, point);
    [&[1], hash.as_ref()].concat()
}
