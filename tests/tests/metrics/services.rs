//! The numbers of services and of collateral.

use std::sync::Arc;
use std::time::Duration;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_collateral::Kind;
use atls_core::BoxFuture;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_core::pki_types::UnixTime;
use atls_remote::Circuit;
use atls_remote::Resilient;
use http::Request;
use http::Response;
use test_support::Script;
use test_support::at;

use crate::recorded::Recorded;

const SERVICE: &str = r#"service="verifier.example""#;

/// As where what a verifier is made of is read again.
#[tokio::test(start_paused = true)]
async fn a_circuit_that_is_open_when_its_client_goes_is_told_no_longer() {
    let recorded = Recorded::begin();
    let open = || recorded.value("atls_service_circuit_open", &[SERVICE]);
    let failing = Script::immediate(|_, _| Err(HttpError::TimedOut));
    let client = Resilient::new("verifier.example", Arc::new(failing));
    while open() < 1.0 {
        ask(&client).await;
    }
    drop(client);
    assert_eq!(open(), 0.0);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_fails_is_left_alone_and_both_count() {
    let recorded = Recorded::begin();
    let script = Script::immediate(|number, _| {
        let status = if number == 0 { 200 } else { 503 };
        Ok(Response::builder().status(status).body(Vec::new()).unwrap())
    });
    let client = Resilient::new("verifier.example", Arc::new(script));
    while recorded.value("atls_service_circuit_open", &[SERVICE]) < 1.0 {
        ask(&client).await;
    }
    let requests = |outcome| recorded.value("atls_service_requests_total", &[SERVICE, outcome]);
    assert_eq!(requests(r#"outcome="answered""#), 1.0);
    assert!(requests(r#"outcome="failed""#) >= 1.0);
    ask(&client).await;
    assert_eq!(requests(r#"outcome="not_sent""#), 1.0);
}

/// As where what a verifier is made of is read again while its service fails: the old client goes after the new one has begun.
#[tokio::test(start_paused = true)]
async fn a_circuit_is_told_as_open_while_any_client_of_the_service_has_it_open() {
    let recorded = Recorded::begin();
    let open = || recorded.value("atls_service_circuit_open", &[SERVICE]) > 0.0;
    let failing = || Script::immediate(|_, _| Err(HttpError::TimedOut));
    let old = Resilient::new("verifier.example", Arc::new(failing()));
    let new = Resilient::new("verifier.example", Arc::new(failing()));
    for client in [&old, &new] {
        while client.stats().circuit == Circuit::Closed {
            ask(client).await;
        }
    }
    // Another probe that fails opens it no second time.
    tokio::time::advance(Duration::from_secs(10)).await;
    ask(&new).await;
    drop(old);
    assert!(open());
    drop(new);
    assert!(!open());
}

/// A verifier that was replaced leaves nobody alone.
#[tokio::test(start_paused = true)]
async fn a_client_that_is_gone_while_its_service_is_left_alone_takes_that_with_it() {
    let recorded = Recorded::begin();
    let script =
        Script::immediate(|_, _| Ok(Response::builder().status(503).body(Vec::new()).unwrap()));
    let client = Resilient::new("verifier.example", Arc::new(script));
    while recorded.value("atls_service_circuit_open", &[SERVICE]) < 1.0 {
        ask(&client).await;
    }
    drop(client);
    assert_eq!(recorded.value("atls_service_circuit_open", &[SERVICE]), 0.0);
}

async fn ask(client: &Resilient) {
    let limits = HttpLimits::new(Duration::from_secs(60), 1000);
    drop(client.send(Request::new(Vec::new()), limits).await);
}

#[tokio::test]
async fn collateral_tells_its_age_and_its_end() {
    let recorded = Recorded::begin();
    let cache = Cache::builder(Maker).build().unwrap();
    cache.get("list", at(NOW)).await.unwrap();
    cache.get("chain", at(NOW + 60)).await.unwrap();
    cache.get("device/1", at(NOW + 61)).await.unwrap();
    cache.get("absent", at(NOW)).await.unwrap_err();
    let fetches = |kind: &str, outcome| {
        let labels = [kind, outcome];
        recorded.value("atls_collateral_fetches_total", &labels)
    };
    let (published, device) = (r#"kind="published""#, r#"kind="device""#);
    assert_eq!(fetches(published, r#"outcome="renewed""#), 2.0);
    assert_eq!(fetches(device, r#"outcome="renewed""#), 1.0);
    assert_eq!(fetches(published, r#"outcome="failed""#), 1.0);
    let oldest = recorded.value("atls_collateral_fetched_timestamp_seconds", &[]);
    let first_end = recorded.value("atls_collateral_expires_timestamp_seconds", &[]);
    // Not those of one device, which a peer chooses.
    assert_eq!((oldest, first_end), (1_000_000.0, 1_003_600.0));
}

/// A relying party of two platforms has the collateral of two makers.
#[tokio::test]
async fn the_age_and_the_end_are_those_of_all_caches_that_live() {
    let recorded = Recorded::begin();
    let times = || {
        let value = |name: &str| recorded.value(name, &[]);
        (
            value("atls_collateral_fetched_timestamp_seconds"),
            value("atls_collateral_expires_timestamp_seconds"),
        )
    };
    let first = Cache::builder(Maker).build().unwrap();
    first.get("list", at(NOW)).await.unwrap();
    let second = Cache::builder(Maker).build().unwrap();
    second.get("list", at(NOW + 600)).await.unwrap();
    assert_eq!(times(), (1_000_000.0, 1_003_600.0));
    drop(first);
    assert_eq!(times(), (1_000_600.0, 1_004_200.0));
    drop(second);
    assert_eq!(times(), (0.0, 0.0));
}

const NOW: u64 = 1_000_000;

/// Whatever is asked for is good for an hour; what is of one device, for a minute.
struct Maker;

impl Fetch for Maker {
    fn fetch<'a>(
        &'a self,
        key: &'a str,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        let good_for = match self.kind(key) {
            Kind::Device => 60,
            _ => 3600,
        };
        let fetched = match key {
            "absent" => Err(CollateralError::Expired),
            _ => Ok(Fetched::new(
                b"piece".to_vec(),
                at(now.as_secs().saturating_add(good_for)),
            )),
        };
        Box::pin(async { fetched })
    }

    fn read(&self, _: &str, _: Arc<[u8]>, _: UnixTime) -> Result<Fetched, CollateralError> {
        Err(CollateralError::Expired)
    }

    fn kind(&self, key: &str) -> Kind {
        match key.starts_with("device/") {
            true => Kind::Device,
            false => Kind::Published,
        }
    }
}
