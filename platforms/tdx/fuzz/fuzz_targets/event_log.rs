//! Any octets as the event log of a good quote, whose RTMRs no log leads to.
#![no_main]

use atls_tdx_fuzz::GOOD;
use atls_tdx_fuzz::now;
use atls_tdx_fuzz::ready;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|log: &[u8]| {
    let (verifier, quote) = &*GOOD;
    let judged = ready(verifier.appraise_with_event_log(quote, log, &[], now()));
    assert!(judged.is_err());
});
