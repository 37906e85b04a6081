//! Certificates of keys of TPMs, to the configured roots.

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use rustls::crypto::WebPkiSupportedAlgorithms;
use webpki::CertRevocationList;
use webpki::EndEntityCert;
use webpki::Error;
use webpki::ExpirationPolicy;
use webpki::KeyUsage;
use webpki::RevocationCheckDepth;
use webpki::RevocationOptions;
use webpki::RevocationOptionsBuilder;
use webpki::UnknownStatusPolicy;
use webpki::anchor_from_trusted_cert;

/// The anchors that certificates are verified against.
pub(crate) struct Anchors<'a> {
    pub(crate) roots: &'a [CertificateDer<'static>],
    pub(crate) intermediates: &'a [CertificateDer<'a>],
    /// Where there is any, one must be of the certificate's issuer, and say that the certificate is not revoked.
    pub(crate) revocation_lists: &'a [CertRevocationList<'static>],
    pub(crate) supported: &'a WebPkiSupportedAlgorithms,
}

/// Why a certificate is none to rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChainError {
    /// It does not chain to a root, now and for its purpose.
    Chain,
    /// No list of its issuer that is not outdated says anything of it.
    RevocationUnknown,
    Revoked,
    /// A configured root is no certificate.
    Root,
}

impl Anchors<'_> {
    /// Verifies a chain (RFC 5280), now, and its purpose. Lists are those that are configured; none is fetched.
    pub(crate) fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        purpose: KeyUsage,
        now: UnixTime,
    ) -> Result<(), ChainError> {
        let anchors = self.roots.iter().map(anchor_from_trusted_cert);
        let anchors: Result<Vec<_>, _> = anchors.collect();
        let anchors = anchors.map_err(|_| ChainError::Root)?;
        let leaf = EndEntityCert::try_from(certificate).map_err(|_| ChainError::Chain)?;
        let (supported, between) = (self.supported.all, self.intermediates);
        let lists: Vec<_> = self.revocation_lists.iter().collect();
        let revocation = revocation(&lists);
        leaf.verify_for_usage(supported, &anchors, between, now, purpose, revocation, None)
            .map(drop)
            .map_err(|error| match error {
                Error::CertRevoked => ChainError::Revoked,
                Error::UnknownRevocationStatus | Error::CrlExpired { .. } => {
                    ChainError::RevocationUnknown
                }
                _ => ChainError::Chain,
            })
    }
}

fn revocation<'a>(lists: &'a [&'a CertRevocationList<'a>]) -> Option<RevocationOptions<'a>> {
    // Without any list there are no options.
    let options = RevocationOptionsBuilder::new(lists).ok()?;
    let options = options
        .with_depth(RevocationCheckDepth::EndEntity)
        .with_status_policy(UnknownStatusPolicy::Deny)
        .with_expiration_policy(ExpirationPolicy::Enforce);
    Some(options.build())
}

/// 2.23.133.8.3, `tcg-kp-AIKCertificate`.
pub(crate) const AK_CERTIFICATE: &[u8] = &[0x67, 0x81, 0x05, 0x08, 0x03];
