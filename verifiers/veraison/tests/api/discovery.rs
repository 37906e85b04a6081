//! The discovery document, and the configuration.

use std::sync::Arc;
use std::time::Duration;

use atls_remote::Endpoint;
use atls_remote::EndpointError;
use atls_remote::KeyFingerprint;
use atls_veraison::DiscoveryError;
use atls_veraison::VeraisonService;
use serde_json::Value;

use crate::service::at;
use crate::service::saying;
use crate::service::status;
use crate::support::Fake;
use crate::support::Step;
use crate::support::service;

#[tokio::test]
async fn a_discovered_key_is_believed_only_where_it_is_pinned() {
    let fake = Fake::new();
    let discovery = service(&fake).discover().await.unwrap();
    let pinned: KeyFingerprint = discovery.key_fingerprint().to_string().parse().unwrap();
    assert!(discovery.keys(&pinned).is_ok());
    assert!(discovery.is_ready());
    assert_eq!(discovery.version(), "v0.0.2608");
    assert_eq!(discovery.media_types().len(), 3);

    let another = service(&Fake::new()).discover().await.unwrap();
    assert_eq!(
        another.keys(&pinned).map(drop),
        Err(DiscoveryError::KeyChanged(*another.key_fingerprint()))
    );
}

#[tokio::test]
async fn an_entry_that_is_no_media_type_costs_itself_and_not_the_document() {
    let fake = at(Step::Discover, |answer| {
        answer.map(|body| {
            let mut document: Value = serde_json::from_slice(&body).unwrap();
            let listed = document["media-types"].as_array_mut().unwrap();
            listed.extend([
                Value::from(1),
                Value::Null,
                "".into(),
                Value::Array(Vec::new()),
            ]);
            document.to_string().into_bytes()
        })
    });
    let discovery = service(&fake).discover().await.unwrap();
    assert_eq!(discovery.media_types().len(), 3);
}

#[tokio::test]
async fn a_discovery_document_is_read_strictly() {
    for body in [
        "",
        "{}",
        "<html>",
        r#"{"ear-verification-key":{"kty":"oct"},"media-types":[],"version":"","service-state":""}"#,
    ] {
        let fake = at(Step::Discover, move |answer| {
            answer.map(|_| body.as_bytes().to_vec())
        });
        let refused = service(&fake).discover().await.unwrap_err();
        assert_eq!(refused.reason(), "answer_malformed", "{body}");
    }
    let html = at(Step::Discover, |mut answer| {
        answer
            .headers_mut()
            .insert("content-type", "text/html".parse().unwrap());
        answer
    });
    let refused = service(&html).discover().await.unwrap_err();
    assert_eq!(refused.reason(), "answer_malformed");
    let gone = at(Step::Discover, |answer| status(answer, 302));
    let refused = service(&gone).discover().await.unwrap_err();
    assert_eq!(
        (refused.reason(), refused.cause()),
        ("status", "status 302")
    );
    let busy = saying(Step::Discover, "service-state", "INITIALIZING");
    assert!(!service(&busy).discover().await.unwrap().is_ready());
}

#[test]
fn a_service_is_at_the_root_of_its_host() {
    let fake = Fake::new();
    let at = |url| {
        let endpoint = Endpoint::dangerous_loopback(url)?;
        VeraisonService::new(&endpoint, Arc::new(fake.clone())).map(drop)
    };
    for url in [
        "https://veraison.example:8443",
        "https://veraison.example/",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
    ] {
        assert_eq!(at(url), Ok(()), "{url}");
    }
    assert_eq!(at("https://a/b"), Err(EndpointError::HasPath));
    for url in ["http://veraison.example", "http://10.0.0.1", "http://[::2]"] {
        assert_eq!(at(url), Err(EndpointError::NotHttps), "{url}");
    }
    for url in ["", "https://", "https://a?b", "https://a#b", "https://a@b"] {
        assert_eq!(at(url), Err(EndpointError::Malformed), "{url}");
    }
}

#[test]
fn a_service_without_polls_is_refused() {
    let service = || service(&Fake::new());
    assert!(service().with_polling(0, Duration::from_secs(1)).is_err());
    assert!(service().with_polling(1, Duration::ZERO).is_err());
}
