//! Any bytes as collateral; what parses survives its own form.
#![no_main]

use atls_tdx::Collateral;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(collateral) = Collateral::decode(bytes) {
        let again = collateral.encode().expect("encodes");
        assert_eq!(Collateral::decode(&again), Ok(collateral));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Collateral::from_json(text);
    }
});
