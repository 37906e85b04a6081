//! The cost of an appraisal of a whole VM, beside that of its parts alone.
//!
//! `cargo bench -p atls-azure` prints the median time of one appraisal of the three items, and of the processor's Evidence by its own
//! verifier alone, in one run. What is between them is the quote, the runtime data and the chain.
#![allow(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a program that measures and prints"
)]

use std::time::Duration;
use std::time::Instant;

use atls_core::combine::chain::UnboundEvidence;
use atls_formats::tpm::qualifying_data;
use end_to_end::azure::ForgedAzure;
use test_support::Connection;
use test_support::at;
use test_support::ready;

const ROUNDS: usize = 101;
const NOW: u64 = 1_796_000_000;

fn main() {
    for (name, vm) in [
        ("SEV-SNP", ForgedAzure::snp()),
        ("TDX", ForgedAzure::tdx(NOW)),
    ] {
        let connection = Connection::new();
        let evidence = vm.evidence(qualifying_data(connection.bound()).bytes());
        let cpu = evidence.cpu.clone();
        let collection = evidence.into_cmw().unwrap().encode().unwrap();
        let verifier = vm.verifier();
        let whole = median(|| {
            connection
                .appraise(&verifier, &collection, at(NOW))
                .unwrap();
        });
        let items = cpu.items();
        let item = items.first().unwrap();
        let media_type = item.media_type().unwrap();
        let processor = vm.processor_verifier();
        let part = UnboundEvidence::new(&media_type, item.value());
        let alone = median(|| {
            ready(processor.appraise_unbound(&part, at(NOW))).unwrap();
        });
        println!("{name}: whole {whole:?}, processor alone {alone:?}");
    }
}

fn median(mut round: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            round();
            start.elapsed()
        })
        .collect();
    times.sort();
    times.into_iter().nth(ROUNDS / 2).unwrap()
}
