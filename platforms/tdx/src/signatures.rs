//! The quote's own signatures.
//!
//! A quote goes in, the platform that made it comes out, verified up to the root. No collateral is needed: these signatures
//! must verify before anything is fetched for a peer. [`QuoteError::BadSignature`] and [`QuoteError::Expired`] are the failures.

use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Quote;
use ring::digest;

use crate::ecdsa;
use crate::error::QuoteError;
use crate::platform::Platform;
use crate::platform::VerifiedPlatform;
use crate::root::Root;

/// The root signs the PCK chain, the PCK the QE report, the QE report the attestation key, and that key header and body.
pub(crate) fn verify(
    quote: &Quote<'_>,
    root: &Root,
    now: UnixTime,
) -> Result<VerifiedPlatform, QuoteError> {
    let platform = Platform::claimed_by(quote)?;
    let chain = root.split(&quote.chain)?;
    let pck = chain.verify(now)?;
    ecdsa::verify_by(&pck, quote.qe_report, quote.qe_signature)?;
    let covered = [&quote.attestation_key[..], quote.qe_authentication].concat();
    let covered = digest::digest(&digest::SHA256, &covered);
    // The first half of the QE report's report data: SHA-256 of attestation key and authentication data.
    if !quote.qe.report_data.starts_with(covered.as_ref()) {
        return Err(QuoteError::BadSignature);
    }
    ecdsa::verify(quote.attestation_key, quote.signed, quote.signature)?;
    Ok(VerifiedPlatform::new(platform))
}

/// The chain of the issuer of the PCK certificate: the quote's chain without its leaf.
pub(crate) fn pck_issuer<'a>(quote: &'a Quote<'_>) -> &'a [Vec<u8>] {
    quote.chain.get(1..).unwrap_or_default()
}
