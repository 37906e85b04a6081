//! The attester half: the value of a connection goes in, a token that a key of this process signs comes out.

use std::fmt;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::MediaTypeError;
use atls_core::cmw::Cmw;
use atls_formats::psa;
use atls_formats::psa::ClaimsToSign;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::Profile;
use atls_formats::psa::SIMULATED_IMPLEMENTATION_ID;
use atls_formats::psa::SoftwareComponent;
use atls_formats::psa::TokenToSign;
use ring::rand::SecureRandom;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;

use crate::error::SimError;
use crate::trust_anchor::TrustAnchor;

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
    /// Makes a new device: a fresh P-256 key, a secured lifecycle, running [`SimAttester::SOFTWARE`].
    ///
    /// # Errors
    /// [`SimError::Random`] where the system has no randomness.
    pub fn generate() -> Result<Self, SimError> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        let pkcs8 = pkcs8.map_err(|_| SimError::Random)?;
        Self::from_pkcs8(pkcs8.as_ref())
    }

    /// The device of a key that is kept, so that verifiers know it again: a P-256 key in PKCS #8, in DER. Secured, running
    /// [`SimAttester::SOFTWARE`].
    ///
    /// # Errors
    /// [`SimError::Key`] where that is no such key, [`SimError::Random`] where the system has no randomness.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, SimError> {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random);
        let key = key.map_err(|_| SimError::Key)?;
        let mut boot_seed = vec![0; 32];
        random.fill(&mut boot_seed).map_err(|_| SimError::Random)?;
        Ok(Self {
            anchor: TrustAnchor::of(key.public_key().as_ref()),
            key,
            profile: Profile::Tfm,
            media_types: [media_type(Profile::Tfm).map_err(|_| SimError::Random)?],
            boot_seed,
            lifecycle: Lifecycle::Secured,
            software: vec![SoftwareComponent::new("ARoT", Self::SOFTWARE)],
        })
    }

    /// The measurement of the software that a simulated device runs unless told otherwise, 32 bytes.
    pub const SOFTWARE: [u8; 32] = *b"atls simulated software, release";

    /// Runs other software, such as an attacker's build or your next release.
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

    /// Makes tokens of another profile, under its media type, for other verifiers than [`SimVerifier`](crate::SimVerifier).
    #[must_use]
    pub fn with_profile(mut self, profile: Profile) -> Self {
        // Each profile has a media type that parses.
        if let Ok(media_type) = media_type(profile) {
            self.media_types = [media_type];
            self.profile = profile;
        }
        self
    }

    /// The key by which a verifier knows this device.
    pub fn trust_anchor(&self) -> TrustAnchor {
        self.anchor.clone()
    }

    fn evidence(&self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let token = self.token(psa::eat_nonce(request.bound()).bytes())?;
        let [media_type] = &self.media_types;
        Ok(Cmw::evidence(media_type.clone(), token))
    }

    fn token(&self, nonce: &[u8]) -> Result<Vec<u8>, AttestError> {
        let failed = |what: &str| AttestError::Device(what.to_owned());
        let token = TokenToSign::over(&ClaimsToSign {
            profile: self.profile,
            nonce,
            instance_id: self.anchor.instance_id(),
            implementation_id: &SIMULATED_IMPLEMENTATION_ID,
            client_id: 1,
            lifecycle: self.lifecycle,
            boot_seed: &self.boot_seed,
            software: &self.software,
        });
        let token = token.ok_or_else(|| failed("claims do not encode"))?;
        let signature = self.key.sign(&SystemRandom::new(), &token.bytes());
        let signature = signature.map_err(|_| failed("signing failed"))?;
        let token = token.with_signature(signature.as_ref());
        token.ok_or_else(|| failed("token does not encode"))
    }
}

impl Attester for SimAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    /// It has no claim for it.
    fn names_leaf_key(&self) -> bool {
        false
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move { self.evidence(request) })
    }
}

/// For programs that ask a device on a thread of its own.
impl LocalAttester for SimAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    /// It has no claim for it.
    fn names_leaf_key(&self) -> bool {
        false
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

pub(crate) fn media_type(profile: Profile) -> Result<MediaType, MediaTypeError> {
    MediaType::parse(profile.media_type())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_kept_is_the_same_device_again() {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random);
        let pkcs8 = pkcs8.unwrap();
        let again = || {
            SimAttester::from_pkcs8(pkcs8.as_ref())
                .unwrap()
                .trust_anchor()
        };
        assert_eq!(again(), again());
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let refused = SimAttester::from_pkcs8(&[0x30, 0]).map(drop);
        assert_eq!(refused, Err(SimError::Key));
    }
}
