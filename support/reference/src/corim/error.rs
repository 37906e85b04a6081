//! Why a CoRIM cannot be used.

use std::fmt;

use corim::DecodeError;

use super::place;
use super::place::Place;

/// A CoRIM cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CorimError {
    /// Signed by an algorithm that is not allowed here, or with a critical header that nobody knows.
    #[error(
        "CoRIM is signed by an algorithm that is not allowed, or has an unknown critical header"
    )]
    Algorithm,
    /// The signature does not verify under the pinned key.
    #[error("signature of the CoRIM does not verify under the pinned key")]
    BadSignature,
    /// Its validity, or that of its signature, has ended.
    #[error("CoRIM, or its signature, has expired; get a newer one")]
    Expired,
    /// Not CBOR, not a CoRIM, or not consistent.
    #[error("CoRIM is malformed{}: {problem}", place::of(.place.as_ref()))]
    Malformed {
        /// Where, if that is known.
        place: Option<Place>,
        /// What is wrong, control characters escaped.
        problem: String,
    },
    /// It holds no reference triple: a policy made of it would accept nobody.
    #[error("CoRIM holds no reference values; a policy of it would accept nobody")]
    NoReferences,
    /// Its validity, or that of its signature, has not begun.
    #[error("CoRIM, or its signature, is not valid yet; compare the clocks")]
    NotYetValid,
    /// It is signed. Pin its signer's key and read it by [`signed`](super::signed).
    #[error("CoRIM is signed; pin its signer's key and read it with `corim::signed`")]
    Signed,
    /// Larger, deeper or of more parts than [`MAX_CORIM`](super::MAX_CORIM) and its like.
    #[error("CoRIM is larger than 1 MiB, or has more parts or deeper nesting than is read")]
    TooLarge,
    /// No pinned key fits its algorithm and key identifier.
    #[error("CoRIM is signed by a key that is not pinned")]
    UnknownKey,
    /// It is not signed, and was to be.
    #[error("CoRIM is not signed; `corim::unsigned` reads it where its way here is trusted")]
    Unsigned,
    /// Something that narrows what it accepts and is not understood here. To leave it out would accept more.
    #[error("CoRIM narrows by what is not supported, {place}: {what}")]
    Unsupported {
        /// Where.
        place: Place,
        /// What.
        what: String,
    },
}

/// As [`malformed`], but for limits.
pub(super) fn undecodable(place: Option<Place>, error: &DecodeError) -> CorimError {
    match error {
        DecodeError::LimitExceeded { .. } => CorimError::TooLarge,
        other => malformed(place, other),
    }
}

/// The reader's words may quote the document.
pub(super) fn malformed(place: Option<Place>, problem: &impl fmt::Display) -> CorimError {
    CorimError::Malformed {
        place,
        problem: problem.to_string().escape_debug().to_string(),
    }
}

pub(super) fn unsupported(place: Place, what: impl Into<String>) -> CorimError {
    CorimError::Unsupported {
        place,
        what: what.into(),
    }
}
