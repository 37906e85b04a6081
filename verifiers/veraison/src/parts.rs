//! The parts of an attester that a result must judge.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::ExpectedValue;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;

use crate::service::VeraisonService;

/// The names of the submodules that a scheme of the service puts into its results: at least one, and all must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    first: String,
    others: Vec<String>,
}

impl Parts {
    /// One part.
    pub fn of(name: impl Into<String>) -> Self {
        Self {
            first: name.into(),
            others: Vec::new(),
        }
    }

    /// One more part.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>) -> Self {
        self.others.push(name.into());
        self
    }

    /// All of them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.first)
            .chain(&self.others)
            .map(String::as_str)
    }
}

/// A format whose results must judge other parts than it says itself, for services whose schemes were renamed.
#[derive(Clone, Debug)]
pub struct FormatWithParts<F> {
    format: F,
    parts: Parts,
}

impl<F: EvidenceFormat<VeraisonService>> FormatWithParts<F> {
    /// This format with these parts.
    pub fn new(format: F, parts: Parts) -> Self {
        Self { format, parts }
    }
}

impl<F: EvidenceFormat<VeraisonService>> EvidenceFormat<VeraisonService> for FormatWithParts<F> {
    fn media_type(&self) -> &str {
        self.format.media_type()
    }

    fn terms(&self) -> Parts {
        self.parts.clone()
    }

    fn expected_value(&self, bound: &Bound) -> ExpectedValue {
        self.format.expected_value(bound)
    }

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading, AppraisalError> {
        self.format.read(evidence)
    }
}
