//! Evidence of two parts: a TD's quote and its event log.

use atls_core::bounded::CborLimits;
use ciborium::Value;

use super::error::QuoteFormatError;
use crate::printed::printed_by_name;

/// `[ quote: bstr, event log: bstr ]`, of media type [`TDX_EVIDENCE`](super::TDX_EVIDENCE).
#[derive(Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "the envelope has two members")]
pub struct TdxEvidence {
    /// The quote, unread.
    pub quote: Vec<u8>,
    /// The event log, unread.
    pub event_log: Vec<u8>,
}

printed_by_name!(TdxEvidence, "TdxEvidence");

impl TdxEvidence {
    /// Reads the envelope; nothing may follow it.
    ///
    /// # Errors
    /// [`QuoteFormatError`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, QuoteFormatError> {
        let malformed = QuoteFormatError::of("evidence");
        let Ok(Value::Array(parts)) = LIMITS.read(bytes) else {
            return Err(malformed);
        };
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next()) {
            (Some(Value::Bytes(quote)), Some(Value::Bytes(event_log)), None) => {
                Ok(Self { quote, event_log })
            }
            _ => Err(malformed),
        }
    }

    /// Writes the envelope.
    ///
    /// # Errors
    /// [`QuoteFormatError`], which is not expected.
    pub fn encode(self) -> Result<Vec<u8>, QuoteFormatError> {
        let mut bytes = Vec::new();
        let parts = vec![Value::Bytes(self.quote), Value::Bytes(self.event_log)];
        ciborium::into_writer(&Value::Array(parts), &mut bytes)
            .map_err(|_| QuoteFormatError::of("evidence"))?;
        Ok(bytes)
    }
}

/// An array of byte strings: three items, and more if strings come in chunks.
const LIMITS: CborLimits = CborLimits {
    items: 64,
    nesting: 3,
};
