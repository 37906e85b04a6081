//! Certificate chains that end at the trusted root.

use atls_core::bounded;
use atls_core::limits::MAX_CERTIFICATE_VALUES;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::TrustAnchor;
use atls_core::pki_types::UnixTime;
use webpki::EndEntityCert;
use webpki::KeyUsage;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::ecdsa;
use crate::error::QuoteError;

/// A chain that ends at the trusted root, not yet verified.
pub(crate) struct Chain<'a> {
    root: CertificateDer<'a>,
    certificates: Vec<CertificateDer<'a>>,
}

impl<'a> Chain<'a> {
    /// For the split of a chain by its root alone, which compares the root.
    pub(crate) fn new(certificates: &'a [Vec<u8>], root: &'a [u8]) -> Self {
        let certificates = certificates.iter();
        Self {
            root: CertificateDer::from_slice(root),
            certificates: certificates
                .map(|der| CertificateDer::from_slice(der))
                .collect(),
        }
    }
}

impl Chain<'_> {
    /// Verifies the chain at the given time, apart from revocation.
    pub(crate) fn verify(&self, now: UnixTime) -> Result<EndEntityCert<'_>, QuoteError> {
        let anchor = self.anchor()?;
        let (leaf, intermediates) = self
            .certificates
            .split_first()
            .ok_or(QuoteError::BadSignature)?;
        let leaf = EndEntityCert::try_from(leaf).map_err(|_| QuoteError::BadSignature)?;
        leaf.verify_for_usage(
            &[ecdsa::backend().sig_algo],
            &[anchor],
            intermediates,
            now,
            KeyUsage::server_auth(),
            None,
            None,
        )
        .map_err(|error| match error {
            webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => {
                QuoteError::Expired
            }
            _ => QuoteError::BadSignature,
        })?;
        Ok(leaf)
    }

    /// As [`verify`](Self::verify), for a chain of an issuer and the root.
    pub(crate) fn verify_issuer(&self, now: UnixTime) -> Result<TrustAnchor<'_>, QuoteError> {
        let [issuer] = self.certificates.as_slice() else {
            return Err(QuoteError::BadSignature);
        };
        let (not_before, not_after) = validity(issuer)?;
        if !(not_before..=not_after).contains(&now.as_secs()) {
            return Err(QuoteError::Expired);
        }
        ecdsa::verify_signed(&self.anchor()?, issuer)?;
        webpki::anchor_from_trusted_cert(issuer).map_err(|_| QuoteError::BadSignature)
    }

    pub(crate) fn anchor(&self) -> Result<TrustAnchor<'_>, QuoteError> {
        webpki::anchor_from_trusted_cert(&self.root).map_err(|_| QuoteError::BadSignature)
    }
}

/// The time at which the first certificate of a chain expires, in seconds since the epoch.
pub(crate) fn not_after(chain: &[Vec<u8>]) -> Result<u64, QuoteError> {
    chain.iter().try_fold(u64::MAX, |end, certificate| {
        let (_, not_after) = validity(certificate)?;
        Ok(end.min(not_after))
    })
}

fn validity(certificate: &[u8]) -> Result<(u64, u64), QuoteError> {
    if !bounded::der(MAX_CERTIFICATE_VALUES, certificate) {
        return Err(QuoteError::BadSignature);
    }
    let parsed = Certificate::from_der(certificate).map_err(|_| QuoteError::BadSignature)?;
    let validity = parsed.tbs_certificate().validity();
    Ok((
        validity.not_before.to_unix_duration().as_secs(),
        validity.not_after.to_unix_duration().as_secs(),
    ))
}
