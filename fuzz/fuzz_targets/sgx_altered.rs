//! A good quote of an enclave with any bytes of it changed: refused, whichever they are. And a quote over any report: accepted where it has the
//! value of this connection, and affirmed only if the enclave is the one that the policy knows and nobody can read it.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_formats::dcap;
use atls_formats::dcap::Quote;
use atls_formats::dcap::SgxReport;
use atls_formats::dcap::Tee;
use atls_fuzz::changes::after_signing;
use atls_fuzz::changes::before_signing;
use atls_fuzz::tdx;
use atls_reference::Live;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxVerifier;
use atls_tdx::SuppliedCollateral;
use atls_tdx::testing::ForgedPlatform;
use test_support::Connection;
use test_support::ready;

struct Good {
    connection: Connection,
    platform: ForgedPlatform,
    quote: Vec<u8>,
    report: SgxReport,
    verifier: SgxVerifier,
}

// Changes of the report before it is signed, and of the quote.
atls_fuzz::target!(|changes: &[u8]| {
    static GOOD: OnceLock<Good> = OnceLock::new();
    let good = GOOD.get_or_init(Good::new);
    let report = good.stated(changes);
    let quote = match report == good.report {
        true => good.quote.clone(),
        false => good.signed(&report),
    };
    let altered = after_signing(&quote, changes);
    let appraised = ready(good.verifier.appraise_quote(&altered, &[], tdx::now()));
    assert!(appraised.is_err() || altered == quote, "nobody signed it");
    assert!(appraised.is_ok() || altered != good.quote, "it is good");
    let Ok(recorded) = appraised else {
        return;
    };
    let is_about = report.report_data == good.report.report_data;
    assert_eq!(good.is_bound(&altered), is_about, "of this connection");
    let is_known = report.mrenclave == good.report.mrenclave && report.flags & DEBUG == 0;
    let is_affirmed = recorded.ear().status() == Tier::Affirming;
    assert!(!is_affirmed || is_known, "another enclave");
    assert!(is_affirmed || report != good.report, "it is good");
});

impl Good {
    fn new() -> Self {
        let connection = Connection::new();
        let platform = ForgedPlatform::new(tdx::now().as_secs()).expect("a platform");
        let report = SgxReport {
            report_data: *dcap::report_data(connection.bound()).bytes(),
            ..platform.sgx_report()
        };
        let enclave = SgxEnclave::exactly("forged", report.mrenclave);
        let policy = Live::fixed(SgxPolicy::up_to_date(vec![enclave])).expect("a policy");
        let collateral = platform.collateral(Tee::Sgx).expect("collateral");
        let collateral = Arc::new(SuppliedCollateral::new([collateral]));
        let quote = platform.sgx_quote(&report, &report.report_data);
        Self {
            verifier: SgxVerifier::dangerous_with_root(
                platform.root(),
                Arc::new(policy),
                collateral,
            ),
            quote: quote.expect("a quote"),
            connection,
            platform,
            report,
        }
    }

    /// Any bytes are a report.
    fn stated(&self, changes: &[u8]) -> SgxReport {
        let (head, rest) = self.quote.split_at(tdx::QUOTE_HEAD);
        let (body, rest) = rest.split_at(tdx::SGX_REPORT);
        let quote = [head, &before_signing(body, changes), rest].concat();
        let quote = Quote::decode(&quote, Tee::Sgx).expect("a quote");
        quote.report.as_sgx().expect("of an enclave").clone()
    }

    fn signed(&self, report: &SgxReport) -> Vec<u8> {
        let quote = self.platform.sgx_quote(report, &report.report_data);
        quote.expect("a quote")
    }

    fn is_bound(&self, quote: &[u8]) -> bool {
        let media_type = &self.verifier.media_types()[0];
        let evidence = Evidence::new(media_type, quote, self.connection.bound());
        ready(self.verifier.appraise(&evidence, tdx::now())).is_ok()
    }
}

/// Of `ATTRIBUTES.FLAGS`.
const DEBUG: u64 = 2;
