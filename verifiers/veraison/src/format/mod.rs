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
/// There is no format without [`check`](Self::check): some of Veraison's schemes do not look whether Evidence is fresh,
/// so what binds a result to a connection is that the expected value was found in the Evidence, here.
pub trait EvidenceFormat: Send + Sync {
    /// The media type, as the peer labels the Evidence and as the service lists it.
    fn media_type(&self) -> &str;

    /// How its Evidence carries the value of a connection; the service is given the same octets as nonce.
    fn carriage(&self) -> Carriage;

    /// The names of the submodules that the service's scheme puts into its results: all must be there.
    fn parts(&self) -> &[&'static str];

    /// Finds `challenge` in the Evidence: whole, of equal length, once, in octets that the Evidence's own signature covers.
    /// The octets are hostile. Framing that is not signed must be refused unless every reader reads it alike: no unknown
    /// or repeated keys, nothing after its end.
    ///
    /// The signature itself is the service's to verify.
    ///
    /// # Errors
    /// [`AppraisalError::NotBound`] where another value is found, [`AppraisalError::Malformed`] where none can be.
    fn check(&self, evidence: &[u8], challenge: &[u8]) -> Result<Checked, AppraisalError>;
}

/// What a format's own check found.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub(crate) origin: Origin,
    pub(crate) judgement: Option<Appraisal>,
}

impl Checked {
    /// Bound to the connection; from a device or from a simulator, as the Evidence itself says.
    pub fn from_origin(origin: Origin) -> Self {
        Self {
            origin,
            judgement: None,
        }
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
