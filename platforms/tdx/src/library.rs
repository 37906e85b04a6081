//! The DCAP library's appraisal, and what its refusals mean.

use atls_core::pki_types::UnixTime;
use dcap_qvl::QuoteClaims;
use dcap_qvl::QuotePolicy;
use dcap_qvl::verify::QuoteVerifier;

use crate::attributes;
use crate::collateral::Collateral;
use crate::error::QuoteError;
use crate::policy::TcbStatus;
use crate::signatures;
use crate::signatures::Root;
use atls_formats::dcap::Quote;

/// Why the library gave no claims.
pub(crate) enum Refused {
    /// The quote or the collateral is no good.
    Error(QuoteError),
    /// The platform is none that Intel vouches for at present. Whether the quote is genuine was not necessarily looked at.
    Platform(TcbStatus),
}

impl From<QuoteError> for Refused {
    fn from(error: QuoteError) -> Self {
        Self::Error(error)
    }
}

/// Chains, revocation, expiry, QE identity, TCB level, signatures. Policy is not the library's here: it would refuse
/// without saying what it found, and its strictest one refuses every cloud.
pub(crate) fn appraise(
    verifier: &QuoteVerifier,
    quote: &Quote<'_>,
    collateral: &Collateral,
    root: &Root,
    at: UnixTime,
) -> Result<QuoteClaims, Refused> {
    let now = at.as_secs();
    verifier
        .verify_with_policy(
            quote.bytes,
            collateral.dcap(),
            now,
            &QuotePolicy::claims_only(now),
        )
        .map_err(|error| {
            // The library's errors are text. What is read from it decides between kinds of refusal, and nothing else.
            meaning(&format!("{error:#}"), quote, collateral, root, at)
        })
}

/// Whether the library appraises the quote at all. It refuses some bits whatever it is told, and gives nothing that a result could be
/// made of.
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

/// No level, no module, no Quoting Enclave that the collateral knows; or a level whose status its document does not define.
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
