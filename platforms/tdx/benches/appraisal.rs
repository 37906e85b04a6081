//! Our appraisal of one quote against the DCAP library's alone, in one run: `cargo bench -p atls-tdx --features testing`.
//!
//! Both have the same quote and collateral. "library" makes the claims that the appraisal is made of; "library, verdict
//! only" stops at status and advisories. "cached" is the same verifier behind `Cached`: where each connection has Evidence of
//! its own, which is never found again, and where it is another connection of the same batch.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::combine::Cached;
use atls_reference::Live;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxImage;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use dcap_qvl::QuoteCollateralV3;
use dcap_qvl::QuotePolicy;
use dcap_qvl::verify::QuoteVerifier;
use test_support::Connection;
use test_support::at;
use test_support::ready;

fn main() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let connection = Connection::new();
    let bound = connection.bound();
    let challenge = bound.sha512();
    let quote = platform.tdx_quote(&report, challenge.bytes()).unwrap();
    let collateral = platform.collateral(Tee::Tdx).unwrap();
    let image = TdxImage {
        mrtd_covers_all: true,
        ..TdxImage::new("forged", report.mrtd)
    };
    let policy = Live::fixed(TdxPolicy::up_to_date(vec![image])).unwrap();
    let ours = Arc::new(TdxVerifier::dangerous_with_root(
        platform.root(),
        Arc::new(policy),
        Arc::new(SuppliedCollateral::new([collateral.clone()])),
    ));
    let media_type = ours.media_types().first().unwrap().clone();
    let evidence = Evidence::new(&media_type, &quote, bound);
    // Nothing is young enough to be found again, as where every binder is another.
    let new_each = Cached::new(Arc::clone(&ours)).with_max_age(Duration::ZERO);
    let of_a_batch = Cached::new(Arc::clone(&ours));
    let library = QuoteVerifier::new(platform.root());
    let for_library = for_library(&collateral);
    let claims = QuotePolicy::claims_only(NOW);
    let now = at(NOW);
    let mut runs: [(&str, Box<dyn FnMut()>); 5] = [
        (
            "ours",
            Box::new(|| {
                let appraised = ready(ours.appraise(&evidence, now));
                black_box(appraised.unwrap());
            }),
        ),
        (
            "library",
            Box::new(|| {
                let appraised = library.verify_with_policy(&quote, &for_library, NOW, &claims);
                black_box(appraised.unwrap());
            }),
        ),
        (
            "library, verdict only",
            Box::new(|| {
                black_box(library.verify(&quote, &for_library, NOW).unwrap());
            }),
        ),
        (
            "cached, new each time",
            Box::new(|| {
                black_box(ready(new_each.appraise(&evidence, now)).unwrap());
            }),
        ),
        (
            "cached, of one batch",
            Box::new(|| {
                black_box(ready(of_a_batch.appraise(&evidence, now)).unwrap());
            }),
        ),
    ];
    // Interleaved, so that what else the machine does falls on all alike; the best of each counts.
    let mut best = [Duration::MAX; 5];
    for _ in 0..ROUNDS {
        for ((_, run), best) in runs.iter_mut().zip(&mut best) {
            let start = Instant::now();
            for _ in 0..REPEATS {
                run();
            }
            *best = start.elapsed().min(*best);
        }
    }
    for ((name, _), best) in runs.iter().zip(best) {
        let each = best.as_secs_f64() / f64::from(REPEATS);
        println!("{name:24} {:8.1} us", each * 1e6);
    }
    let [ours, library, ..] = best.map(|best| best.as_secs_f64());
    println!("ours / library           {:8.3}", ours / library);
}

fn for_library(collateral: &atls_tdx::Collateral) -> QuoteCollateralV3 {
    let parts = collateral.parts();
    QuoteCollateralV3 {
        pck_crl_issuer_chain: String::new(),
        root_ca_crl: parts.root_ca_crl.clone(),
        pck_crl: parts.pck_crl.clone(),
        tcb_info_issuer_chain: ForgedPlatform::pem_of(&parts.tcb_info_issuer_chain),
        tcb_info: parts.tcb_info.clone(),
        tcb_info_signature: parts.tcb_info_signature.clone(),
        qe_identity_issuer_chain: ForgedPlatform::pem_of(&parts.qe_identity_issuer_chain),
        qe_identity: parts.qe_identity.clone(),
        qe_identity_signature: parts.qe_identity_signature.clone(),
        pck_certificate_chain: None,
    }
}

/// Midnight, as forged revocation lists have dates of whole days.
const NOW: u64 = 20_833 * 24 * 60 * 60;

const ROUNDS: u32 = 40;
const REPEATS: u32 = 25;
