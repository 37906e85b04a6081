//! What a peer's bytes reach before any signature is verified: the envelope, and what is in it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = atls_nitro::testing::parse(bytes);
    let _ = atls_nitro::testing::parse_content(bytes);
});
