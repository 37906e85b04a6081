//! Verifiers of which any can stand for any other.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::error::ConfigError;
use crate::media_type::MediaType;
use crate::verifier::Conveys;
use crate::verifier::Verifier;

/// Several verifiers that each take everything that the others take.
pub(super) struct InterchangeableVerifiers {
    pub(super) verifiers: Vec<Arc<dyn Verifier>>,
    pub(super) media_types: Vec<MediaType>,
    pub(super) conveys: Conveys,
}

impl InterchangeableVerifiers {
    pub(super) fn new(verifiers: Vec<Arc<dyn Verifier>>) -> Result<Self, ConfigError> {
        let first = verifiers.first().ok_or(ConfigError::NoVerifier)?;
        let (media_types, conveys) = (first.media_types().to_vec(), first.conveys());
        if media_types.is_empty() {
            return Err(ConfigError::IdleVerifier);
        }
        let alike = |verifier: &Arc<dyn Verifier>| {
            verifier.conveys() == conveys && set(verifier.media_types()) == set(&media_types)
        };
        if !verifiers.iter().all(alike) {
            return Err(ConfigError::UnlikeVerifiers);
        }
        Ok(Self {
            verifiers,
            media_types,
            conveys,
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
