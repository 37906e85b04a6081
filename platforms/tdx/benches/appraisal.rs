//! Our appraisal of one quote against the DCAP library's alone, in one run: `cargo bench -p atls-tdx --features testing`.
//!
//! Both have the same quote and collateral. "library" makes the claims that the appraisal is made of; "library, verdict
//! only" stops at status and advisories.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a benchmark fails by panicking"
)]

use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::task::Context;
use std::task::Poll;
use std::task::Waker;
use std::time::Duration;
use std::time::Instant;

use atls_core::pki_types::UnixTime;
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

fn main() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let quote = platform.tdx_quote(&report, &REPORT_DATA).unwrap();
    let collateral = platform.collateral(Tee::Tdx).unwrap();
    let image = TdxImage {
        mrtd_covers_all: true,
        ..TdxImage::new("forged", report.mrtd)
    };
    let policy = Live::fixed(TdxPolicy::up_to_date(vec![image])).unwrap();
    let ours = TdxVerifier::dangerous_with_root(
        platform.root(),
        Arc::new(policy),
        Arc::new(SuppliedCollateral::new([collateral.clone()])),
    );
    let library = QuoteVerifier::new(platform.root());
    let for_library = for_library(&collateral);
    let claims = QuotePolicy::claims_only(NOW);
    let now = UnixTime::since_unix_epoch(Duration::from_secs(NOW));
    let mut runs: [(&str, Box<dyn FnMut()>); 3] = [
        (
            "ours",
            Box::new(|| {
                let appraised = ready(ours.appraise_quote(&quote, &[], &REPORT_DATA, now));
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
    ];
    // Interleaved, so that what else the machine does falls on all alike; the best of each counts.
    let mut best = [Duration::MAX; 3];
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
    let [ours, library, _] = best.map(|best| best.as_secs_f64());
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

fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("nothing here waits"),
    }
}

/// Midnight, as forged revocation lists have dates of whole days.
const NOW: u64 = 20_833 * 24 * 60 * 60;

const REPORT_DATA: [u8; 64] = [0x5a; 64];

const ROUNDS: u32 = 40;
const REPEATS: u32 = 25;
