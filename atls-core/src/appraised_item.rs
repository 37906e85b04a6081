//! The result about one item of a peer's attestation.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::ear::Ear;
use crate::finding::Finding;
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
    /// None where there is nothing to explain.
    pub(crate) explained: Option<Box<Explained>>,
}

/// The explanation of a result for people.
#[derive(Clone, Debug)]
pub(crate) struct Explained {
    pub(crate) findings: Vec<Finding>,
    pub(crate) image: Option<String>,
}

impl Explained {
    pub(crate) fn boxed(findings: Vec<Finding>, image: Option<String>) -> Option<Box<Self>> {
        let is_empty = findings.is_empty() && image.is_none();
        (!is_empty).then(|| Box::new(Self { findings, image }))
    }
}

impl AppraisedItem {
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
