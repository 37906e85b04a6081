//! ACME servers of other manners: hasty, strict, with wishes.

use acme::Issue;
use acme::OrderError;
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::Notify;

use crate::acme_server::Manner;
use crate::scene::Scene;
use crate::scene::issuer;

const NAMES: &[&str] = &["service.test", "127.0.0.1"];

#[tokio::test]
async fn a_certificate_is_renewed_twice_in_a_row_each_time_with_another_key() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    let asked = Notify::new();
    let mut keys = Vec::new();
    for _ in 0..3 {
        asked.notify_one();
        scene.renewal.next(&asked).await;
        let key = scene.client().await.key_of("service.test").await.unwrap();
        assert!(!keys.contains(&key));
        keys.push(key);
    }
}

/// It knows that the names come here from the order before, and asks nothing.
#[tokio::test]
async fn names_that_were_validated_of_late_are_not_proved_again() {
    let manner = Manner {
        reused_validations: 100,
        ..Manner::default()
    };
    let Some(mut scene) = Scene::with(manner, NAMES).await else {
        return;
    };
    let asked = Notify::new();
    scene.renewal.next(&asked).await;
    let first = scene.client().await.key_of("service.test").await.unwrap();
    asked.notify_one();
    scene.renewal.next(&asked).await;
    let second = scene.client().await.key_of("service.test").await.unwrap();
    assert_ne!(first, second);
}

#[tokio::test]
async fn a_server_that_validates_whatever_it_is_told_gives_a_certificate() {
    let manner = Manner {
        validates: false,
        ..Manner::default()
    };
    let Some(mut scene) = Scene::with(manner, NAMES).await else {
        return;
    };
    scene.renewal.next(&Notify::new()).await;
    let client = scene.client().await;
    assert!(client.key_of("service.test").await.is_ok());
}

#[tokio::test]
async fn a_server_that_takes_no_nonce_leaves_the_certificate_in_service() {
    let Some(mut scene) = Scene::new().await else {
        return;
    };
    let recorder = PrometheusBuilder::new().build_recorder();
    let seen = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let asked = Notify::new();
    scene.renewal.next(&asked).await;
    let first = scene.client().await.key_of("service.test").await.unwrap();

    scene.acme.manner.refused_nonces = 100;
    scene.acme.start_anew();
    asked.notify_one();
    tokio::select! {
        _ = scene.renewal.next(&asked) => panic!("no request is taken"),
        () = failed(&seen, 1) => {}
    }
    let current = scene.current.key().unwrap();
    assert_eq!(current.key.public_key().unwrap().as_ref(), first);

    scene.acme.manner.refused_nonces = 0;
    scene.acme.start_anew();
    asked.notify_one();
    scene.renewal.next(&asked).await;
    let second = scene.client().await.key_of("service.test").await.unwrap();
    assert_ne!(first, second);
}

/// What comes of it has tests of its own, whose clock is theirs.
#[tokio::test]
async fn a_server_that_wants_a_certificate_renewed_now_is_heard_and_gets_an_order_that_replaces_it()
{
    let manner = Manner {
        validates: false,
        ..Manner::patient()
    };
    let Some(scene) = Scene::with(manner, NAMES).await else {
        return;
    };
    let issuer = issuer(&scene.acme, NAMES).unwrap();
    let first = issuer.issue().await.unwrap();
    let (unasked, _) = issuer.suggested(&first).await.unwrap();
    assert!((END..first.not_after()).contains(&unasked));
    let past =
        r#"{"suggestedWindow": {"start": "2025-01-01T00:00:00Z", "end": "2025-01-02T00:00:00Z"}}"#;
    let der = &first.key().cert[0];
    scene.acme.say_about_renewal(der, past).await;
    let (now, _) = issuer.suggested(&first).await.unwrap();
    assert!((END - 24 * 3600..END).contains(&now));
    let second = issuer.issue().await.unwrap();
    assert_ne!(first.key().cert, second.key().cert);
    let (next, _) = issuer.suggested(&second).await.unwrap();
    assert!(next > END, "nothing was said about this one");
}

/// 2025-01-02, in seconds since the epoch.
const END: u64 = 1_735_776_000;

#[tokio::test]
async fn a_server_that_demands_an_external_account_gets_it_and_gives_strangers_nothing() {
    let external = (
        "kid-1",
        "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W",
    );
    let manner = Manner {
        external: Some(external),
        ..Manner::default()
    };
    let Some(mut scene) = Scene::with(manner, NAMES).await else {
        return;
    };
    let recorder = PrometheusBuilder::new().build_recorder();
    let seen = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let asked = Notify::new();
    scene.renewal.next(&asked).await;
    let first = scene.client().await.key_of("service.test").await.unwrap();
    let stranger = issuer(&scene.acme, NAMES).unwrap();
    let other = issuer(&scene.acme, NAMES).unwrap();
    let other = other.with_external_account("kid-1", b"another key of some 32 bytes ...");
    for refused in [stranger.issue().await, other.issue().await] {
        assert!(matches!(refused, Err(OrderError::Acme(_))), "{refused:?}");
    }
    // By the account of before, and by another one once the server has forgotten that: an order finds it out.
    asked.notify_one();
    scene.renewal.next(&asked).await;
    scene.acme.start_anew();
    for failures in 1.. {
        asked.notify_one();
        tokio::select! {
            _ = scene.renewal.next(&asked) => break,
            () = failed(&seen, failures) => assert!(failures < 5, "{}", seen.render()),
        }
    }
    let last = scene.client().await.key_of("service.test").await.unwrap();
    assert_ne!(first, last);
}

/// Waits until so many orders have failed.
async fn failed(seen: &PrometheusHandle, number: usize) {
    let failed = format!("acme_orders_total{{outcome=\"failed\"}} {number}");
    while !seen.render().contains(&failed) {
        tokio::task::yield_now().await;
    }
}
