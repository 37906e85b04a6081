//! Any octets as a quote of either kind: refused, whatever they are, as Intel signed none of them.
#![no_main]

use std::sync::Arc;
use std::sync::LazyLock;

use atls_reference::Live;
use atls_tdx::CollateralFromPeer;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxVerifier;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx_fuzz::now;
use atls_tdx_fuzz::ready;
use libfuzzer_sys::fuzz_target;

static VERIFIERS: LazyLock<(TdxVerifier, SgxVerifier)> = LazyLock::new(|| {
    let image = TdxImage {
        mrtd_covers_all: true,
        ..TdxImage::new("image", [1; 48].into())
    };
    let enclave = SgxEnclave::exactly("enclave", [1; 32].into());
    let tdx = Live::fixed(TdxPolicy::up_to_date(vec![image])).expect("policy");
    let sgx = Live::fixed(SgxPolicy::up_to_date(vec![enclave])).expect("policy");
    let collateral = Arc::new(CollateralFromPeer::new());
    (
        TdxVerifier::new(Arc::new(tdx), collateral.clone()),
        SgxVerifier::new(Arc::new(sgx), collateral),
    )
});

fuzz_target!(|octets: &[u8]| {
    let (tdx, sgx) = &*VERIFIERS;
    assert!(ready(tdx.appraise_quote(octets, &[], now())).is_err());
    assert!(ready(sgx.appraise_quote(octets, &[], now())).is_err());
});
