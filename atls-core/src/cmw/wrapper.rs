//! The wrapper as a value.

use std::fmt;
use std::sync::Arc;

use super::batched;
use super::batched::Membership;
use super::cbor;
use super::error::CmwError;
use super::form::Collection;
use super::form::Form;
use super::form::Record;
use super::form::Tag;
use super::item::Indicator;
use super::item::Item;
use super::item::Type;
use super::items;
use super::json;
use super::label::Label;
use crate::bound::Bound;
use crate::error::ProtocolError;
use crate::limits::MAX_CMW;
use crate::media_type::MediaType;
use crate::merkle::InclusionProof;
use crate::merkle::ProofError;

/// A record, a tag, or a collection of them. It has 1 to 8 items, nested up to 4 deep, and up to 65,529 bytes.
///
/// A copy shares the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Cmw {
    form: Arc<Form>,
    /// Where this is the message of one connection of a [`Batch`](crate::exchange::batch::Batch). Decoding gives none.
    membership: Option<Membership>,
}

impl Cmw {
    /// A record that holds Evidence (indicator 4).
    pub fn evidence(media_type: MediaType, value: Vec<u8>) -> Self {
        Self::record(Type::Media(media_type), value, Some(Indicator::EVIDENCE))
    }

    /// A record that holds Attestation Results (indicator 8), such as a passport.
    pub fn attestation_results(media_type: MediaType, value: Vec<u8>) -> Self {
        Self::record(
            Type::Media(media_type),
            value,
            Some(Indicator::ATTESTATION_RESULTS),
        )
    }

    /// A record of any kind. Without indicator, its type alone tells the kind of message.
    pub fn record(kind: Type, value: Vec<u8>, indicator: Option<Indicator>) -> Self {
        Self::of(Form::Record(Record {
            kind,
            value,
            indicator,
        }))
    }

    /// A tag: a CoAP Content-Format and a value, in the shortest form that CBOR has.
    pub fn tag(content_format: u16, value: Vec<u8>) -> Self {
        Self::of(Form::Tag(Tag {
            content_format,
            value,
        }))
    }

    /// Several messages under labels. The attester must bind the members to each other (RFC 9999). The relying party of this
    /// crate appraises each under the same value.
    ///
    /// # Errors
    /// [`CmwError`] without a member, with a repeated label, with a type that is neither URI nor OID, or beyond the limits.
    /// [`CmwError::NestedProof`] for a member that is the message of one connection of a batch.
    pub fn collection(kind: Option<String>, members: Vec<(Label, Self)>) -> Result<Self, CmwError> {
        if members.iter().any(|(_, member)| member.is_of_batch()) {
            return Err(CmwError::NestedProof);
        }
        let members = members
            .into_iter()
            .map(|(label, member)| (label, Arc::unwrap_or_clone(member.form)))
            .collect();
        let form = Form::Collection(Collection::new(kind, members)?);
        form.check_limits()?;
        Ok(Self::of(form))
    }

