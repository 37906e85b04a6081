//! A forged TDX platform of this process: a good quote, and the verifier that affirms it.

use std::sync::Arc;
use std::sync::LazyLock;

use atls_core::pki_types::UnixTime;
use atls_formats::dcap;
use atls_formats::dcap::TdReport;
use atls_reference::Live;
use atls_tdx::Collateral;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use test_support::Connection;
use test_support::at;

pub struct Good {
    pub root: Vec<u8>,
    /// It has the value of the connection.
    pub quote: Vec<u8>,
    pub report: TdReport,
    pub connection: Connection,
    pub platform: ForgedPlatform,
    pub verifier: TdxVerifier,
    image: TdxImage,
}

pub static GOOD: LazyLock<Good> = LazyLock::new(|| {
    let platform = ForgedPlatform::new(NOW).expect("platform");
    let connection = Connection::new();
    let report = TdReport {
        report_data: *dcap::report_data(connection.bound()).bytes(),
        ..platform.td_report()
    };
    let image = TdxImage {
        mrtd_covers_all: true,
        ..TdxImage::new("forged", report.mrtd)
    };
    let collateral = platform.collateral(Tee::Tdx).expect("collateral");
    let quote = platform.tdx_quote(&report, &report.report_data);
    Good {
        root: platform.root(),
        quote: quote.expect("quote"),
        report,
        connection,
        verifier: verifier(platform.root(), image.clone(), collateral),
        platform,
        image,
    }
});

/// The same verifier with other collateral.
pub fn with_collateral(collateral: Collateral) -> TdxVerifier {
    verifier(GOOD.root.clone(), GOOD.image.clone(), collateral)
}

fn verifier(root: Vec<u8>, image: TdxImage, collateral: Collateral) -> TdxVerifier {
    let policy = Live::fixed(TdxPolicy::up_to_date(vec![image])).expect("policy");
    let collateral = Arc::new(SuppliedCollateral::new([collateral]));
    TdxVerifier::dangerous_with_root(root, Arc::new(policy), collateral)
}

pub fn now() -> UnixTime {
    at(NOW)
}

/// Midnight, as forged revocation lists have dates of whole days.
const NOW: u64 = 20_833 * 24 * 60 * 60;

/// Bytes of a quote before its report.
pub const QUOTE_HEAD: usize = 48;

/// Bytes of an enclave's report.
pub const SGX_REPORT: usize = 384;

/// Bytes of a TD's report in a quote of version 4.
pub const TD_REPORT: usize = 584;
