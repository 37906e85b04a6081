//! Which machine, or which start of one, a peer is.
//!
//! A measurement says what runs; many machines run the same. An [`InstanceId`] says which of them it is. Every platform has another kind
//! of it, and [`KnownInstances`] is one policy for all: it is what refuses diversion to another genuine machine.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::fmt;

use crate::policy::Policy;
use crate::policy::appraised_item::AppraisedItem;
use crate::policy::candidate::Candidate;
use crate::policy::violation::PolicyViolation;

pub use crate::instance_id::InstanceId;

/// Accepts peers that are known instances, and no others.
///
/// Each item of the attestation must have one of the known identities, of whatever kind. Items that are
/// [chained](AppraisedItem::chained_to) are of one machine, so one of them that is known is enough. A policy that knows nobody refuses
/// everybody.
///
/// ```
/// use atls_core::RelyingParty;
/// use atls_core::policy::instance::KnownInstances;
/// # fn example(builder: atls_core::RelyingPartyBuilder, chip_id: &[u8; 64]) -> atls_core::RelyingPartyBuilder {
/// builder.policy(KnownInstances::new().with("snp.chip_id", chip_id))
/// # }
/// ```
#[derive(Clone, Default)]
pub struct KnownInstances {
    known: HashMap<Box<str>, HashSet<Box<[u8]>>>,
}

impl KnownInstances {
    /// Knows nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an instance. A value that tells nothing apart is never an instance's, so it adds nobody.
    #[must_use]
    pub fn with(mut self, kind: &str, value: impl AsRef<[u8]>) -> Self {
        let values = self.known.entry(kind.into()).or_default();
        values.insert(value.as_ref().into());
        self
    }

    fn knows(&self, item: &AppraisedItem) -> bool {
        item.instances().iter().any(|instance| {
            let values = self.known.get(instance.kind());
            values.is_some_and(|values| values.contains(instance.value()))
        })
    }
}

impl Policy for KnownInstances {
    fn check(&self, candidate: &Candidate) -> Result<(), PolicyViolation> {
        let items = candidate.items();
        let chain_of = |item: &AppraisedItem| match item.chained_to() {
            Some(root) => root.to_owned(),
            None => item.label().to_owned(),
        };
        let known = |item: &AppraisedItem| {
            let chain = chain_of(item);
            let mut chained = items.iter().filter(|other| chain_of(other) == chain);
            chained.any(|other| self.knows(other))
        };
        if !items.is_empty() && items.iter().all(known) {
            return Ok(());
        }
        let stated = items.iter().flat_map(AppraisedItem::instances);
        let stated: BTreeSet<_> = stated.map(InstanceId::kind).collect();
        Err(PolicyViolation::UnknownInstance {
            stated: stated.into_iter().collect(),
            place: None,
        })
    }
}

/// Prints how many are known, not which.
impl fmt::Debug for KnownInstances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number: usize = self.known.values().map(HashSet::len).sum();
        f.debug_struct("KnownInstances")
            .field("known", &number)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::appraised_item::Explained;
    use crate::policy::sample;

    #[test]
    fn an_instance_is_known_by_kind_and_value_together() {
        let peer = || vec![item("cpu", &[1])];
        let check = |policy: KnownInstances| policy.check(&sample::candidate(peer()));
        let known = KnownInstances::new().with("test", [2]).with("test", [1]);
        assert_eq!(check(known), Ok(()));
        for other in [
            KnownInstances::new(),
            KnownInstances::new().with("test", [2]),
            KnownInstances::new().with("other", [1]).with("test", [2]),
        ] {
            assert_eq!(check(other), unknown(&["test"]));
        }
    }

    #[test]
    fn each_item_is_known_or_chained_to_one_that_is() {
        let policy = KnownInstances::new().with("test", [1]);
        let check = |items| policy.check(&sample::candidate(items));
        let (known, stranger) = (|| item("tpm", &[1]), || item("cpu", &[2]));
        assert_eq!(check(vec![]), unknown(&[]));
        assert_eq!(check(vec![known(), stranger()]), unknown(&["test"]));
        assert_eq!(check(vec![stranger(), known()]), unknown(&["test"]));
        assert_eq!(check(vec![chained(stranger(), "tpm"), known()]), Ok(()));
        assert_eq!(check(vec![chained(known(), "cpu"), stranger()]), Ok(()));
        let elsewhere = vec![chained(stranger(), "other"), known()];
        assert_eq!(check(elsewhere), unknown(&["test"]));
    }

    #[test]
    fn a_stranger_is_told_by_the_kinds_of_its_identities_and_by_none_of_them() {
        let refused = |items| KnownInstances::new().check(&sample::candidate(items));
        let text = |items| refused(items).unwrap_err().to_string();
        let told = text(vec![item("cpu", b"secret"), item("tpm", b"secret")]);
        assert!(told.ends_with("its evidence states test"), "{told}");
        assert!(!told.contains("secret"), "{told}");
        let told = text(vec![sample::item("cpu", "a")]);
        assert!(told.ends_with("its evidence states no identity"), "{told}");
    }

    fn unknown(kinds: &[&'static str]) -> Result<(), PolicyViolation> {
        Err(PolicyViolation::UnknownInstance {
            stated: kinds.to_vec(),
            place: None,
        })
    }

    fn item(label: &str, instance: &[u8]) -> AppraisedItem {
        let instances = InstanceId::new("test", instance).into_iter().collect();
        AppraisedItem {
            explained: Explained::boxed(Vec::new(), None, instances),
            ..sample::item(label, label)
        }
    }

    fn chained(item: AppraisedItem, label: &str) -> AppraisedItem {
        AppraisedItem {
            chained_to: Some(label.into()),
            ..item
        }
    }
}
