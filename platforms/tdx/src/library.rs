//! The DCAP library's appraisal.
//!
//! A quote and collateral go in; the library's claims come out. On failure comes the reason: an error of quote or collateral, or a platform that Intel does not vouch for.

use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Quote;
use dcap_qvl::QuoteClaims;
use dcap_qvl::QuotePolicy;
use dcap_qvl::verify::QuoteVerifier;

use crate::attributes;
use crate::collateral::Collateral;
use crate::error::QuoteError;
use crate::policy::TcbStatus;
use crate::root::Root;
use crate::signatures;

/// The library gave no claims.
pub(crate) enum Refused {
    /// The quote or the collateral is no good.
    Error(QuoteError),
    /// Intel does not vouch for the platform at present. Whether the quote is genuine was not necessarily verified.
    Platform(TcbStatus),
}

impl From<QuoteError> for Refused {
    fn from(error: QuoteError) -> Self {
        Self::Error(error)
    }
}

/// Chains, revocation, expiry, QE identity, TCB level, signatures. The library checks no policy here: it would refuse
/// without a word about what it found, and its strictest one refuses every cloud.
pub(crate) fn appraise(
    verifier: &QuoteVerifier,
    quote: &Quote<'_>,
    collateral: &Collateral,
    root: &Root,
    at: UnixTime,
) -> Result<QuoteClaims, Refused> {
    let now = at.as_secs();
    let policy = QuotePolicy::claims_only(now);
    verifier
        .verify_with_policy(quote.bytes, collateral.dcap(), now, &policy)
        // The library's errors are text. What is read from it tells one kind of refusal from another, and nothing else.
        .map_err(|error| meaning(&format!("{error:#}"), quote, collateral, root, at))
}

/// Whether the library appraises the quote at all. It refuses some bits whatever it is told, and gives nothing to make a result
/// of.
pub(crate) fn appraises(quote: &Quote<'_>) -> bool {
    let Some(td) = quote.report.as_td() else {
        return true;
    };
    let bits = td.td_attributes;
    let reserved = bits & !attributes::TD_DEFINED != 0;
    let migratable = bits & attributes::TD_MIGRATABLE != 0;
    let fragile = bits & attributes::TD_SEPT_VE_DISABLE == 0;
    let served = td.td15.is_none() && bits & attributes::TD_SERVTD_EXT != 0;
    !(reserved || migratable || fragile || served)
}

fn meaning(
    text: &str,
    quote: &Quote<'_>,
    collateral: &Collateral,
    root: &Root,
    at: UnixTime,
) -> Refused {
    if let Err(error) = signatures::verify(quote, root, at) {
        return error.into();
    }
    if text.contains("CertRevoked") {
        return QuoteError::Revoked.into();
    }
    if text.contains("TCB status is invalid: Revoked") {
        return Refused::Platform(TcbStatus::Revoked);
    }
    if UNRECOGNISED.iter().any(|known| text.contains(known)) {
        return Refused::Platform(TcbStatus::Unrecognised);
    }
    if !collateral.is_current(at) || text.contains("CrlExpired") {
        return QuoteError::Expired.into();
    }
    match collateral.verify_chains(root, at) {
        Err(error @ QuoteError::Expired) => error.into(),
        _ => QuoteError::Collateral.into(),
    }
}

/// The collateral knows no such level, module or Quoting Enclave; or it gives a level a status that its document does not define.
const UNRECOGNISED: [&str; 11] = [
    "No matching TCB level found",
    "No TCB levels found in QE Identity",
    "No TDX module identity",
    "QE ATTRIBUTES mismatch",
    "QE ISVPRODID mismatch",
    "QE ISVSVN",
    "QE MISCSELECT mismatch",
    "QE MRSIGNER mismatch",
    "QE report validation failed",
    "TDX module",
    "Unrecognized TCB status",
];
