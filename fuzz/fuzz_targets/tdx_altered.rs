//! A good quote with any bytes of it changed: refused, whichever they are.
#![no_main]

use atls_fuzz::tdx::GOOD;
use atls_fuzz::tdx::now;
use test_support::ready;

// Triples: where, high and low, and what is exclusive-ored there.
atls_fuzz::target!(|changes: &[u8]| {
    let good = &*GOOD;
    let mut altered = good.quote.clone();
    for change in changes.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % altered.len();
        altered[at] ^= change[2];
    }
    let accepted = ready(good.verifier.appraise_quote(&altered, &[], now())).is_ok();
    assert_eq!(accepted, altered == good.quote);
});
