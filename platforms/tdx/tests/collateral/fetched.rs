//! Collateral from Intel's service or a PCCS: addresses and answers.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_core::BoxFuture;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_tdx::Collateral;
use atls_tdx::Pcs;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use futures_util::FutureExt;
use test_support::at;
use test_support::ready;

use crate::service::FixedCollateral;
use crate::service::KEY;
use crate::service::Service;
use crate::service::supplied;
use crate::support::DAY;
use crate::support::NOW;
use crate::support::policy;
use crate::support::td_quote;
use crate::support::td_verifier;

#[test]
fn nothing_is_fetched_for_a_quote_that_does_not_verify() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let source = Arc::new(FixedCollateral::giving(
        platform.collateral(Tee::Tdx).unwrap(),
    ));
    source.at_hand.store(0, Ordering::Relaxed);
    source.fetches.store(1, Ordering::Relaxed);
    let verifier = td_verifier(&platform, policy(&report), source.clone());
    let good = td_quote(&platform);
    let appraise = |quote: &[u8]| ready(verifier.appraise_quote(quote, &[], at(NOW)));
    // Every byte that something signs: header, body, signature, key, QE report and its signature, authentication data.
    for index in (0..48 + 584)
        .chain(48 + 584 + 4..48 + 584 + 4 + 128)
        .chain(770..1250)
    {
        let mut flipped = good.clone();
        flipped[index] ^= 1;
        assert!(appraise(&flipped).is_err(), "byte {index}");
    }
    let foreign = ForgedPlatform::new(NOW).unwrap();
    assert!(appraise(&td_quote(&foreign)).is_err());
    assert_eq!(source.fetched.load(Ordering::Relaxed), 0);
    assert!(appraise(&good).is_ok());
    assert_eq!(source.fetched.load(Ordering::Relaxed), 1);
}

#[test]
fn intels_service_is_asked_by_its_urls() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let service = Arc::new(Service::of(&platform));
    let pcs = Pcs::intel(service.clone()).dangerous_with_root(platform.root());
    let fetched = ready(pcs.fetch(KEY, at(NOW))).unwrap();
    assert_eq!(fetched.fresh_until, at(NOW + 30 * DAY));
    assert_eq!(fetched.sequence[..2], [20, 20]);
    let collateral = Collateral::decode(&fetched.bytes).unwrap();
    assert_eq!(collateral.fmspc(), platform.fmspc);
    assert!(supplied(&platform, collateral).is_ok());
    let intel = "https://api.trustedservices.intel.com";
    assert_eq!(
        *service.asked.lock().unwrap(),
        [
            format!("{intel}/tdx/certification/v4/tcb?fmspc=90c06f000000"),
            format!("{intel}/tdx/certification/v4/qe/identity"),
            format!("{intel}/sgx/certification/v4/pckcrl?ca=platform&encoding=der"),
            "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der".to_owned(),
        ]
    );
}

/// One after the other they would take longer than a connection has.
#[test]
fn intels_documents_are_asked_for_at_once() {
    struct Silent(AtomicUsize);
    impl HttpClient for Silent {
        fn send(
            &self,
            _: http::Request<Vec<u8>>,
            limits: HttpLimits,
        ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
            assert!(limits.deadline <= Duration::from_secs(5));
            self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::pending())
        }
    }
    let silent = Arc::new(Silent(AtomicUsize::new(0)));
    let pcs = Pcs::intel(silent.clone());
    assert!(pcs.fetch(KEY, at(NOW)).now_or_never().is_none());
    assert_eq!(silent.0.load(Ordering::Relaxed), 4);
}

#[test]
fn a_pccs_gives_lists_in_hexadecimal() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let mut service = Service::of(&platform);
    service.hexadecimal = true;
    let service = Arc::new(service);
    let pcs = Pcs::pccs(service.clone(), "https://pccs.example/");
    let pcs = pcs.dangerous_with_root(platform.root());
    assert!(ready(pcs.fetch(KEY, at(NOW))).is_ok());
    assert!(
        service
            .asked
            .lock()
            .unwrap()
            .iter()
            .all(|url| url.starts_with("https://pccs.example/"))
    );
    let sgx = "sgx/90c06f000000/platform";
    // This service has no other technology than TDX.
    assert_eq!(
        ready(pcs.fetch(sgx, at(NOW))).map(drop),
        Err(CollateralError::Malformed)
    );
}

#[test]
fn a_service_that_lies_is_not_believed() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let malformed = Err(CollateralError::Malformed);
    let fetch = |service: Service, root: Vec<u8>, now| {
        let pcs = Pcs::intel(Arc::new(service)).dangerous_with_root(root);
        ready(pcs.fetch(KEY, at(now))).map(drop)
    };
    let root = || platform.root();
    assert_eq!(fetch(Service::of(&platform), root(), NOW), Ok(()));
    assert_eq!(
        fetch(Service::of(&platform), root(), NOW + 31 * DAY),
        Err(CollateralError::Expired)
    );
    let foreign = ForgedPlatform::new(NOW).unwrap();
    assert_eq!(fetch(Service::of(&foreign), root(), NOW), malformed);
    // Piece by piece that of another root.
    for piece in 0..4 {
        let mut service = Service::of(&platform);
        service.answers[piece] = Service::of(&foreign).answers[piece].clone();
        assert_eq!(fetch(service, root(), NOW), malformed, "piece {piece}");
    }
    // Another platform's, an answer without chain, without signature, no JSON.
    let mut elsewhere = ForgedPlatform::new(NOW).unwrap();
    elsewhere.fmspc[5] = 1;
    assert_eq!(
        fetch(Service::of(&elsewhere), elsewhere.root(), NOW),
        malformed
    );
    for piece in 0..3 {
        let mut service = Service::of(&platform);
        service.answers[piece].chain.1.clear();
        assert_eq!(fetch(service, root(), NOW), malformed, "chain {piece}");
    }
    for piece in 0..2 {
        let mut service = Service::of(&platform);
        service.answers[piece].body = b"{}".to_vec();
        assert_eq!(fetch(service, root(), NOW), malformed, "body {piece}");
    }
    let mut service = Service::of(&platform);
    service.answers[1].status = 404;
    assert_eq!(
        fetch(service, root(), NOW),
        Err(CollateralError::Status(404))
    );
}

#[test]
fn only_keys_of_platforms_get_into_urls() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let service = Arc::new(Service::of(&platform));
    let pcs = Pcs::intel(service.clone()).dangerous_with_root(platform.root());
    for key in [
        "",
        "tdx/90c06f000000",
        "tdx/90c06f000000/platform/more",
        "tdx/90c06f00000/platform",
        "tdx/90c06f00000g/platform",
        "tdx/90c06f000000/other",
        "../90c06f000000/platform",
        "tdx/90c06f0000&x/platform",
    ] {
        assert_eq!(
            ready(pcs.fetch(key, at(NOW))).map(drop),
            Err(CollateralError::Malformed)
        );
    }
    assert!(service.asked.lock().unwrap().is_empty());
}
