//! Formats of Evidence, each with the check that comes before any submission.

mod cbor;
mod cca;
mod psa;
mod snp;

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_formats::Carriage;

pub use cca::CcaToken;
pub use psa::PsaToken;
pub use snp::SevSnpReport;

/// One format of Evidence that the service has a scheme for.
///
/// Some of Veraison's schemes do not look whether Evidence is fresh, so what binds a result to a connection is that the expected
/// value is found in the Evidence here: there is no format without [`read`](Self::read), and what it gives, the
/// [`VeraisonVerifier`](crate::VeraisonVerifier) compares.
pub trait EvidenceFormat: Send + Sync {
    /// The media type, as the peer labels the Evidence and as the service lists it.
    fn media_type(&self) -> &str;

    /// How its Evidence carries the value of a connection; the service is given the same octets as nonce.
    fn carriage(&self) -> Carriage;

    /// The names of the submodules that the service's scheme puts into its results: all must be there.
    fn parts(&self) -> &[&'static str];

    /// Reads the challenge that the Evidence carries: it stands there once, in octets that the Evidence's own signature covers.
    /// The octets are hostile. Framing that is not signed must be refused unless every reader reads it alike: no unknown
    /// or repeated keys, nothing after its end.
    ///
    /// The signature itself is the service's to verify.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`] where no challenge can be found.
    fn read(&self, evidence: &[u8]) -> Result<Carried, AppraisalError>;
}

/// What a format reads in Evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Carried {
    pub(crate) challenge: Vec<u8>,
    pub(crate) origin: Origin,
    pub(crate) judgement: Option<Appraisal>,
}

impl Carried {
    /// What the Evidence carries as the value of a connection; and whether it comes from a device or from a simulator, as the
    /// Evidence itself says.
    pub fn new(challenge: impl Into<Vec<u8>>, origin: Origin) -> Self {
        Self {
            challenge: challenge.into(),
            origin,
            judgement: None,
        }
    }

    /// What the Evidence carries as the value of a connection.
    pub fn challenge(&self) -> &[u8] {
        &self.challenge
    }

    /// Adds a judgement of our own, about what the service's scheme overlooks. It becomes a part of the result named
    /// `local`, and can only make it worse.
    #[must_use]
    pub fn with_judgement(mut self, judgement: Appraisal) -> Self {
        self.judgement = Some(judgement);
        self
    }
}

/// AR4SI `configuration`: nothing to object to, or contraindicated.
fn configuration(found: Configuration) -> Appraisal {
    let value = match found {
        Configuration::Acceptable => 2,
        Configuration::Insecure => 96,
    };
    Appraisal::new(TrustVector::new().with(Category::Configuration, TrustClaim::new(value)))
}

#[derive(Clone, Copy)]
enum Configuration {
    Acceptable,
    Insecure,
}

/// `psa-security-lifecycle` and `cca-platform-lifecycle` (RFC 9783 §4.3.1): `secured` is 0x3000 to 0x30ff, and nothing else
/// is without some debugging.
fn lifecycle(code: u16) -> Appraisal {
    configuration(match code {
        0x3000..=0x30ff => Configuration::Acceptable,
        _ => Configuration::Insecure,
    })
}
