//! Bytes that are no CMW.

/// Octets that are no CMW, or a CMW that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CmwError {
    /// A `__cmwc_t` that is neither a URI nor an OID.
    #[error("type of the collection is neither a URI nor an OID")]
    CollectionType,
    /// A collection without a member.
    #[error("collection is empty")]
    Empty,
    /// The indicator is 0 or larger than 4 bytes.
    #[error("indicator of the message is 0 or has more than 4 bytes")]
    Indicator,
    /// Not CBOR or JSON, not the form of a CMW, or followed by something.
    #[error("not a conceptual message wrapper (CMW) in JSON or CBOR")]
    Malformed,
    /// A type that is no media type.
    #[error("type of the message is no media type")]
    MediaType,
    /// A text label of more than 128 bytes.
    #[error("label is longer than 128 bytes")]
    LongLabel,
    /// A tag, Content-Format or integer label, which JSON cannot say. Use CBOR.
    #[error(
        "message has a tag, Content-Format or integer label, which JSON cannot say; encode it as CBOR"
    )]
    NotInJson,
    /// A label that stands twice in one collection.
    #[error("label stands twice in one collection")]
    RepeatedLabel,
    /// A tag number outside of those for Content-Formats (RFC 9277).
    #[error("tag is not one of those for Content-Formats (RFC 9277)")]
    TagNumber,
    /// Collections nested deeper than 4.
    #[error("collections are nested deeper than 4")]
    TooDeep,
    /// More than 65,529 bytes.
    #[error("message is larger than 65,529 bytes")]
    TooLarge,
    /// More than 8 items, or more values than 8 items can have.
    #[error("message has more than 8 items")]
    TooMany,
}
