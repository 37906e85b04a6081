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

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::time::Duration;

    use atls_formats::dcap::Report;
    use atls_formats::dcap::SgxReport;
    use atls_formats::dcap::Td15;
    use atls_formats::dcap::Td15Extended;
    use atls_formats::dcap::TdReport;
    use atls_formats::dcap::Tee;

    use super::*;
    use crate::testing::ForgedPlatform;

    const NOW: u64 = 20_833 * 24 * 60 * 60;

    /// Appraises a quote of which this crate's reader read something else than the library.
    fn appraise_misread(report: &Report, misread: impl FnOnce(&mut Quote<'_>)) -> Option<Refused> {
        let platform = ForgedPlatform::new(NOW).unwrap();
        let (bytes, tee) = match report {
            Report::Sgx(report) => (platform.sgx_quote(report, &[7; 64]), Tee::Sgx),
            Report::Td(report) => (platform.tdx_quote(report, &[7; 64]), Tee::Tdx),
        };
        let bytes = bytes.unwrap();
        let mut quote = Quote::decode(&bytes, tee).unwrap();
        misread(&mut quote);
        let collateral = platform.collateral(tee).unwrap();
        let root = Root::other(platform.root());
        let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
        appraise(&root.verifier(), &quote, &collateral, &root, now).err()
    }

    fn mismatch() -> Option<Refused> {
        Some(QuoteError::ReportMismatch.into())
    }

    #[test]
    fn a_td_that_the_library_reads_otherwise_is_refused() {
        type Misread = fn(&mut TdReport);
        let changes: [Misread; 21] = [
            |td| td.tee_tcb_svn[15] ^= 1,
            |td| td.mrseam = [9; 48].into(),
            |td| td.mrsignerseam = [9; 48].into(),
            |td| td.seam_attributes ^= 1,
            |td| td.td_attributes ^= 1,
            |td| td.xfam ^= 1,
            |td| td.mrtd = [9; 48].into(),
            |td| td.mrconfigid = [9; 48].into(),
            |td| td.mrowner = [9; 48].into(),
            |td| td.mrownerconfig = [9; 48].into(),
            |td| td.rtmr[0] = [9; 48].into(),
            |td| td.rtmr[1] = [9; 48].into(),
            |td| td.rtmr[2] = [9; 48].into(),
            |td| td.rtmr[3] = [9; 48].into(),
            |td| td.report_data[63] ^= 1,
            |td| td.td15 = None,
            |td| td.td15.as_mut().unwrap().tee_tcb_svn_2[15] ^= 1,
            |td| td.td15.as_mut().unwrap().mrservicetd = [9; 48].into(),
            |td| td.td15_extended.as_mut().unwrap().td_id = [9; 32].into(),
            |td| td.td15_extended.as_mut().unwrap().initial_service_td = [9; 48].into(),
            |td| td.td15_extended.as_mut().unwrap().current_service_td = [9; 48].into(),
        ];
        let platform = ForgedPlatform::new(NOW).unwrap();
        let good = TdReport {
            mrconfigid: [1; 48].into(),
            mrowner: [2; 48].into(),
            mrownerconfig: [3; 48].into(),
            td15: Some(Td15 {
                mrservicetd: [4; 48].into(),
                ..Td15::new(platform.td_report().tee_tcb_svn)
            }),
            td15_extended: Some(Td15Extended {
                initial_service_td: [5; 48].into(),
                current_service_td: [6; 48].into(),
                ..Td15Extended::new([0x1d; 32])
            }),
            ..platform.td_report()
        };
        let good = Report::Td(good);
        assert_eq!(appraise_misread(&good, |_| {}), None);
        for (index, change) in changes.into_iter().enumerate() {
            let refused = appraise_misread(&good, |quote| match &mut quote.report {
                Report::Td(td) => change(td),
                Report::Sgx(_) => {}
            });
            assert_eq!(refused, mismatch(), "field {index}");
        }
    }

    #[test]
    fn an_enclave_that_the_library_reads_otherwise_is_refused() {
        type Misread = fn(&mut SgxReport);
        let changes: [Misread; 13] = [
            |enclave| enclave.cpu_svn[15] ^= 1,
            |enclave| enclave.flags ^= 1,
            |enclave| enclave.xfrm ^= 1,
            |enclave| enclave.misc_select ^= 1,
            |enclave| enclave.mrenclave = [9; 32].into(),
            |enclave| enclave.mrsigner = [9; 32].into(),
            |enclave| enclave.isv_prod_id ^= 1,
            |enclave| enclave.isv_svn ^= 1,
            |enclave| enclave.isv_ext_prod_id = [9; 16].into(),
            |enclave| enclave.isv_family_id = [9; 16].into(),
            |enclave| enclave.config_id = [9; 64].into(),
            |enclave| enclave.config_svn ^= 1,
            |enclave| enclave.report_data[63] ^= 1,
        ];
        let platform = ForgedPlatform::new(NOW).unwrap();
        let good = Report::Sgx(SgxReport {
            isv_ext_prod_id: [1; 16].into(),
            isv_family_id: [2; 16].into(),
            config_id: [3; 64].into(),
            config_svn: 4,
            ..platform.sgx_report()
        });
        assert_eq!(appraise_misread(&good, |_| {}), None);
        for (index, change) in changes.into_iter().enumerate() {
            let of_enclave = appraise_misread(&good, |quote| match &mut quote.report {
                Report::Sgx(enclave) => change(enclave),
                Report::Td(_) => {}
            });
            assert_eq!(of_enclave, mismatch(), "field {index}");
            let of_quoting_enclave = appraise_misread(&good, |quote| change(&mut quote.qe));
            assert_eq!(of_quoting_enclave, mismatch(), "field {index}");
        }
    }
}
