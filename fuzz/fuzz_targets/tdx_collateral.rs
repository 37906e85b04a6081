//! Any bytes as collateral. What was read survives its own form, and proves nothing, for nobody signed it.
#![no_main]

use atls_fuzz::tdx::GOOD;
use atls_fuzz::tdx::now;
use atls_fuzz::tdx::with_collateral;
use atls_tdx::Collateral;
use test_support::ready;

atls_fuzz::target!(|bytes: &[u8]| {
    if let Ok(collateral) = Collateral::decode(bytes) {
        let again = collateral.encode().expect("encodes");
        assert_eq!(Collateral::decode(&again).as_ref(), Ok(&collateral));
        let verifier = with_collateral(collateral);
        assert!(ready(verifier.appraise_quote(&GOOD.quote, &[], now())).is_err());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Collateral::from_json(text);
    }
});
