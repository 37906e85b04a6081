//! The failures of reading quotes and event logs.

/// Bytes that are not of the layout, with the part that is wrong. The peer must send a quote as its device made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("quote is malformed: {part}")]
#[non_exhaustive]
pub struct QuoteFormatError {
    /// The part that is wrong.
    pub part: &'static str,
}

impl QuoteFormatError {
    pub(super) fn of(part: &'static str) -> Self {
        Self { part }
    }
}

/// An event log that is malformed, or does not lead to the RTMRs of the quote. The peer must send the log of everything that
/// was extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event log does not lead to the measurements of the quote")]
#[non_exhaustive]
pub struct EventLogError;

/// Bytes that end too early.
pub(super) struct CutShort;

impl From<CutShort> for QuoteFormatError {
    fn from(_: CutShort) -> Self {
        Self::of("cut short")
    }
}

impl From<CutShort> for EventLogError {
    fn from(_: CutShort) -> Self {
        Self
    }
}
