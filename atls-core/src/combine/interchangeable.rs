//! Verifiers that can stand for each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::ConfigError;
use crate::media_type::MediaType;
use crate::verifier::ConceptualMessage;
use crate::verifier::Verifier;

/// Several verifiers of the same media types and the same kind of message.
pub(super) struct InterchangeableVerifiers {
    pub(super) verifiers: Vec<Arc<dyn Verifier>>,
    pub(super) media_types: Vec<MediaType>,
    pub(super) conceptual_message: ConceptualMessage,
}

impl InterchangeableVerifiers {
    pub(super) fn new(verifiers: Vec<Arc<dyn Verifier>>) -> Result<Self, ConfigError> {
        let first = verifiers.first().ok_or(ConfigError::NoVerifier)?;
        let (media_types, conceptual_message) =
            (first.media_types().to_vec(), first.conceptual_message());
        if media_types.is_empty() {
            return Err(ConfigError::IdleVerifier);
        }
        let alike = |verifier: &Arc<dyn Verifier>| {
            verifier.conceptual_message() == conceptual_message
                && set(verifier.media_types()) == set(&media_types)
        };
        if !verifiers.iter().all(alike) {
            return Err(ConfigError::UnlikeVerifiers);
        }
        Ok(Self {
            verifiers,
            media_types,
            conceptual_message,
        })
    }

    /// Each only rises, so the sum rises whenever one of them does.
    pub(super) fn generation(&self) -> u64 {
        self.verifiers.iter().fold(0, |sum: u64, verifier| {
            sum.wrapping_add(verifier.generation())
        })
    }
}

fn set(media_types: &[MediaType]) -> BTreeSet<&MediaType> {
    media_types.iter().collect()
}
