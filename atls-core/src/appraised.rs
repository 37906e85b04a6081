//! The result of a Verifier.
//!
//! [`Verifier::appraise`](crate::Verifier::appraise) returns it. It is about a connection or about a key.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::binding::Binding;
use crate::bound::Bound;
use crate::ear::Ear;
use crate::expected::BoundMatch;
use crate::finding;
use crate::finding::Finding;
use crate::instance_id::InstanceId;
use crate::limits::MAX_KEPT_TOKEN;
use crate::media_type::MediaType;
use crate::origin::Origin;
use crate::policy::appraised_item::AppraisedItem;
use crate::policy::appraised_item::Explained;

/// The result of a verifier about Evidence that a peer presented.
///
/// A result about the connection takes the proof that the Evidence carries the connection's value:
///
/// ```
/// # use atls_core::{Appraised, AppraisalError, Evidence, Origin, ear::Ear};
/// fn appraised(ear: Ear, carried: &[u8], evidence: &Evidence<'_>) -> Result<Appraised, AppraisalError> {
///     let matched = evidence.bound().sha512().compare(carried)?;
///     Ok(Appraised::bound_to_connection(ear, Origin::Device, matched))
/// }
/// ```
///
/// A verifier that forgets to compare does not compile:
///
/// ```compile_fail,E0061
/// # use atls_core::{Appraised, AppraisalError, Evidence, Origin, ear::Ear};
/// fn appraised(ear: Ear, carried: &[u8], evidence: &Evidence<'_>) -> Result<Appraised, AppraisalError> {
///     Ok(Appraised::bound_to_connection(ear, Origin::Device))
/// }
/// ```
///
/// A verifier that compares in its own way does not compile either:
///
/// ```compile_fail,E0308
/// # use atls_core::{Appraised, AppraisalError, Evidence, Origin, ear::Ear};
/// fn appraised(ear: Ear, carried: &[u8], evidence: &Evidence<'_>) -> Result<Appraised, AppraisalError> {
///     let matched = carried == evidence.bound().as_bytes();
///     Ok(Appraised::bound_to_connection(ear, Origin::Device, matched))
/// }
/// ```
pub struct Appraised {
    pub(crate) ear: Ear,
    pub(crate) origin: Origin,
    pub(crate) proof: BindingProof,
    pub(crate) attested_key: Option<Vec<u8>>,
    pub(crate) claims: Option<Arc<dyn Any + Send + Sync>>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) image: Option<String>,
    pub(crate) instances: Vec<InstanceId>,
    pub(crate) token: Option<Arc<[u8]>>,
    /// The items of a [`Chain`](crate::combine::chain::Chain), each with its own result. Otherwise the result is about one item.
    pub(crate) items: Vec<AppraisedItem>,
}

/// The proof of what a result is bound to.
pub(crate) enum BindingProof {
    /// The Evidence carries the connection's value.
    Connection(BoundMatch),
    /// The Evidence names the connection's key, as the attested key.
    Key,
}

impl Appraised {
    /// A result about Evidence that carries the value of this connection. The origin has no default.
    pub fn bound_to_connection(ear: Ear, origin: Origin, matched: BoundMatch) -> Self {
        Self {
            ear,
            origin,
            proof: BindingProof::Connection(matched),
            attested_key: None,
            claims: None,
            findings: Vec::new(),
            image: None,
            instances: Vec::new(),
            token: None,
            items: Vec::new(),
        }
    }

    /// A result about a key alone, such as one that its holder presents on many connections. It says nothing about this
    /// connection.
    ///
    /// `spki` is the DER SubjectPublicKeyInfo of that key. The relying party refuses unless this key authenticated the
    /// connection. The standard policy refuses every such peer.
    pub fn bound_to_key_only(ear: Ear, origin: Origin, spki: Vec<u8>) -> Self {
        Self {
            ear,
            origin,
            proof: BindingProof::Key,
            attested_key: Some(spki),
            claims: None,
            findings: Vec::new(),
            image: None,
            instances: Vec::new(),
            token: None,
            items: Vec::new(),
        }
    }

    /// Sets the DER SubjectPublicKeyInfo that the Evidence itself names. The relying party refuses unless this key
    /// authenticated the connection.
    #[must_use]
    pub fn with_attested_key(mut self, spki: Vec<u8>) -> Self {
        self.attested_key = Some(spki);
        self
    }