    /// Reads CBOR or JSON of at most 65,529 bytes, with nothing after it. CMW has no unknown fields, so every deviation from the
    /// form is refused.
    ///
    /// # Errors
    /// [`CmwError`] for other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, CmwError> {
        if bytes.len() > MAX_CMW {
            return Err(CmwError::TooLarge);
        }
        let form = match bytes.first() {
            Some(b'[' | b'{') => json::decode(bytes)?,
            Some(0x82 | 0x83 | 0x9f | 0xda | 0xa1..=0xbb | 0xbf) => cbor::decode(bytes)?,
            _ => return Err(CmwError::Malformed),
        };
        form.check_limits()?;
        Ok(Self::of(form))
    }

    /// Reads the message of one connection of a batch: the Evidence without the proof, and the proof.
    pub(crate) fn decode_of_batch(bytes: &[u8]) -> Result<(Self, InclusionProof), ProtocolError> {
        let whole = Self::decode(bytes)?;
        // The one encoding that this crate writes; it leaves nothing for a peer to choose.
        if whole.encode()? != bytes {
            return Err(ProofError::NotOfBatch.into());
        }
        let (form, proof) = batched::split(Arc::unwrap_or_clone(whole.form))?;
        let evidence = Self::of(form);
        evidence.check_without_proof()?;
        Ok((evidence, proof))
    }

    /// The message in deterministic CBOR, at most 65,529 bytes.
    ///
    /// # Errors
    /// [`CmwError::TooLarge`] for a larger message.
    pub fn encode(&self) -> Result<Vec<u8>, CmwError> {
        within_length(match &self.membership {
            None => cbor::encode(&self.form)?,
            Some(membership) => cbor::encode_with_proof(&self.form, membership)?,
        })
    }

    /// The message in JSON, at most 65,529 bytes. JSON has neither tags nor Content-Formats, and its labels are text.
    ///
    /// # Errors
    /// [`CmwError::NotInJson`] for a message that only CBOR can express, [`CmwError::TooLarge`] for a larger one.
    pub fn to_json(&self) -> Result<Vec<u8>, CmwError> {
        if self.is_of_batch() {
            return Err(CmwError::NotInJson);
        }
        within_length(json::encode(&self.form)?)
    }

    /// Every record and tag, collections flattened, in the order of the wire. There is at least one. The inclusion proof of a
    /// [`Batch`](crate::exchange::batch::Batch) is none of them.
    pub fn items(&self) -> Vec<Item<'_>> {
        self.items_with(|_| false)
    }

    /// The same, but a collection whose [media type](MediaType::of_collection) is one of these stays whole: one item, whose value is its
    /// deterministic CBOR. A verifier appraises its members together.
    pub fn items_with(&self, is_whole: impl Fn(&MediaType) -> bool) -> Vec<Item<'_>> {
        let mut items = Vec::new();
        items::collect(&self.form, "", &is_whole, &mut items);
        items
    }

    /// The `__cmwc_t` of a collection, which is a URI or OID that names its kind.
    pub fn collection_type(&self) -> Option<&str> {
        match &*self.form {
            Form::Collection(collection) => collection.kind.as_deref(),
            Form::Record(_) | Form::Tag(_) => None,
        }
    }

    /// Tells whether it is the message of one connection of a [`Batch`](crate::exchange::batch::Batch). Decoding gives none.
    pub fn is_of_batch(&self) -> bool {
        self.membership.is_some()
    }

    /// Tells whether there is room for an inclusion proof, of whatever connection of a batch.
    pub(crate) fn check_room_for_proof(&self) -> Result<(), CmwError> {
        batched::check_room(&self.form, cbor::encode(&self.form)?.len())
    }

    /// The same message for one connection of the batch over whose root it was made.
    pub(crate) fn for_member(&self, bound: Bound, proof: InclusionProof) -> Result<Self, CmwError> {
        if self.is_of_batch() {
            return Err(CmwError::NestedProof);
        }
        Ok(Self {
            form: Arc::clone(&self.form),
            membership: Some(Membership { bound, proof }),
        })
    }

    /// The value of the connection that it is for, if it is of a batch.
    pub(crate) fn member(&self) -> Option<&Bound> {
        Some(&self.membership.as_ref()?.bound)
    }

    /// Refuses a message that was read and has an inclusion proof in it.
    pub(crate) fn check_without_proof(&self) -> Result<(), ProofError> {
        if self.items().iter().any(batched::is_proof) {
            Err(ProofError::Unexpected)
        } else {
            Ok(())
        }
    }

    fn of(form: Form) -> Self {
        Self {
            form: Arc::new(form),
            membership: None,
        }
    }
}

/// Prints the items without their values.
impl fmt::Debug for Cmw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cmw").field(&self.items()).finish()
    }
}

fn within_length(bytes: Vec<u8>) -> Result<Vec<u8>, CmwError> {
    if bytes.len() > MAX_CMW {
        return Err(CmwError::TooLarge);
    }
    Ok(bytes)
}
