//! A policy about the items of a peer's message: which must be there, and which may.

use std::cmp::Reverse;

use super::Policy;
use super::bad_composition::BadComposition;
use super::candidate::Candidate;
use super::expected_item::ExpectedItem;
use super::violation::PolicyViolation;

/// A policy that says of which items a peer's attestation consists, by platform (media type) and label. Each required item must be there
/// once; any other is refused, unless it is allowed.
///
/// Each item was appraised and carries the connection's value, or is [chained](crate::combine::chain) to one that does, before a policy sees it.
/// **Items that carry the value each by itself need not be of one machine**: whoever attests may have asked two. Where that matters,
/// require the chain by [`ExpectedItem::chained_to`].
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::{policy::Composition, policy::ExpectedItem, MediaType, RelyingParty};
/// # use atls_sim::{SimAttester, SimVerifier};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let verifier = SimVerifier::new(SimAttester::generate()?.trust_anchor());
/// let enclave: MediaType = "application/eat+cwt".parse()?;
/// let two_enclaves = Composition::of([
///     ExpectedItem::new(enclave.clone()).labelled("keys"),
///     ExpectedItem::new(enclave).labelled("payments"),
/// ]);
/// let builder = RelyingParty::builder().verifier(Arc::new(verifier));
/// let relying_party = builder.policy(two_enclaves).build()?;
/// # let _ = relying_party;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composition {
    required: Vec<ExpectedItem>,
    allowed: Vec<ExpectedItem>,
}

impl Composition {
    /// Requires each of these once, in any order, and refuses any other item. An item of the peer that fits several counts for the one that
    /// demands most: a label, then a chain.
    pub fn of(required: impl IntoIterator<Item = ExpectedItem>) -> Self {
        let mut required: Vec<_> = required.into_iter().collect();
        // No two items have one label, and no item is chained to two: the first that fits is never needed by a later one.
        required.sort_by_key(|expected| Reverse(expected.demands()));
        Self {
            required,
            allowed: Vec::new(),
        }
    }

    /// Allows items of this kind too, any number of them.
    #[must_use]
    pub fn allow(mut self, extra: ExpectedItem) -> Self {
        self.allowed.push(extra);
        self
    }
}

