//! Certificates of keys of TPMs, to the configured roots.

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use rustls::crypto::WebPkiSupportedAlgorithms;
use webpki::CertRevocationList;
use webpki::EndEntityCert;
use webpki::Error;
use webpki::ExpirationPolicy;
use webpki::ExtendedKeyUsageValidator;
use webpki::KeyPurposeId;
use webpki::KeyPurposeIdIter;
use webpki::KeyUsage;
use webpki::RequiredEkuNotFoundContext;
use webpki::RevocationCheckDepth;
use webpki::RevocationOptions;
use webpki::RevocationOptionsBuilder;
use webpki::UnknownStatusPolicy;
use webpki::anchor_from_trusted_cert;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

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
        purpose: Purpose,
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
            .map_err(|error| match error {
                Error::CertRevoked => ChainError::Revoked,
                Error::UnknownRevocationStatus | Error::CrlExpired { .. } => {
                    ChainError::RevocationUnknown
                }
                _ => ChainError::Chain,
            })?;
        match purpose {
            Purpose::AttestationKey if !is_for_attestation(certificate) => Err(ChainError::Chain),
            _ => Ok(()),
        }
    }
}

/// The use of a certified key. Each certificate of a chain has its purposes, or names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The key's own certificate must say that it is of one. Authorities of Google Cloud certify such keys, and are for endorsement keys
    /// by their own certificates; so either will do there.
    AttestationKey,
    EndorsementKey,
}

impl ExtendedKeyUsageValidator for Purpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        let mut present = Vec::new();
        for purpose in purposes {
            let purpose = purpose?;
            let is_of_keys =
                *self == Self::AttestationKey && purpose == KeyPurposeId::new(AK_CERTIFICATE);
            if is_of_keys || purpose == KeyPurposeId::new(EK_CERTIFICATE) {
                return Ok(());
            }
            present.push(purpose.to_decoded_oid());
        }
        if present.is_empty() {
            return Ok(());
        }
        let required = KeyUsage::required(EK_CERTIFICATE);
        let lacking = RequiredEkuNotFoundContext { required, present };
        Err(Error::RequiredEkuNotFoundContext(lacking))
    }
}

/// Of a certificate whose chain is verified.
fn is_for_attestation(certificate: &[u8]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let Ok(Some(usage)) = certificate.extended_key_usage() else {
        return false;
    };
    let mut purposes = usage.value.other.iter();
    purposes.any(|purpose| purpose.as_bytes() == AK_CERTIFICATE)
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

/// 2.23.133.8.1, `tcg-kp-EKCertificate`.
const EK_CERTIFICATE: &[u8] = &[0x67, 0x81, 0x05, 0x08, 0x01];

/// 2.23.133.8.3, `tcg-kp-AIKCertificate`.
const AK_CERTIFICATE: &[u8] = &[0x67, 0x81, 0x05, 0x08, 0x03];
