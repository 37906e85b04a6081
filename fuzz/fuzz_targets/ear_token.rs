//! Any bytes as a JWT and as a CWT that nobody signed: never a result.
#![no_main]

use std::sync::OnceLock;

use atls_core::ear::VerificationKeys;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use atls_fuzz::ear::check;
use atls_fuzz::sign;

atls_fuzz::target!(|bytes: &[u8]| {
    static KEYS: OnceLock<VerificationKeys> = OnceLock::new();
    let keys = KEYS.get_or_init(sign::keys);
    let supported = test_support::supported();
    assert!(cwt::decode(bytes, keys, &supported, &check()).is_err());
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(jwt::decode(text, keys, &supported, &check()).is_err());
    }
});
