//! Any answer of Intel's service, or of a PCCS, to each of the four requests. Only what the root signed is kept.
#![no_main]

use std::sync::Arc;

use atls_collateral::Fetch;
use atls_fuzz::http::Answers;
use atls_fuzz::tape::Tape;
use atls_fuzz::tdx::GOOD;
use atls_fuzz::tdx::now;
use atls_tdx::Pcs;
use test_support::ready;

atls_fuzz::target!(|bytes: &[u8]| {
    let mut tape = Tape::new(bytes);
    let key = KEYS[usize::from(tape.byte()) % KEYS.len()];
    let answers = Arc::new(Answers::of(&mut tape, 4, <[u8]>::to_vec));
    let pcs = Pcs::intel(answers).dangerous_with_root(GOOD.root.clone());
    assert!(ready(pcs.fetch(key, now())).is_err());
    assert!(pcs.read(key, bytes.into(), now()).is_err());
});

const KEYS: [&str; 3] = [
    "tdx/90c06f000000/platform",
    "sgx/90c06f000000/processor",
    "tdx/90c06f000000/platform/early",
];
