//! A good quote of an enclave with any bytes of it changed: refused, whichever they are.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_fuzz::tdx;
use atls_reference::Live;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxVerifier;
use atls_tdx::SuppliedCollateral;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use test_support::ready;

struct Good {
    quote: Vec<u8>,
    verifier: SgxVerifier,
}

// Triples: where, high and low, and what is exclusive-ored there.
atls_fuzz::target!(|changes: &[u8]| {
    static GOOD: OnceLock<Good> = OnceLock::new();
    let good = GOOD.get_or_init(Good::new);
    let mut altered = good.quote.clone();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % altered.len();
        altered[at] ^= change[2];
    }
    let accepted = ready(good.verifier.appraise_quote(&altered, &[], tdx::now())).is_ok();
    assert_eq!(accepted, altered == good.quote);
});

impl Good {
    fn new() -> Self {
        let platform = ForgedPlatform::new(tdx::now().as_secs()).expect("a platform");
        let report = platform.sgx_report();
        let enclave = SgxEnclave::exactly("forged", report.mrenclave);
        let policy = Live::fixed(SgxPolicy::up_to_date(vec![enclave])).expect("a policy");
        let collateral = platform.collateral(Tee::Sgx).expect("collateral");
        let collateral = Arc::new(SuppliedCollateral::new([collateral]));
        Self {
            quote: platform.sgx_quote(&report, &[0; 64]).expect("a quote"),
            verifier: SgxVerifier::dangerous_with_root(
                platform.root(),
                Arc::new(policy),
                collateral,
            ),
        }
    }
}
