//! Certificates of keys of TPMs, to the configured roots.

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use rustls::crypto::WebPkiSupportedAlgorithms;
use webpki::EndEntityCert;
use webpki::KeyUsage;
use webpki::anchor_from_trusted_cert;

use super::EnrolmentError;

/// The anchors that certificates are verified against.
pub(super) struct Anchors<'a> {
    pub(super) roots: &'a [CertificateDer<'static>],
    pub(super) intermediates: &'a [CertificateDer<'static>],
    pub(super) supported: &'a WebPkiSupportedAlgorithms,
}

impl Anchors<'_> {
    /// Verifies a chain (RFC 5280), now, and its purpose. Revocation is not asked for: makers publish few lists.
    pub(super) fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        purpose: KeyUsage,
        now: UnixTime,
    ) -> Result<(), EnrolmentError> {
        let anchors = self.roots.iter().map(anchor_from_trusted_cert);
        let anchors: Result<Vec<_>, _> = anchors.collect();
        let anchors = anchors.map_err(|_| EnrolmentError::Local("a root is no certificate"))?;
        let leaf = EndEntityCert::try_from(certificate).map_err(|_| EnrolmentError::Chain)?;
        let (supported, between) = (self.supported.all, self.intermediates);
        leaf.verify_for_usage(supported, &anchors, between, now, purpose, None, None)
            .map(drop)
            .map_err(|_| EnrolmentError::Chain)
    }
}