    /// Sets the platform's own claims, which handlers get by [`Candidate::claims`](crate::policy::Candidate::claims).
    #[must_use]
    pub fn with_claims<T: Any + Send + Sync>(mut self, claims: T) -> Self {
        self.claims = Some(Arc::new(claims));
        self
    }

    /// Adds checks that explain the result to people. A refusal shows those that failed;
    /// [`AppraisedItem::findings`](crate::policy::AppraisedItem::findings) has all. At most [`MAX_FINDINGS`](crate::limits::MAX_FINDINGS) are kept, failed checks
    /// before others.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<Finding>) -> Self {
        finding::add(&mut self.findings, findings);
        self
    }

    /// Sets the name that the verifier's policy gives to the recognised software, for logs. The name is bounded and escaped
    /// as the texts of a [`Finding`] are.
    #[must_use]
    pub fn with_image(mut self, name: Option<impl fmt::Display>) -> Self {
        self.image = name.map(finding::bounded);
        self
    }

    /// Adds the identities of the machine that the Evidence states.
    #[must_use]
    pub fn with_instances(mut self, instances: impl IntoIterator<Item = InstanceId>) -> Self {
        self.instances.extend(instances);
        self
    }

    /// Keeps the signed result of the service as it came, a JWT or a CWT, for whoever hands it on. A token of more than
    /// [`MAX_KEPT_TOKEN`] bytes is not kept: each connection holds one, and no HTTP header takes a larger one.
    #[must_use]
    pub fn with_token(mut self, token: &[u8]) -> Self {
        self.token = (token.len() <= MAX_KEPT_TOKEN).then(|| token.into());
        self
    }

    /// The result.
    pub fn ear(&self) -> &Ear {
        &self.ear
    }

    /// Where the Evidence came from.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// The checks behind the result.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// The name of the software that was recognised.
    pub fn image(&self) -> Option<&str> {
        self.image.as_deref()
    }

    /// The signed result of the service, if it was kept.
    pub fn token(&self) -> Option<&[u8]> {
        self.token.as_deref()
    }

    /// The binding of the result.
    pub fn binding(&self) -> Binding {
        match self.proof {
            BindingProof::Connection(_) => Binding::Connection,
            BindingProof::Key => Binding::Key,
        }
    }

    /// The result about each item, where this one is at `label` in the message.
    pub(crate) fn into_items(self, label: &str, media_type: MediaType) -> Vec<AppraisedItem> {
        if !self.items.is_empty() {
            let items = self.items.into_iter();
            return items.map(|item| item.within(label)).collect();
        }
        vec![AppraisedItem {
            label: label.into(),
            media_type,
            ear: self.ear,
            origin: self.origin,
            claims: self.claims,
            token: self.token,
            chained_to: None,
            explained: Explained::boxed(self.findings, self.image, self.instances),
        }]
    }

    /// Tells whether the result is about another connection than the one with this value.
    pub(crate) fn is_of_other_connection(&self, bound: &Bound) -> bool {
        match &self.proof {
            BindingProof::Connection(matched) => !matched.is_of(bound),
            BindingProof::Key => false,
        }
    }

    /// A copy, for a result that is used again under the same value.
    pub(crate) fn duplicate(&self) -> Self {
        Self {
            ear: self.ear.clone(),
            origin: self.origin,
            proof: match &self.proof {
                BindingProof::Connection(matched) => BindingProof::Connection(matched.duplicate()),
                BindingProof::Key => BindingProof::Key,
            },
            attested_key: self.attested_key.clone(),
            claims: self.claims.clone(),
            findings: self.findings.clone(),
            image: self.image.clone(),
            instances: self.instances.clone(),
            token: self.token.clone(),
            items: self.items.clone(),
        }
    }
}

impl fmt::Debug for Appraised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appraised")
            .field("ear", &self.ear)
            .field("origin", &self.origin)
            .field("binding", &self.binding())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::sample::ear;

    #[test]
    fn a_token_is_kept_up_to_what_a_header_holds() {
        let with = |token: &[u8]| {
            let result = Appraised::bound_to_key_only(ear("device", 2), Origin::Device, Vec::new());
            result.with_token(token).token().map(<[u8]>::to_vec)
        };
        let largest = vec![7; MAX_KEPT_TOKEN];
        assert_eq!(with(&largest), Some(largest.clone()));
        assert_eq!(with(&[largest, vec![7]].concat()), None);
    }
}
