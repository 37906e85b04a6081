//! The result that came.

use std::fmt;

use atls_core::Binding;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::Tier;
use serde_json::Value;

use super::statement::BINDING;
use super::statement::DEVICE;
use super::statement::IMAGE;
use super::statement::ORIGIN;

/// The attestation of a request's client, as the service in front states it. Only a [`ResultReceiver`](super::ResultReceiver) makes
/// one, so its signature, issuer, audience and time were checked.
#[derive(Clone)]
pub struct ForwardedResult {
    ear: Ear,
    binding: Binding,
    verifier_tokens: Vec<Vec<u8>>,
}

impl ForwardedResult {
    /// # Errors
    /// [`EarError::Malformed`] where a part does not say what it is bound to.
    pub(super) fn new(ear: Ear, verifier_tokens: Vec<Vec<u8>>) -> Result<Self, EarError> {
        let bindings: Option<Vec<_>> = ear
            .submods()
            .map(|(_, part)| part.extension(BINDING).and_then(binding))
            .collect();
        let weakest = bindings.and_then(|all| all.into_iter().min());
        Ok(Self {
            binding: weakest.ok_or(EarError::Malformed)?,
            ear,
            verifier_tokens,
        })
    }

    /// The worst status of all parts.
    pub fn status(&self) -> Tier {
        self.ear.status()
    }

    /// The result, with a part for each part of each device.
    pub fn ear(&self) -> &Ear {
        &self.ear
    }

    /// The binding of the client's attestation to its connection with the service in front.
    pub fn binding(&self) -> Binding {
        self.binding
    }

    /// The names that the policy of the service in front gives to the software, for logs.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        let parts = self.ear.submods();
        parts.filter_map(|(_, part)| part.extension(IMAGE)?.as_str())
    }

    /// Tells whether every part is of a device.
    pub fn is_of_devices(&self) -> bool {
        let device = Some(&Value::from(DEVICE));
        let mut parts = self.ear.submods();
        parts.all(|(_, part)| part.extension(ORIGIN) == device)
    }

    /// The signed results of the verifiers that the service in front asked, a JWT or a CWT each. **They are not verified here**; the
    /// statement has their digest. Read them by [`atls_core::ear::jwt::decode`] under the keys of the verifier.
    pub fn verifier_tokens(&self) -> impl Iterator<Item = &[u8]> {
        self.verifier_tokens.iter().map(Vec::as_slice)
    }
}

fn binding(word: &Value) -> Option<Binding> {
    let mut all = [Binding::Key, Binding::Handshake, Binding::Connection].into_iter();
    let word = word.as_str()?;
    all.find(|binding| binding.to_string() == word)
}

/// Prints result and binding. The tokens of verifiers identify devices.
impl fmt::Debug for ForwardedResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardedResult")
            .field("ear", &self.ear)
            .field("binding", &self.binding)
            .finish_non_exhaustive()
    }
}
