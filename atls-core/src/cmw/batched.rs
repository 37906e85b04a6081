//! The message of one connection of a batch: the Evidence that all share, and the proof that this connection is among them.
//!
//! ```text
//! of-batch = {
//!   0 => cmw,                                                    ; the Evidence, without any proof in it
//!   1 => ["application/vnd.atls.inclusion-proof+cbor", proof],   ; bstr: the bytes of an InclusionProof
//! }
//! ```

use super::error::CmwError;
use super::form::Collection;
use super::form::Form;
use super::form::Record;
use super::item::Item;
use super::item::Type;
use super::label::Label;
use crate::bound::Bound;
use crate::error::ProtocolError;
use crate::limits::MAX_CMW_DEPTH;
use crate::limits::MAX_CMW_ITEMS;
use crate::limits::MAX_EVIDENCE_OF_BATCH;
use crate::media_type::MediaType;
use crate::merkle::InclusionProof;
use crate::merkle::ProofError;

/// The place of one connection in a batch.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Membership {
    /// The connection's own value, which the proof is for.
    pub(super) bound: Bound,
    pub(super) proof: InclusionProof,
}

impl Membership {
    pub(super) fn record(&self) -> Result<Record, CmwError> {
        Ok(Record {
            kind: kind()?,
            value: self.proof.encode(),
            indicator: None,
        })
    }
}

/// Tells whether there is room for a proof: one item and one collection more, and the longest proof.
pub(super) fn check_room(evidence: &Form, encoded: usize) -> Result<(), CmwError> {
    let room = evidence.depth() < MAX_CMW_DEPTH
        && evidence.count() < MAX_CMW_ITEMS
        && encoded <= MAX_EVIDENCE_OF_BATCH;
    room.then_some(()).ok_or(CmwError::NoRoomForProof)
}

/// Takes a message that was read apart.
pub(super) fn split(form: Form) -> Result<(Form, InclusionProof), ProtocolError> {
    let Form::Collection(Collection {
        kind: None,
        members,
    }) = form
    else {
        return Err(ProofError::NotOfBatch.into());
    };
    let Ok(
        [
            (EVIDENCE, evidence),
            (
                PROOF,
                Form::Record(Record {
                    kind: proof_kind,
                    value,
                    indicator: None,
                }),
            ),
        ],
    ) = <[_; 2]>::try_from(members)
    else {
        return Err(ProofError::NotOfBatch.into());
    };
    if proof_kind != kind()? {
        return Err(ProofError::NotOfBatch.into());
    }
    Ok((evidence, InclusionProof::decode(&value)?))
}

/// Tells whether the item is a proof, in whatever form.
pub(super) fn is_proof(item: &Item<'_>) -> bool {
    item.media_type()
        .is_some_and(|media_type| media_type.essence() == PROOF_MEDIA_TYPE)
}

fn kind() -> Result<Type, CmwError> {
    let media_type = MediaType::parse(PROOF_MEDIA_TYPE).map_err(|_| CmwError::MediaType)?;
    Ok(Type::Media(media_type))
}

pub(super) const EVIDENCE: Label = Label::Integer(0);
pub(super) const PROOF: Label = Label::Integer(1);

const PROOF_MEDIA_TYPE: &str = "application/vnd.atls.inclusion-proof+cbor";
