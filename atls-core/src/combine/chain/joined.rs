//! Items that belong together, and the way from them to a result about a connection.

use std::fmt;

use crate::appraised::Appraised;
use crate::combine::chain::ChainLink;
use crate::combine::chain::SignedAppraisal;
use crate::ear::Ear;
use crate::error::AppraisalError;
use crate::expected::ExpectedValue;
use crate::media_type::MediaType;
use crate::origin::Origin;
use crate::policy::appraised_item::AppraisedItem;
use crate::policy::appraised_item::Explained;
use crate::recorded_appraisal::RecordedAppraisal;

/// One item of a message, and what its verifier found.
#[derive(Debug)]
pub struct ChainItem<R = RecordedAppraisal> {
    label: String,
    media_type: MediaType,
    result: R,
}

impl<R> ChainItem<R> {
    /// The result about the item of this label and media type.
    pub fn new(label: impl Into<String>, media_type: MediaType, result: R) -> Self {
        Self {
            label: label.into(),
            media_type,
            result,
        }
    }

    /// The item's label.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The item's media type.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// What its verifier found.
    pub fn result(&self) -> &R {
        &self.result
    }
}

/// Items of one machine: a root of trust, and Evidence signed by the key for which the root vouches. It is about no connection yet.
pub struct Chain {
    /// The last one carries the value of a connection; the others lead to its key.
    items: Vec<ChainItem>,
}

impl Chain {
    /// Joins a root of trust and the Evidence that a key signed, where `link` leads from one to the other.
    ///
    /// # Errors
    /// [`AppraisalError::NotChained`] where the root does not carry what `link` says, whole, or where another key signed.
    pub fn join(
        root: ChainItem,
        link: &ChainLink,
        signed: ChainItem<SignedAppraisal>,
    ) -> Result<Self, AppraisalError> {
        let SignedAppraisal { mut appraisal, key } = signed.result;
        if root.result.challenge() != link.challenge || key != link.key {
            return Err(AppraisalError::NotChained);
        }
        // A key is what the root says it is, and a forged root says anything.
        appraisal.origin = appraisal.origin.worse(root.result.origin);
        let signed = ChainItem::new(signed.label, signed.media_type, appraisal);
        Ok(Self {
            items: vec![root, signed],
        })
    }

    /// Adds the result about the item out of which the link was made. The root vouches for it as for the key, and it is no better than the
    /// root: its origin is the root's.
    #[must_use]
    pub fn with_link_item(mut self, mut item: ChainItem) -> Self {
        if let Some(root) = self.items.first() {
            item.result.origin = root.result.origin;
        }
        let before_last = self.items.len().saturating_sub(1);
        self.items.insert(before_last, item);
        self
    }

    /// Compares the value of a connection with what the signed Evidence carries, and gives the result about all items.
    ///
    /// # Errors
    /// [`AppraisalError::NotBound`] where they differ. [`AppraisalError::BadResult`] where two items name different keys as the peer's.
    pub fn bind(mut self, expected: &ExpectedValue) -> Result<Appraised, AppraisalError> {
        let attested_key = self.attested_key()?;
        let carrier = self.items.pop().ok_or(AppraisalError::NotBound)?;
        let matched = expected.compare(carrier.result.challenge())?;
        let carrier_label = carrier.label.clone().into_boxed_str();
        let mut items: Vec<_> = self
            .items
            .into_iter()
            .map(|item| appraised(item, Some(carrier_label.clone())))
            .collect();
        items.push(appraised(carrier, None));
        let (ear, origin) = worst(&items).ok_or(AppraisalError::NotBound)?;
        let mut result = Appraised::bound_to_connection(ear, origin, matched);
        let findings = items.iter().flat_map(AppraisedItem::findings).cloned();
        result = result.with_findings(findings.collect());
        result.attested_key = attested_key;
        result.items = items;
        Ok(result)
    }

    /// The items: the root, that of the link if there is one, and last the Evidence that carries the value of a connection.
    pub fn items(&self) -> &[ChainItem] {
        &self.items
    }

    /// The bytes that the signed Evidence carries in the place of a connection's value. **They were compared with nothing.**
    pub fn challenge(&self) -> &[u8] {
        self.items
            .last()
            .map_or(&[], |carrier| carrier.result.challenge())
    }

    /// The worst of all results.
    pub fn ear(&self) -> Option<Ear> {
        let ears = self.items.iter().map(|item| item.result.ear().clone());
        ears.reduce(Ear::worse)
    }

    /// The key of the peer, if an item names one.
    fn attested_key(&self) -> Result<Option<Vec<u8>>, AppraisalError> {
        let items = self.items.iter();
        let mut named = items.filter_map(|item| item.result.attested_key.clone());
        let key = named.next();
        if named.all(|other| Some(other) == key) {
            Ok(key)
        } else {
            Err(AppraisalError::BadResult)
        }
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").field("items", &self.items).finish()
    }
}

fn appraised(item: ChainItem, chained_to: Option<Box<str>>) -> AppraisedItem {
    let result = item.result;
    AppraisedItem {
        label: item.label.into(),
        media_type: item.media_type,
        ear: result.ear,
        origin: result.origin,
        claims: result.claims,
        token: None,
        chained_to,
        explained: Explained::boxed(result.findings, result.image, result.instances),
    }
}

fn worst(items: &[AppraisedItem]) -> Option<(Ear, Origin)> {
    let ears = items.iter().map(|item| item.ear.clone());
    let origins = items.iter().map(|item| item.origin);
    Some((ears.reduce(Ear::worse)?, origins.reduce(Origin::worse)?))
}
