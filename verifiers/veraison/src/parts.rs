//! The parts of an attester that a result must appraise.

use atls_core::Bound;
use atls_core::expected::ExpectedValue;
use atls_remote::EvidenceFormat;
use atls_remote::EvidenceReading;
use atls_remote::Failure;

use crate::service::VeraisonService;

/// The names of the submodules that a scheme of the service puts into its results. All of them must be there, and there is at least
/// one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts(Vec<String>);

impl Parts {
    /// One part.
    pub fn of(name: impl Into<String>) -> Self {
        Self(vec![name.into()])
    }

    /// One more part.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>) -> Self {
        self.0.push(name.into());
        self
    }

    /// All of them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// A format whose results must appraise other parts than its own, for services that renamed their schemes.
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

    fn read(&self, evidence: &[u8]) -> Result<EvidenceReading, Failure> {
        self.format.read(evidence)
    }
}
