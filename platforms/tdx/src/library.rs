//! The DCAP library's appraisal.
//!
//! A quote and collateral go in; the library's claims come out, about the very report that this crate's reader read. On failure
//! comes the reason: an error of quote or collateral, or a platform that Intel does not vouch for.

use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Quote;
use dcap_qvl::QuoteClaims;
use dcap_qvl::QuotePolicy;
use dcap_qvl::verify::QuoteVerifier;

use crate::attributes;
use crate::collateral::Collateral;
use crate::error::QuoteError;
use crate::library_report;
use crate::policy::TcbStatus;
use crate::root::Root;
use crate::signatures;

/// The library gave no claims.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LibraryRefusal {
    /// The quote or the collateral is no good.
    Error(QuoteError),
    /// Intel does not vouch for the platform at present. Whether the quote is genuine was not necessarily verified.
    Platform(TcbStatus),
}

impl From<QuoteError> for LibraryRefusal {
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
) -> Result<QuoteClaims, LibraryRefusal> {
    let now = at.as_secs();
    let policy = QuotePolicy::claims_only(now);
    let claims = verifier
        .verify_with_policy(quote.bytes, collateral.dcap(), now, &policy)
        // The library's errors are text. It is read to tell one kind of refusal from another, and for nothing else.
        .map_err(|error| meaning(&format!("{error:#}"), quote, collateral, root, at))?;
    // The library verified what it read; the policy is checked against what this crate's reader read.
    let same = library_report::of(&claims.report) == quote.report
        && library_report::of_enclave(&claims.qe.report) == quote.qe;
    if same {
        Ok(claims)
    } else {
        Err(QuoteError::ReportMismatch.into())
    }
}

/// Whether the library appraises the quote at all. It refuses some bits under every policy, and gives nothing to make a result
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
) -> LibraryRefusal {
    if let Err(error) = signatures::verify(quote, root, at) {
        return error.into();
    }
    if text.contains("CertRevoked") {
        return QuoteError::Revoked.into();
    }
    if text.contains("TCB status is invalid: Revoked") {
        return LibraryRefusal::Platform(TcbStatus::Revoked);
    }
    if UNRECOGNISED.iter().any(|known| text.contains(known)) {
        return LibraryRefusal::Platform(TcbStatus::Unrecognised);
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

#[cfg(all(test, feature = "testing"))]
mod tests {
    #![allow(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        clippy::unwrap_used,
        reason = "a test fails by panicking"
    )]

    use std::ops::Range;
    use std::time::Duration;

    use atls_formats::dcap::Td15;
    use atls_formats::dcap::Td15Extended;
    use atls_formats::dcap::TdReport;
    use atls_formats::dcap::Tee;

    use super::*;
    use crate::testing::ForgedPlatform;

    const NOW: u64 = 20_833 * 24 * 60 * 60;

    /// Has this crate read each of these bytes otherwise than the library, and gives the number of those that belong to a field.
    fn refuses_each_misread(
        platform: &ForgedPlatform,
        bytes: &[u8],
        tee: Tee,
        misread: Range<usize>,
    ) -> usize {
        let collateral = platform.collateral(tee).unwrap();
        let root = Root::other(platform.root());
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        let appraise =
            |quote: &Quote<'_>| appraise(&root.verifier(), quote, &collateral, &root, now);
        let good = Quote::decode(bytes, tee).unwrap();
        assert!(appraise(&good).is_ok());
        let mut refused = 0;
        for index in misread {
            let mut other = bytes.to_vec();
            other[index] ^= 1;
            let other = Quote::decode(&other, tee).unwrap();
            let mut quote = good.clone();
            (quote.report, quote.qe) = (other.report, other.qe);
            if (&quote.report, &quote.qe) != (&good.report, &good.qe) {
                let mismatch = LibraryRefusal::Error(QuoteError::ReportMismatch);
                assert_eq!(appraise(&quote).map(drop), Err(mismatch), "byte {index}");
                refused += 1;
            }
        }
        refused
    }

    #[test]
    fn a_td_that_the_library_reads_otherwise_is_refused() {
        let platform = ForgedPlatform::new(NOW).unwrap();
        let plain = platform.td_report();
        let td15 = TdReport {
            td15: Some(Td15::new(plain.tee_tcb_svn)),
            ..plain.clone()
        };
        let extended = TdReport {
            td15_extended: Some(Td15Extended::new([0x1d; 32])),
            ..td15.clone()
        };
        // An extended body has 237 bytes beyond that of TDX 1.5; 32, 48 and 48 of them belong to fields.
        for (report, body, size, fields) in [
            (plain, 48, 584, 584),
            (td15, 54, 648, 648),
            (extended, 54, 885, 648 + 32 + 48 + 48),
        ] {
            let quote = platform.tdx_quote(&report, &[7; 64]).unwrap();
            let range = body..body + size;
            let refused = refuses_each_misread(&platform, &quote, Tee::Tdx, range);
            assert_eq!(refused, fields);
        }
    }

    #[test]
    fn an_enclave_that_the_library_reads_otherwise_is_refused() {
        let platform = ForgedPlatform::new(NOW).unwrap();
        let report = platform.sgx_report();
        let quote = platform.sgx_quote(&report, &[7; 64]).unwrap();
        // The enclave, and the Quoting Enclave behind length, signature and key; 118 bytes of each are reserved.
        for start in [48, 48 + 384 + 4 + 128] {
            let range = start..start + 384;
            let refused = refuses_each_misread(&platform, &quote, Tee::Sgx, range);
            assert_eq!(refused, 384 - 12 - 32 - 32 - 42);
        }
    }
}
