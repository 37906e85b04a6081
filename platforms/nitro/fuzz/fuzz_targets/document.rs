//! What a peer's octets reach before any signature is verified: the envelope, and what is in it.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let _ = atls_nitro::testing::parse(octets);
    let _ = atls_nitro::testing::parse_content(octets);
});
