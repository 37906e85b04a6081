//! The result about one item of a peer's attestation.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::ear::Ear;
use crate::finding;
use crate::finding::Finding;
use crate::instance_id::InstanceId;
use crate::instance_id::same_instances;
use crate::media_type::MediaType;
use crate::origin::Origin;

/// One appraised item of Evidence. Each connection holds one, so nothing in it has room to grow.
#[derive(Clone)]
pub struct AppraisedItem {
    pub(crate) label: Box<str>,
    pub(crate) media_type: MediaType,
    pub(crate) ear: Ear,
    pub(crate) origin: Origin,
    pub(crate) claims: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) token: Option<Arc<[u8]>>,
    /// The label of the item that carries the connection's value, where this one does not.
    pub(crate) chained_to: Option<Box<str>>,
    /// None where there is nothing to explain.
    pub(crate) explained: Option<Box<Explained>>,
}

/// The explanation of a result for people.
#[derive(Clone, Debug)]
pub(crate) struct Explained {
    pub(crate) findings: Vec<Finding>,
    pub(crate) image: Option<String>,
    pub(crate) instances: Vec<InstanceId>,
}

impl Explained {
    pub(crate) fn boxed(
        findings: Vec<Finding>,
        image: Option<String>,
        instances: Vec<InstanceId>,
    ) -> Option<Box<Self>> {
        let is_empty = findings.is_empty() && image.is_none() && instances.is_empty();
        (!is_empty).then(|| {
            Box::new(Self {
                findings,
                image,
                instances,
            })
        })
    }

    fn of_both(one: Option<Box<Self>>, other: Option<Box<Self>>) -> Option<Box<Self>> {
        let (Some(one), Some(other)) = (&one, &other) else {
            return one.or(other);
        };
        let mut findings = one.findings.clone();
        finding::add(&mut findings, other.findings.clone());
        Self::boxed(
            findings,
            same_image(one.image.as_ref(), other.image.as_ref()),
            same_instances(&one.instances, &other.instances),
        )
    }
}

impl AppraisedItem {
    /// The worse of two results about the same item. The platform's claims are those of the first that gives any. `None` where they are
    /// about different items.
    pub(crate) fn worse(self, other: Self) -> Option<Self> {
        let is_same = self.label == other.label
            && self.media_type == other.media_type
            && self.chained_to == other.chained_to;
        if !is_same {
            return None;
        }
        Some(Self {
            ear: self.ear.worse(other.ear),
            origin: self.origin.worse(other.origin),
            claims: self.claims.or(other.claims),
            // Neither token says what both say together.
            token: None,
            explained: Explained::of_both(self.explained, other.explained),
            ..self
        })
    }

    /// The same item, within the collection of this label.
    pub(crate) fn within(self, collection: &str) -> Self {
        if collection.is_empty() {
            return self;
        }
        let place = |label: &str| format!("{collection}/{label}").into_boxed_str();
        Self {
            label: place(&self.label),
            chained_to: self.chained_to.as_deref().map(place),
            ..self
        }
    }

    /// The item's label in its collection, which the peer chose; empty if the item came alone.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The media type by which its verifier was chosen.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The Attestation Result.
    pub fn ear(&self) -> &Ear {
        &self.ear
    }

    /// Tells whether it came from a device or a simulator.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The label of the item that carries the connection's value in place of this one. This item vouches for the key that signed
    /// that one, so both are of one machine. There is none if this item carries the value itself.
    pub fn chained_to(&self) -> Option<&str> {
        self.chained_to.as_deref()
    }

    /// The identities of its machine that the Evidence states; a policy of [`KnownInstances`](crate::policy::instance::KnownInstances) looks at
    /// them. Those of services state none.
    pub fn instances(&self) -> &[InstanceId] {
        self.explained
            .as_ref()
            .map_or(&[], |explained| &explained.instances)
    }

