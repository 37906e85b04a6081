//! Quotes of enclaves.

use std::path::Path;
use std::sync::Arc;

use atls_core::Origin;
use atls_core::RecordedAppraisal;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_reference::Digest;
use atls_reference::Live;
use atls_tdx::Advisories;
use atls_tdx::Collateral;
use atls_tdx::QuoteError;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::SgxVerifier;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TcbStatus;
use test_support::at;
use test_support::ready;
use test_support::vectors;

use crate::samples::v4;
use crate::support::tier;
use crate::support::value;

/// 2025-06-19T10:56:11Z.
const SGX_FROM: u64 = 1_750_330_571;

fn sgx(folder: &Path) -> (Vec<u8>, Collateral) {
    let json = std::fs::read_to_string(folder.join("sgx/v3-dcapqvl.collateral.json")).unwrap();
    (
        std::fs::read(folder.join("sgx/v3-dcapqvl.quote")).unwrap(),
        Collateral::from_json(&json).unwrap(),
    )
}

fn sgx_policy(quote: &[u8]) -> SgxPolicy {
    let mrenclave = Digest::from(<[u8; 32]>::try_from(&quote[48 + 64..48 + 96]).unwrap());
    SgxPolicy {
        accept_tcb: vec![TcbStatus::ConfigurationAndSWHardeningNeeded],
        accept_advisories: Advisories::Only(vec![
            "INTEL-SA-00289".to_owned(),
            "INTEL-SA-00615".to_owned(),
        ]),
        ..SgxPolicy::up_to_date(vec![SgxEnclave::exactly("sample", mrenclave)])
    }
}

fn appraise_sgx(
    policy: SgxPolicy,
    quote: &[u8],
    collateral: &Collateral,
    now: u64,
) -> Result<RecordedAppraisal, QuoteError> {
    let verifier = SgxVerifier::new(
        Arc::new(Live::fixed(policy).unwrap()),
        Arc::new(SuppliedCollateral::new([collateral.clone()])),
    );
    ready(verifier.appraise_quote(quote, &[], at(now)))
}

#[test]
fn a_genuine_enclave_is_rated_by_its_platform() {
    let Some(folder) = vectors() else { return };
    let (quote, collateral) = sgx(&folder);
    let appraise = |policy| appraise_sgx(policy, &quote, &collateral, SGX_FROM).unwrap();
    let appraised = appraise(sgx_policy(&quote));
    assert_eq!(tier(&appraised), Tier::Affirming);
    assert_eq!(appraised.origin(), Origin::Device);
    // One status or one advisory less, and it is a warning.
    for policy in [
        SgxPolicy {
            accept_tcb: vec![TcbStatus::UpToDate, TcbStatus::SWHardeningNeeded],
            ..sgx_policy(&quote)
        },
        SgxPolicy {
            accept_advisories: Advisories::Only(vec!["INTEL-SA-00615".to_owned()]),
            ..sgx_policy(&quote)
        },
    ] {
        let appraised = appraise(policy);
        assert_eq!(tier(&appraised), Tier::Warning);
        assert_eq!(value(&appraised, Category::Hardware), 32);
    }
    for now in [SGX_FROM - 1, 1_752_919_278] {
        let appraised = appraise_sgx(sgx_policy(&quote), &quote, &collateral, now);
        assert!(matches!(appraised, Err(QuoteError::Outdated(_))));
    }
    assert_eq!(appraised.challenge(), &quote[48 + 320..48 + 384]);
}

#[test]
fn every_flipped_bit_of_an_enclaves_quote_is_refused() {
    let Some(folder) = vectors() else { return };
    let (quote, collateral) = sgx(&folder);
    for index in 0..quote.len() {
        let mut flipped = quote.clone();
        flipped[index] ^= 1 << (index % 8);
        let appraised = appraise_sgx(sgx_policy(&quote), &flipped, &collateral, SGX_FROM);
        assert!(appraised.is_err(), "byte {index}");
    }
    for length in 0..quote.len() {
        let appraised = appraise_sgx(sgx_policy(&quote), &quote[..length], &collateral, SGX_FROM);
        assert!(appraised.is_err(), "cut at {length}");
    }
}

#[test]
fn neither_is_taken_for_the_other() {
    let Some(folder) = vectors() else { return };
    let (quote, collateral) = sgx(&folder);
    let td = v4(&folder);
    let appraised = td.appraise(&quote, td.from);
    assert!(matches!(appraised, Err(QuoteError::Malformed(_))));
    let appraised = appraise_sgx(sgx_policy(&quote), &td.quote, &collateral, td.from);
    assert!(matches!(appraised, Err(QuoteError::Malformed(_))));
}
