//! The meaning of nested verifiers, computed without them.

use super::Acceptance;
use super::Tree;

/// The meaning of a nesting, the same for any order in which its leaves answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Final.
    Answered(Found),
    /// Another may be asked; with what was found.
    Unavailable(Found),
}

/// The worst acceptance, and the key that was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) acceptance: Acceptance,
    key: Option<u8>,
}

impl Found {
    const NOTHING: Self = Self {
        acceptance: Acceptance::Accepted,
        key: None,
    };

    fn and(self, other: Self) -> Self {
        let conflict = matches!((self.key, other.key), (Some(one), Some(two)) if one != two);
        let worst = self.acceptance.max(other.acceptance);
        Self {
            acceptance: if conflict { Acceptance::Refused } else { worst },
            key: self.key.or(other.key),
        }
    }
}

impl Tree {
    pub(super) fn meaning(&self) -> Meaning {
        match self {
            Self::Leaf(answer, _) if answer.is_unavailable() => {
                Meaning::Unavailable(Found::NOTHING)
            }
            Self::Leaf(answer, _) => Meaning::Answered(Found {
                acceptance: answer.acceptance(),
                key: answer.stated().and_then(|stated| stated.key),
            }),
            Self::Cached(tree) => tree.meaning(),
            Self::AllAgree(trees) => {
                let (mut found, mut refused, mut unavailable) = (Found::NOTHING, false, false);
                for tree in trees {
                    let (Meaning::Answered(one) | Meaning::Unavailable(one)) = tree.meaning();
                    match tree.meaning() {
                        Meaning::Answered(one) => refused |= one.acceptance == Acceptance::Refused,
                        Meaning::Unavailable(_) => unavailable = true,
                    }
                    found = found.and(one);
                }
                match unavailable && !refused {
                    true => Meaning::Unavailable(found),
                    false => Meaning::Answered(found),
                }
            }
            Self::Failover(trees) => {
                let mut found = Found::NOTHING;
                for tree in trees {
                    match tree.meaning() {
                        Meaning::Answered(answer) => return Meaning::Answered(found.and(answer)),
                        Meaning::Unavailable(partly) => found = found.and(partly),
                    }
                }
                Meaning::Unavailable(found)
            }
        }
    }
}