    /// The platform's claims, if its verifier gives claims of this type.
    pub fn claims<T: Any>(&self) -> Option<&T> {
        self.claims.as_deref()?.downcast_ref()
    }

    /// The checks that its verifier reports. They are for people; a policy uses the result or the claims.
    pub fn findings(&self) -> &[Finding] {
        self.explained
            .as_ref()
            .map_or(&[], |explained| &explained.findings)
    }

    /// The signed result of the service that appraised it, a JWT or a CWT, as it came: at most
    /// [`MAX_KEPT_TOKEN`](crate::limits::MAX_KEPT_TOKEN) bytes. There is none from a verifier in this process, from several
    /// verifiers together, and if it is larger.
    ///
    /// It is the word of that service alone. [`ear`](Self::ear) may be worse, since it has the checks of this process too.
    pub fn token(&self) -> Option<&[u8]> {
        self.token.as_deref()
    }

    /// The name that the verifier's policy gives to the recognised software, for logs. There is none if the verifier
    /// names none, or if several verifiers name it differently.
    pub fn image(&self) -> Option<&str> {
        self.explained.as_ref()?.image.as_deref()
    }
}

impl fmt::Debug for AppraisedItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppraisedItem")
            .field("media_type", &self.media_type)
            .field("ear", &self.ear)
            .field("origin", &self.origin)
            .field("image", &self.image())
            .finish_non_exhaustive()
    }
}

/// The name of the software that is in both results, or in one of them; none where they differ.
pub(crate) fn same_image(one: Option<&String>, other: Option<&String>) -> Option<String> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => None,
        (one, other) => one.or(other).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::ear;
    use super::super::sample::item;
    use super::super::sample::media;
    use super::*;
    use crate::ear::Tier;

    #[test]
    fn of_two_results_about_one_item_the_worse_holds() {
        let instances: Vec<_> = InstanceId::new("test", &[1]).into_iter().collect();
        let explained = |name| {
            let findings = vec![Finding::passed(name)];
            Explained::boxed(findings, Some("image".to_owned()), instances.clone())
        };
        let token: Arc<[u8]> = Arc::from(&b"token"[..]);
        let good = AppraisedItem {
            token: Some(token.clone()),
            explained: explained("good"),
            ..item("tpm", "vm/tpm")
        };
        let bad = AppraisedItem {
            ear: ear("tpm", 96),
            origin: Origin::Simulated,
            claims: Some(Arc::new("claims")),
            token: Some(token),
            explained: explained("bad"),
            ..item("tpm", "vm/tpm")
        };
        let pairs = [(good.clone(), bad.clone()), (bad, good)];
        for worst in pairs.map(|(one, other)| one.worse(other).unwrap()) {
            assert_eq!(worst.ear().status(), Tier::Contraindicated);
            assert_eq!(worst.origin(), Origin::Simulated);
            assert_eq!(worst.claims::<&str>(), Some(&"claims"));
            assert_eq!(worst.token(), None);
            assert_eq!(worst.findings().len(), 2);
            assert_eq!(worst.image(), Some("image"));
            assert_eq!(worst.instances(), instances);
        }
    }

    #[test]
    fn results_about_different_items_have_no_worse() {
        let one = || item("tpm", "vm/tpm");
        let mut chained = one();
        chained.chained_to = Some("vm/cpu".into());
        let mut of_other_type = one();
        of_other_type.media_type = media("cpu");
        for other in [chained, of_other_type, item("tpm", "other/tpm")] {
            assert!(one().worse(other).is_none());
        }
    }

    #[test]
    fn software_that_is_named_in_two_ways_has_no_name() {
        let (one, other) = ("one".to_owned(), "other".to_owned());
        assert_eq!(same_image(Some(&one), Some(&other)), None);
        assert_eq!(same_image(Some(&one), Some(&one)), Some(one.clone()));
        assert_eq!(same_image(None, Some(&one)), Some(one.clone()));
        assert_eq!(same_image(Some(&one), None), Some(one));
    }
}
