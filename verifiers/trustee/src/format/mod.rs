//! Formats of Evidence: what the peer sends, what Trustee wants, and the check in between.

mod azure;
mod sample;
mod snp;
mod tdx;

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::BinaryText;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_formats::Carriage;
use atls_formats::Debugging;
use serde_json::Value;

pub use azure::AzureVtpm;
pub use sample::SampleEvidence;
pub use snp::SnpReport;
pub use tdx::TdxQuote;

/// One format of Evidence that Trustee has a verifier for.
pub trait EvidenceFormat: Send + Sync {
    /// The media type, as the peer labels the Evidence.
    fn media_type(&self) -> &str;

    /// The name of its TEE, in Trustee's requests and in the annotated evidence of its results.
    fn tee(&self) -> &'static str;

    /// How its Evidence carries the value of a connection.
    fn carriage(&self) -> Carriage;

    /// How Trustee's results spell its `report_data`.
    fn report_data(&self) -> BinaryText;

    /// Whether such Evidence comes from a device. Trustee's `sample` does not.
    fn origin(&self) -> Origin;

    /// Reads the Evidence, and gives the JSON that Trustee wants and the challenge that the Evidence carries, out of octets that
    /// its own signature covers. The octets are hostile, and the JSON must be made of what was read: two parsers may read one
    /// text differently.
    ///
    /// The signature is the service's to verify, and the challenge is compared by the [`TrusteeVerifier`](crate::TrusteeVerifier).
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`] where no challenge can be found.
    fn shape(&self, evidence: &[u8]) -> Result<Shaped, AppraisalError>;
}

/// Evidence in Trustee's form.
#[derive(Clone, Debug, PartialEq)]
pub struct Shaped {
    pub(crate) json: Value,
    pub(crate) challenge: Vec<u8>,
    pub(crate) judgement: Option<Appraisal>,
}

impl Shaped {
    /// What Trustee wants, and what the Evidence carries as the value of a connection.
    pub fn new(json: Value, challenge: impl Into<Vec<u8>>) -> Self {
        Self {
            json,
            challenge: challenge.into(),
            judgement: None,
        }
    }

    /// What Trustee is given.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// What the Evidence carries as the value of a connection.
    pub fn challenge(&self) -> &[u8] {
        &self.challenge
    }

    /// What we judge by ourselves.
    pub fn judgement(&self) -> Option<&Appraisal> {
        self.judgement.as_ref()
    }

    /// Adds a judgement of our own. It becomes a part of the result named `local`, and can only make it worse.
    #[must_use]
    pub fn with_judgement(mut self, judgement: Appraisal) -> Self {
        self.judgement = Some(judgement);
        self
    }
}

/// AR4SI `configuration`: a guest that may be debugged, or moved by a migration agent, keeps nothing secret, whatever the service's policy says.
fn judgement(debugging: Debugging) -> Appraisal {
    let value = match debugging {
        Debugging::Allowed => 96,
        Debugging::Denied => 2,
    };
    Appraisal::new(TrustVector::new().with(Category::Configuration, TrustClaim::new(value)))
}
