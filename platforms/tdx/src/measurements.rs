//! The measurements in a quote, for somebody who looks at a TD of their own.

use atls_core::AppraisalError;
use atls_formats::dcap::Quote;
use atls_formats::dcap::Tee;
use atls_reference::Digest;

use crate::error::QuoteError;
use crate::platform::pck_extension;

/// The measurements in a TDX quote, by the names that a policy file has for them, with their values as they stand there.
///
/// **Nothing is verified**, neither signature nor binding. Look by it at a TD of your own for values that a policy could pin. To pin
/// the values of another TD is to trust whoever made the bytes.
///
/// # Errors
/// [`AppraisalError::Malformed`]
pub fn dangerous_unverified_measurements(
    quote: &[u8],
) -> Result<Vec<(&'static str, String)>, AppraisalError> {
    let quote = Quote::decode(quote, Tee::Tdx).map_err(QuoteError::from)?;
    let report = quote.report.as_td().ok_or(AppraisalError::Malformed)?;
    let [rtmr0, rtmr1, rtmr2, rtmr3] = &report.rtmr;
    let mut found = vec![
        ("mrtd", &report.mrtd),
        ("rtmr0", rtmr0),
        ("rtmr1", rtmr1),
        ("rtmr2", rtmr2),
        ("rtmr3", rtmr3),
        ("mrconfigid", &report.mrconfigid),
        ("mrowner", &report.mrowner),
        ("mrownerconfig", &report.mrownerconfig),
        ("mrseam", &report.mrseam),
    ];
    if let Some(td) = &report.td15 {
        found.push(("service-td", &td.mrservicetd));
    }
    let shown = |(name, value): (_, &Digest<48>)| (name, value.to_string());
    Ok(found.into_iter().map(shown).collect())
}

/// The flags of the platform in a quote's PCK certificate, by the settings of a policy file that refuse them where they are `false`:
/// `allow-dynamic-platform`, `allow-cached-keys`, `allow-smt`. `None` for one that the certificate does not state.
///
/// **Nothing is verified**, as for [the measurements](dangerous_unverified_measurements).
///
/// # Errors
/// [`AppraisalError::Malformed`]
pub fn dangerous_unverified_platform_flags(
    quote: &[u8],
    tee: Tee,
) -> Result<[(&'static str, Option<bool>); 3], AppraisalError> {
    let quote = Quote::decode(quote, tee).map_err(QuoteError::from)?;
    let pck = pck_extension(&quote)?;
    Ok([
        ("allow-dynamic-platform", pck.dynamic_platform),
        ("allow-cached-keys", pck.cached_keys),
        ("allow-smt", pck.smt_enabled),
    ])
}
