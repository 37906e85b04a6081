//! Bytes that are no CMW.

/// The bytes are no CMW, or the CMW cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CmwError {
    /// The `__cmwc_t` is neither a URI nor an OID.
    #[error("type of the collection is neither a URI nor an OID")]
    CollectionType,
    /// A collection has no member.
    #[error("collection is empty")]
    Empty,
    /// The indicator is 0 or larger than 4 bytes.
    #[error("indicator of the message is 0 or has more than 4 bytes")]
    Indicator,
    /// The bytes are neither CBOR nor JSON, have not the form of a CMW, or go on after it.
    #[error("not a conceptual message wrapper (CMW) in JSON or CBOR")]
    Malformed,
    /// A type is no media type.
    #[error("type of the message is no media type")]
    MediaType,
    /// A text label has more than 128 bytes.
    #[error("label is longer than 128 bytes")]
    LongLabel,
    /// The message of one connection of a batch would stand in a collection, in another batch or in a certificate, where its proof
    /// has no place. Wrap the outermost attester in the batcher, and not that of a part.
    #[error(
        "evidence of a batch has no place here; wrap the outermost attester in the batcher, and not that of a part"
    )]
    NestedProof,
    /// The Evidence leaves no room for the inclusion proof of a batch: one more of 8 items, one more of 4 levels, and 574 of 65,518
    /// bytes.
    #[error(
        "no room for the inclusion proof of a batch beside evidence of more than 7 items, more than 3 levels or more than 64,944 bytes; make the evidence smaller, or make batches of one"
    )]
    NoRoomForProof,
    /// JSON cannot express a tag, a Content-Format or an integer label. Use CBOR.
    #[error(
        "message has a tag, Content-Format or integer label, which JSON cannot say; encode it as CBOR"
    )]
    NotInJson,
    /// A label stands twice in one collection.
    #[error("label stands twice in one collection")]
    RepeatedLabel,
    /// A tag number stands for no Content-Format (RFC 9277).
    #[error("tag is not one of those for Content-Formats (RFC 9277)")]
    TagNumber,
    /// Collections are nested deeper than 4.
    #[error("collections are nested deeper than 4")]
    TooDeep,
    /// The message has more than 65,529 bytes.
    #[error("message is larger than 65,529 bytes")]
    TooLarge,
    /// The message has more than 8 items, or more values than 8 items can have.
    #[error("message has more than 8 items")]
    TooMany,
}
