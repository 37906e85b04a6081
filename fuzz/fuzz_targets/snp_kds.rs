//! Any answer of AMD's key service, or of a mirror, to each request. Only what AMD signed is kept.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_collateral::Fetch;
use atls_fuzz::http::Answers;
use atls_fuzz::tape::Tape;
use atls_snp::Kds;
use atls_snp::Product;
use atls_snp::SnpRoot;
use atls_snp::testing::ForgedSnp;
use test_support::at;
use test_support::ready;

atls_fuzz::target!(|bytes: &[u8]| {
    static ROOT: OnceLock<SnpRoot> = OnceLock::new();
    // Its keys are made now, so nothing in an input is signed by them.
    let root = ROOT.get_or_init(|| {
        let forged = ForgedSnp::new(Product::Milan).expect("a platform");
        forged.root().expect("a root")
    });
    let mut tape = Tape::new(bytes);
    let key = KEYS[usize::from(tape.byte()) % KEYS.len()];
    let answers = Arc::new(Answers::of(&mut tape, 2, <[u8]>::to_vec));
    let kds = Kds::new(answers).dangerous_with_root(root.clone());
    assert!(ready(kds.fetch(key, at(NOW))).is_err());
    assert!(kds.read(key, bytes.into(), at(NOW)).is_err());
});

const KEYS: [&str; 5] = [
    "snp/vcek/milan/cert_chain",
    "snp/vlek/milan/cert_chain",
    "snp/vcek/milan/crl",
    "snp/vlek/genoa/crl",
    "snp/vcek/milan/00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000/3-0-8-115",
];

const NOW: u64 = 1_750_000_000;
