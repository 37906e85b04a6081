//! A certificate is issued, attested, and renewed while the service runs.

use std::sync::Arc;
use std::time::Duration;

use acme::Occasion;
use atls_reqwest::Error;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use tokio::sync::Notify;

use crate::scene::Scene;
use crate::scene::clock;

#[tokio::test]
async fn nobody_is_served_before_there_is_a_certificate_and_everybody_attested_after() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    let client = scene.client().await;
    let early = client.key_of("service.test").await.unwrap_err();
    assert!(early.is_connect());
    scene.renewal.next(&Notify::new()).await;
    // By either of its names, and the key of both is that of its certificate.
    let current = scene.current.key().unwrap();
    let key = current.key.public_key().unwrap();
    for name in ["service.test", "127.0.0.1"] {
        assert_eq!(client.key_of(name).await.unwrap(), key.as_ref());
    }
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_those_of_before_go_on_until_they_are_recalled()
 {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    let asked = Notify::new();
    scene.renewal.next(&asked).await;
    let before = scene.client().await;
    let first = before.key_of("service.test").await.unwrap();

    asked.notify_one();
    assert_eq!(scene.renewal.next(&asked).await, Occasion::Asked);
    let after = scene.client().await;
    let second = after.key_of("service.test").await.unwrap();
    assert_ne!(first, second);
    assert_eq!(before.key_of("service.test").await.unwrap(), first);

    scene.acceptor.recall(Duration::from_secs(60));
    // Each request is answered; the goodbye reaches the client beside one of them.
    while before.key_of("service.test").await.unwrap() == first {
        tokio::task::yield_now().await;
    }
    assert_eq!(before.key_of("service.test").await.unwrap(), second);
}

/// A day and a second later than it is.
#[derive(Debug)]
struct Tomorrow;

impl TimeProvider for Tomorrow {
    fn current_time(&self) -> Option<UnixTime> {
        let now = clock().current_time()?.as_secs();
        Some(UnixTime::since_unix_epoch(Duration::from_secs(
            now + 86_401,
        )))
    }
}

/// The certificate stays in service, and the client decides.
#[tokio::test]
async fn an_expired_certificate_is_refused_by_the_client() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    scene.renewal.next(&Notify::new()).await;
    let client = scene.client_at(Arc::new(Tomorrow)).await;
    let refused = client.key_of("service.test").await.unwrap_err();
    let refused = Error::of(&refused).unwrap();
    let report = refused.report().to_string();
    assert!(report.contains("expired"), "{report}");
}
