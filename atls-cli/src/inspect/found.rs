//! A recognised thing, and the way in which readers have its content recognised.

use super::tree::Node;
use crate::appraise::Evidence;

/// Something that was recognised.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) tree: Node,
    /// Evidence in it, for a verifier.
    pub(crate) evidence: Vec<Evidence>,
    /// The whole of it, where it is signed by a key that only `--key` can name.
    pub(crate) token: Option<Token>,
}

/// A thing that a key of the user's verifies.
#[derive(Clone, Debug)]
pub(crate) enum Token {
    Corim(Vec<u8>),
    Cwt(Vec<u8>),
    Jwt(String),
}

impl Found {
    pub(super) fn of(tree: Node) -> Self {
        Self::holding(tree, Vec::new())
    }

    pub(super) fn evidence(tree: Node, media_type: &str, bytes: &[u8]) -> Self {
        Self::holding(tree, vec![Evidence::alone(media_type, bytes)])
    }

    pub(super) fn holding(tree: Node, evidence: Vec<Evidence>) -> Self {
        Self {
            tree,
            evidence,
            token: None,
        }
    }

    pub(super) fn token(tree: Node, token: Token) -> Self {
        Self {
            token: Some(token),
            ..Self::of(tree)
        }
    }
}

/// Recognises what a wrapper holds, as long as not too many wrappers are within each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Within {
    left: u8,
    recognise: Recognise,
}

type Recognise = fn(&[u8], Within) -> Option<Found>;

impl Within {
    /// For something with so many wrappers around it at most.
    pub(super) fn new(wrappers: u8, recognise: Recognise) -> Self {
        Self {
            left: wrappers.saturating_add(1),
            recognise,
        }
    }

    /// `None` for what is nothing known, or is too deep.
    pub(super) fn recognise(self, bytes: &[u8]) -> Option<Found> {
        let left = self.left.checked_sub(1)?;
        (self.recognise)(bytes, Self { left, ..self })
    }
}
