//! Verifiers made of verifiers.

mod all_agree;
mod answers;
mod cached;
mod failover;
mod flight;

use std::collections::BTreeSet;
use std::sync::Arc;

pub use all_agree::AllAgree;
pub use answers::IncompleteResults;
pub use cached::Cached;
pub use failover::Failover;

use crate::error::ConfigError;
use crate::media_type::MediaType;
use crate::verifier::Conveys;
use crate::verifier::Verifier;

/// Several verifiers that each take everything that the others take.
struct Alike {
    verifiers: Vec<Arc<dyn Verifier>>,
    media_types: Vec<MediaType>,
    conveys: Conveys,
}

impl Alike {
    fn new(verifiers: Vec<Arc<dyn Verifier>>) -> Result<Self, ConfigError> {
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
    fn generation(&self) -> u64 {
        self.verifiers.iter().fold(0, |sum: u64, verifier| {
            sum.wrapping_add(verifier.generation())
        })
    }
}

fn set(media_types: &[MediaType]) -> BTreeSet<&MediaType> {
    media_types.iter().collect()
}
