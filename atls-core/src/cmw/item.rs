//! One message of a CMW, wherever it stands.

use std::borrow::Cow;
use std::fmt;

use super::error::CmwError;
use crate::media_type::MediaType;

/// One record or tag, with the label under which its collection holds it. Of [`Cmw::items_with`](super::Cmw::items_with) also a whole
/// collection.
#[derive(Clone)]
pub struct Item<'a> {
    pub(super) label: String,
    pub(super) kind: Type,
    pub(super) value: Cow<'a, [u8]>,
    pub(super) indicator: Option<Indicator>,
}

impl Item<'_> {
    /// The labels on the path to it, joined by `/`. It is empty if the message came alone. The sender chose the labels.
    ///
    /// Different paths have different texts. In a text label `~` is written `~0` and `/` is written `~1`, as in a JSON Pointer
    /// (RFC 6901). A text that is empty or reads as an integer begins with `~2`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its media type. A Content-Format that this crate does not know has none.
    pub fn media_type(&self) -> Option<MediaType> {
        match &self.kind {
            Type::Media(media_type) => Some(media_type.clone()),
            Type::ContentFormat(number) => media_type_of(*number),
        }
    }

    /// Its type, as carried.
    pub fn kind(&self) -> &Type {
        &self.kind
    }

    /// The message.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The kind of message that the sender labelled it as, if any.
    pub fn indicator(&self) -> Option<Indicator> {
        self.indicator
    }

    /// Tells whether it is labelled as Evidence and nothing else, or not labelled.
    pub fn is_evidence(&self) -> bool {
        self.says(Indicator::EVIDENCE)
    }

    /// Tells whether it is labelled as Attestation Results and nothing else, or not labelled.
    pub fn is_attestation_results(&self) -> bool {
        self.says(Indicator::ATTESTATION_RESULTS)
    }

    /// Tells whether it is labelled as Endorsements and nothing else.
    pub fn is_endorsements_only(&self) -> bool {
        self.indicator == Some(Indicator::ENDORSEMENTS)
    }

    fn says(&self, expected: Indicator) -> bool {
        self.indicator.is_none_or(|indicator| indicator == expected)
    }
}

/// Prints type and sizes. Value and label identify devices, so it leaves them out.
impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("kind", &self.kind)
            .field("bytes", &self.value.len())
            .field("indicator", &self.indicator)
            .finish_non_exhaustive()
    }
}

/// How a record names its format.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(clippy::exhaustive_enums, reason = "RFC 9999's two kinds of type")]
pub enum Type {
    /// A number of the CoAP Content-Formats registry; CBOR only.
    ContentFormat(u16),
    /// A media type.
    Media(MediaType),
}

/// A non-empty set of kinds of conceptual message, 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Indicator(u32);

impl Indicator {
    /// Bit 0.
    pub const REFERENCE_VALUES: Self = Self(1);
    /// Bit 1.
    pub const ENDORSEMENTS: Self = Self(2);
    /// Bit 2.
    pub const EVIDENCE: Self = Self(4);
    /// Bit 3.
    pub const ATTESTATION_RESULTS: Self = Self(8);
    /// Bit 4.
    pub const APPRAISAL_POLICY: Self = Self(16);

    /// The set with these bits.
    ///
    /// # Errors
    /// [`CmwError::Indicator`] for 0, which is a message of no kind.
    pub fn from_bits(bits: u32) -> Result<Self, CmwError> {
        if bits == 0 {
            return Err(CmwError::Indicator);
        }
        Ok(Self(bits))
    }

    /// The bits.
    pub fn bits(self) -> u32 {
        self.0
    }
}

/// RFC 9782 §6.3 and RFC 9999: the Content-Formats that RATS registered.
fn media_type_of(content_format: u16) -> Option<MediaType> {
    let text = match content_format {
        263 => "application/eat+cwt",
        264 => "application/eat+jwt",
        265 => "application/eat-bun+cbor",
        266 => "application/eat-bun+json",
        267 => "application/eat-ucs+cbor",
        268 => "application/eat-ucs+json",
        273 => "application/cmw+cbor",
        274 => "application/cmw+json",
        275 => "application/cmw+cose",
        276 => "application/cmw+jws",
        _ => return None,
    };
    MediaType::parse(text).ok()
}
