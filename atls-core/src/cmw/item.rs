//! One message of a CMW, wherever it stands.

use std::fmt;

use super::error::CmwError;
use crate::media_type::MediaType;

/// One record or tag, with the label under which its collection holds it.
#[derive(Clone)]
pub struct Item<'a> {
    pub(super) label: String,
    pub(super) kind: Type,
    pub(super) value: &'a [u8],
    pub(super) indicator: Option<Indicator>,
}

impl<'a> Item<'a> {
    /// The labels on the way to it, joined by `/`; empty where it came alone. Chosen by the sender.
    ///
    /// No two ways are written alike: in a text label `~` is `~0` and `/` is `~1` as in a JSON Pointer (RFC 6901), and a
    /// text that is empty, or reads as an integer without being one, begins with `~2`.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its media type; `None` for a Content-Format whose media type is not known here.
    pub fn media_type(&self) -> Option<MediaType> {
        match &self.kind {
            Type::Media(media_type) => Some(media_type.clone()),
            Type::ContentFormat(number) => media_type_of(*number),
        }
    }

    /// Its type as carried.
    pub fn kind(&self) -> &Type {
        &self.kind
    }

    /// The message.
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// What the sender says it is, if it says.
    pub fn indicator(&self) -> Option<Indicator> {
        self.indicator
    }

    /// Labelled as Evidence and nothing else, or not labelled.
    pub fn is_evidence(&self) -> bool {
        self.says(Indicator::EVIDENCE)
    }

    /// Labelled as Attestation Results and nothing else, or not labelled.
    pub fn is_attestation_results(&self) -> bool {
        self.says(Indicator::ATTESTATION_RESULTS)
    }

    /// Labelled as Endorsements and nothing else.
    pub fn is_endorsements_only(&self) -> bool {
        self.indicator == Some(Indicator::ENDORSEMENTS)
    }

    fn says(&self, expected: Indicator) -> bool {
        self.indicator.is_none_or(|indicator| indicator == expected)
    }
}

/// Neither value nor label: they identify devices.
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

    /// # Errors
    /// [`CmwError::Indicator`] for 0: a message that is nothing.
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
