//! What a certificate with Evidence is like.

use std::time::Duration;

use atls_core::certificate::Format;

/// The names, lifetime and format of certificates that carry Evidence.
///
/// ```
/// use std::time::Duration;
/// use atls_core::certificate::Format;
/// use atls_tower::weaker::CertificateProfile;
///
/// let hourly = CertificateProfile::new(Duration::from_secs(3600)).name("service.example");
/// let for_gramine = hourly.clone().format(Format::TaggedEvidence);
/// # assert_ne!(hourly, for_gramine);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct CertificateProfile {
    pub(super) names: Vec<String>,
    pub(super) lifetime: Duration,
    pub(super) format: Format,
}

impl CertificateProfile {
    /// Certificates of this lifetime, which bounds how long their Evidence can be replayed, without names and in the
    /// default format: [`Format::Cmw`], which is the published standard and fits every platform.
    pub fn new(lifetime: Duration) -> Self {
        Self {
            names: Vec::new(),
            lifetime,
            format: Format::default(),
        }
    }

    /// Adds a name of a server, for clients that look at it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.names.push(name.into());
        self
    }

    /// How the Evidence is carried. [`Format::TaggedEvidence`] is for peers that read no other, and for attesters of
    /// SGX and TDX that know it.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }
}
