//! Any octets as collateral; what parses survives its own form.
#![no_main]

use atls_tdx::Collateral;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    if let Ok(collateral) = Collateral::decode(octets) {
        let again = collateral.encode().expect("encodes");
        assert_eq!(Collateral::decode(&again), Ok(collateral));
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        let _ = Collateral::from_json(text);
    }
});
