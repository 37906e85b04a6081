//! The attester half for devices: a request goes in, a token of the device's root of trust comes out.

use std::fmt;
use std::io;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_formats::psa;
use atls_formats::psa::Profile;
use atls_formats::psa::PsaDevice;
use atls_formats::psa::SignedToken;

/// The attestation service of a device: `psa_initial_attest_get_token` of the PSA Certified Attestation API 1.0, whichever way a program
/// reaches it.
pub trait InitialAttestation: Send {
    /// A token over a challenge of 32 or 48 bytes.
    ///
    /// # Errors
    /// Those of the service.
    fn token(&mut self, challenge: &[u8]) -> io::Result<Vec<u8>>;
}

/// Makes PSA tokens on a device. It blocks while the service works: `atls_tower::Blocking` gives it a thread.
pub struct PsaAttester<D> {
    device: D,
    profile: Profile,
    media_types: Vec<MediaType>,
}

impl<D: InitialAttestation> PsaAttester<D> {
    /// Tokens of this service, which makes them of this profile.
    pub fn over(device: D, profile: Profile) -> Self {
        Self {
            device,
            profile,
            media_types: MediaType::parse(profile.media_type()).into_iter().collect(),
        }
    }
}

impl<D: InitialAttestation> LocalAttester for PsaAttester<D> {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    /// It has no claim for it.
    fn names_leaf_key(&self) -> bool {
        false
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let failed = |what: &str| AttestError::Device(what.to_owned());
        let challenge = psa::eat_nonce(request.bound());
        let token = self.device.token(challenge.bytes());
        let token = token.map_err(|_| failed("attestation service of the device failed"))?;
        let made = SignedToken::decode(&token).and_then(|token| PsaDevice::of(token.claims()));
        match made {
            Ok(made) if made.nonce == *challenge.bytes() && made.profile == self.profile => {}
            _ => {
                return Err(failed(
                    "device gave no token of its profile, or one about something else",
                ));
            }
        }
        let media_type = self.media_types.first().cloned();
        let media_type = media_type.ok_or_else(|| failed("no media type"))?;
        Ok(Cmw::evidence(media_type, token))
    }
}

impl<D> fmt::Debug for PsaAttester<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PsaAttester")
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}
