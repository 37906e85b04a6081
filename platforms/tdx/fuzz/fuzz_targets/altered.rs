//! A good quote with any bytes of it changed: refused, whichever they are.
#![no_main]

use atls_tdx_fuzz::GOOD;
use atls_tdx_fuzz::now;
use atls_tdx_fuzz::ready;
use libfuzzer_sys::fuzz_target;

// Triples: where, high and low, and what is exclusive-ored there.
fuzz_target!(|changes: &[u8]| {
    let (verifier, quote) = &*GOOD;
    let mut altered = quote.clone();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % altered.len();
        altered[at] ^= change[2];
    }
    let accepted = ready(verifier.appraise_quote(&altered, &[], now())).is_ok();
    assert_eq!(accepted, altered == *quote);
});
