//! Why a CoRIM cannot be used.

use std::fmt;

use corim::DecodeError;

use super::place;
use super::place::Place;

/// A CoRIM cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CorimError {
    /// The signature has an algorithm that is not allowed here, or an unknown critical header. Sign it with an allowed
    /// algorithm.
    #[error(
        "CoRIM is signed by an algorithm that is not allowed, or has an unknown critical header"
    )]
    Algorithm,
    /// The signature does not verify under the pinned key. Ask the maker for the document.
    #[error("signature of the CoRIM does not verify under the pinned key")]
    BadSignature,
    /// The validity of document or signature has ended. Get a newer document.
    #[error("CoRIM, or its signature, has expired; get a newer one")]
    Expired,
    /// The bytes are no CBOR, no CoRIM, or contradict themselves. Ask the maker.
    #[error("CoRIM is malformed{}: {problem}", place::of(.place.as_ref()))]
    Malformed {
        /// The place, where it is known.
        place: Option<Place>,
        /// The problem, with control characters escaped.
        problem: String,
    },
    /// It holds no reference triple: a policy made of it would accept nobody. Ask the maker.
    #[error("CoRIM holds no reference values; a policy of it would accept nobody")]
    NoReferences,
    /// The validity of document or signature has not begun. Compare the clocks.
    #[error("CoRIM, or its signature, is not valid yet; compare the clocks")]
    NotYetValid,
    /// It is signed. Pin the key of its signer and read it by [`signed`](super::signed).
    #[error("CoRIM is signed; pin its signer's key and read it with `corim::signed`")]
    Signed,
    /// It exceeds [`MAX_CORIM`](super::MAX_CORIM) or the limits of nesting and number.
    #[error("CoRIM is larger than 1 MiB, or has more parts or deeper nesting than is read")]
    TooLarge,
    /// No pinned key fits its algorithm and key identifier. Pin the key of its signer.
    #[error("CoRIM is signed by a key that is not pinned")]
    UnknownKey,
    /// It has no signature. Read it by [`unsigned`](super::unsigned) where you trust its way here.
    #[error("CoRIM is not signed; `corim::unsigned` reads it where its way here is trusted")]
    Unsigned,
    /// A part that narrows the accepted values and is not supported. Without it, the values would accept more.
    #[error("CoRIM narrows by what is not supported, {place}: {what}")]
    Unsupported {
        /// The place.
        place: Place,
        /// The part.
        what: String,
    },
}

/// As [`malformed`], except for exceeded limits.
pub(super) fn undecodable(place: Option<Place>, error: &DecodeError) -> CorimError {
    match error {
        DecodeError::LimitExceeded { .. } => CorimError::TooLarge,
        other => malformed(place, other),
    }
}

/// The words of the reader may quote the document, so they are escaped.
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