impl Policy for Composition {
    fn check(&self, candidate: &Candidate) -> Result<(), PolicyViolation> {
        let mut missing: Vec<_> = self.required.iter().collect();
        for item in candidate.items() {
            match missing.iter().position(|expected| expected.fits(item)) {
                Some(found) => drop(missing.remove(found)),
                None if self.allowed.iter().any(|extra| extra.fits(item)) => {}
                None => {
                    let bad = BadComposition::of(ExpectedItem::seen(item), candidate);
                    return Err(PolicyViolation::ExtraItem(bad));
                }
            }
        }
        match missing.first() {
            None => Ok(()),
            Some(expected) => {
                let bad = BadComposition::of((*expected).clone(), candidate);
                Err(PolicyViolation::MissingItem(bad))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::appraised_item::AppraisedItem;
    use super::super::sample::candidate;
    use super::super::sample::item;
    use super::super::sample::media;
    use super::*;
    use crate::finding::Place;

    #[test]
    fn each_required_item_must_be_there_once() {
        let policy = Composition::of([expected("cpu"), expected("tpm").labelled("tpm")]);
        assert_eq!(check(&policy, &[("cpu", "a"), ("tpm", "tpm")]), Ok(()));
        assert_eq!(check(&policy, &[("tpm", "tpm"), ("cpu", "x/y")]), Ok(()));
        let refused = check(&policy, &[("cpu", "a")]);
        assert_eq!(refused, missing(expected("tpm").labelled("tpm")));
        assert_eq!(check(&policy, &[("tpm", "tpm")]), missing(expected("cpu")));
        let twice = check(&policy, &[("cpu", "a"), ("cpu", "b"), ("tpm", "tpm")]);
        assert_eq!(twice, extra("cpu", "b"));
        let mislabelled = check(&policy, &[("cpu", "a"), ("tpm", "TPM")]);
        assert_eq!(mislabelled, extra("tpm", "TPM"));
    }

    #[test]
    fn an_item_that_fits_several_counts_for_the_one_that_demands_most() {
        let chained = || expected("cpu").chained_to("tpm");
        let labelled = || expected("cpu").labelled("b");
        for required in [
            [expected("cpu"), chained(), labelled()],
            [labelled(), chained(), expected("cpu")],
        ] {
            let policy = Composition::of(required);
            for order in [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]] {
                let mut items = items(&order.map(|label| ("cpu", label)));
                for item in items.iter_mut().filter(|item| item.label() != "c") {
                    item.chained_to = Some("tpm".into());
                }
                assert_eq!(policy.check(&candidate(items)), Ok(()), "{order:?}");
            }
        }
    }

    #[test]
    fn an_item_too_many_is_refused_unless_allowed() {
        let strict = Composition::of([expected("cpu")]);
        let seen = [("cpu", "a"), ("gpu", "b"), ("gpu", "c")];
        assert_eq!(check(&strict, &seen), extra("gpu", "b"));
        assert_eq!(check(&strict.clone().allow(expected("gpu")), &seen), Ok(()));
        let labelled = strict.allow(expected("gpu").labelled("b"));
        assert_eq!(check(&labelled, &seen), extra("gpu", "c"));
    }

    #[test]
    fn a_chain_can_be_required() {
        let policy = Composition::of([expected("cpu").chained_to("tpm"), expected("tpm")]);
        let refused = check(&policy, &[("cpu", "cpu"), ("tpm", "tpm")]);
        assert_eq!(refused, extra("cpu", "cpu"));
        for (chained_to, accepted) in [("tpm", true), ("other", false)] {
            let mut items = items(&[("cpu", "cpu"), ("tpm", "tpm")]);
            items[0].chained_to = Some(chained_to.into());
            let checked = policy.check(&candidate(items));
            assert_eq!(checked.is_ok(), accepted, "{chained_to}");
        }
    }

    /// An item too many is told beside those that a policy wants, a missing one beside those that came.
    #[test]
    fn a_refusal_tells_what_was_expected_what_was_seen_and_where_the_rule_is() {
        let policy = Composition::of([expected("cpu"), expected("tpm").labelled("tpm")]);
        let place = || Place::at_line("policy.toml", 4);
        let text = |seen: &[(&str, &str)]| {
            let refused = policy.check(&candidate(items(seen))).unwrap_err();
            refused.with_place(place()).to_string()
        };
        assert_eq!(
            text(&[("cpu", "")]),
            "attestation lacks an item of application/tpm labelled \"tpm\"; let the peer send it, under that label; \
             it has application/cpu (policy.toml, line 4)"
        );
        assert_eq!(
            text(&[("cpu", "a"), ("gpu", "b")]),
            "attestation has an item too many, of application/gpu labelled \"b\"; allow it by Composition::allow, or let \
             the peer leave it out; it has application/cpu labelled \"a\", application/gpu labelled \"b\" (policy.toml, line 4)"
        );
    }

    #[test]
    fn labels_of_a_peer_neither_begin_a_line_nor_fill_a_log() {
        let hostile = "\n\u{1b}[2J\u{202e}".repeat(1000);
        let policy = Composition::of([expected("cpu")]);
        let seen = vec![item("gpu", &hostile); 8];
        let refused = policy.check(&candidate(seen)).unwrap_err().to_string();
        assert!(refused.len() < 4096, "{}", refused.len());
        let plain = |c: char| c == '…' || c == ' ' || c.is_ascii_graphic();
        assert!(refused.chars().all(plain), "{refused}");
    }

    /// Whether an item is missing or too many, and which.
    type Wrong = (&'static str, ExpectedItem);

    fn check(policy: &Composition, seen: &[(&str, &str)]) -> Result<(), Wrong> {
        match policy.check(&candidate(items(seen))) {
            Ok(()) => Ok(()),
            Err(PolicyViolation::ExtraItem(bad)) => Err(("extra", bad.item().clone())),
            Err(PolicyViolation::MissingItem(bad)) => Err(("missing", bad.item().clone())),
            Err(other) => panic!("{other}"),
        }
    }

    fn extra(kind: &str, label: &str) -> Result<(), Wrong> {
        Err(("extra", expected(kind).labelled(label)))
    }

    fn missing(item: ExpectedItem) -> Result<(), Wrong> {
        Err(("missing", item))
    }

    fn expected(kind: &str) -> ExpectedItem {
        ExpectedItem::new(media(kind))
    }

    fn items(seen: &[(&str, &str)]) -> Vec<AppraisedItem> {
        let items = seen.iter();
        items.map(|(kind, label)| item(kind, label)).collect()
    }
}
