//! The verifier: the Evidence that it refuses before it sends anything, and the results that it takes.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::Fault;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::ear::Tier;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_remote::RemoteVerifier;
use atls_remote::RemoteVerifierBuilder;
use atls_remote::Resilient;
use atls_remote::SetupError;
use atls_sim::Lifecycle;
use atls_sim::SimAttester;
use atls_veraison::CcaToken;
use atls_veraison::FormatWithParts;
use atls_veraison::Parts;
use atls_veraison::PsaToken;
use atls_veraison::VeraisonService;
use atls_veraison::Wrapping;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Request;
use http::Response;
use serde_json::Value;
use serde_json::json;
use support::Fake;
use support::NOW;
use support::Step;
use support::now;
use support::provider;
use test_support::Connection;

fn builder(fake: &Fake) -> RemoteVerifierBuilder<VeraisonService> {
    builder_over(fake, Arc::new(fake.clone()))
}

fn builder_over(
    fake: &Fake,
    client: Arc<dyn HttpClient>,
) -> RemoteVerifierBuilder<VeraisonService> {
    let service = support::service_over(client);
    RemoteVerifier::builder(service, Arc::new(fake.keys()), &provider())
}

fn verifier(fake: &Fake) -> RemoteVerifier<VeraisonService> {
    builder(fake).format(PsaToken::tfm()).build().unwrap()
}

async fn appraise(
    verifier: &RemoteVerifier<VeraisonService>,
    connection: &Connection,
    token: &[u8],
) -> Result<Appraised, AppraisalError> {
    let evidence = Evidence::new(&verifier.media_types()[0], token, connection.bound());
    let outcome = verifier.appraise(&evidence, now()).await;
    // A task of its own deletes the session.
    tokio::task::yield_now().await;
    outcome
}

type Expected = Result<Tier, AppraisalError>;

/// The status of a result about good Evidence, after this change to its claims.
async fn status(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Expected {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let verifier = verifier(&Fake::new().claiming(change));
    let appraised = appraise(&verifier, &connection, &token).await?;
    Ok(appraised.ear().status())
}

/// The status where the claim at this JSON pointer has another value, or is absent.
async fn status_with(pointer: &'static str, value: Option<Value>) -> Expected {
    status(move |claims| {
        let (place, name) = pointer.rsplit_once('/').unwrap();
        let place = claims.pointer_mut(place).unwrap();
        let place = place.as_object_mut().unwrap();
        match value.clone() {
            Some(value) => drop(place.insert(name.to_owned(), value)),
            None => drop(place.remove(name).unwrap()),
        }
    })
    .await
}

const BAD: Expected = Err(AppraisalError::BadResult);
const OUT_OF_TIME: Expected = Err(AppraisalError::ResultExpired);

#[tokio::test]
async fn good_evidence_is_affirmed_as_simulated() {
    for connection in [Connection::new(), Connection::sha384()] {
        let token = connection.token(&SimAttester::generate().unwrap()).await;
        let fake = Fake::new();
        let appraised = appraise(&verifier(&fake), &connection, &token)
            .await
            .unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Simulated);
        assert_eq!(appraised.ear().nonce(), Some(connection.bound().as_bytes()));
        assert_eq!(fake.steps(), [Step::Open, Step::Submit, Step::Delete]);
        assert_eq!(fake.open_sessions(), 0);
        assert_eq!(fake.request(Step::Submit).body(), &token);
    }
}

#[tokio::test]
async fn an_affirming_result_about_a_simulator_does_not_satisfy_the_standard_policy() {
    let fake = Fake::new();
    let attester = SimAttester::generate().unwrap();
    let strict = RelyingParty::builder().verifier(Arc::new(verifier(&fake)));
    let credential = Connection::new().attested(&attester).await;
    let refused = strict
        .build()
        .unwrap()
        .appraise(credential, now())
        .await
        .unwrap_err();
    assert_eq!(refused, Refusal::Policy(PolicyViolation::Simulated));

    let lenient = RelyingParty::builder()
        .verifier(Arc::new(verifier(&fake)))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let credential = Connection::new().attested(&attester).await;
    let peer = lenient
        .build()
        .unwrap()
        .appraise(credential, now())
        .await
        .unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    // Veraison states no end: it is the relying party's maximum age after `iat`.
    assert_eq!(peer.valid_for(now()), Duration::from_secs(3600));
}

/// The service would affirm it, and echo the nonce of this connection.
#[tokio::test]
async fn evidence_of_another_connection_is_refused_and_never_sent() {
    let fake = Fake::new();
    let (one, other) = (Connection::new(), Connection::new());
    let replayed = other.token(&SimAttester::generate().unwrap()).await;
    let refused = appraise(&verifier(&fake), &one, &replayed)
        .await
        .unwrap_err();
    assert_eq!(refused, AppraisalError::NotBound);
    assert_eq!(fake.steps(), []);
}

#[tokio::test]
async fn malformed_evidence_is_refused_and_never_sent() {
    let fake = Fake::new();
    let connection = Connection::new();
    for bytes in [&b""[..], b"\xd2\x84", b"not a token"] {
        let refused = appraise(&verifier(&fake), &connection, bytes).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
    }
    assert_eq!(fake.steps(), []);
}

#[tokio::test]
async fn evidence_of_another_media_type_is_refused_and_never_sent() {
    let fake = Fake::new();
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let other = "application/eat+cwt".parse().unwrap();
    let evidence = Evidence::new(&other, &token, connection.bound());
    let refused = verifier(&fake).appraise(&evidence, now()).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
    assert_eq!(fake.steps(), []);
}

/// Veraison's PSA scheme affirms it.
#[tokio::test]
async fn a_device_that_is_open_to_debugging_is_contraindicated_even_where_the_service_affirms_it() {
    for code in [
        0x0000, 0x1000, 0x2000, 0x3100, 0x4000, 0x40ff, 0x5000, 0x6000, 0xffff,
    ] {
        let attester = SimAttester::generate().unwrap();
        let attester = attester.with_lifecycle(Lifecycle::Other(code));
        let connection = Connection::new();
        let token = connection.token(&attester).await;
        let appraised = appraise(&verifier(&Fake::new()), &connection, &token).await;
        assert_eq!(
            appraised.unwrap().ear().status(),
            Tier::Contraindicated,
            "{code:#06x}"
        );
    }
}

#[tokio::test]
async fn a_bad_result_stays_bad() {
    const PART: &str = "/submods/PSA_IOT";
    const EXECUTABLES: &str = "/submods/PSA_IOT/ear.trustworthiness-vector/executables";
    let part = |word: &str| json!({ "ear.status": word });
    for (pointer, value, expected) in [
        (PART, part("affirming"), Ok(Tier::Affirming)),
        (PART, part("warning"), Ok(Tier::Warning)),
        (PART, part("contraindicated"), Ok(Tier::Contraindicated)),
        (PART, part("none"), Ok(Tier::None)),
        (PART, part("trusted"), BAD),
        (EXECUTABLES, 33.into(), Ok(Tier::Warning)),
        (
            "/submods/other",
            part("contraindicated"),
            Ok(Tier::Contraindicated),
        ),
    ] {
        let found = status_with(pointer, Some(value.clone())).await;
        assert_eq!(found, expected, "{pointer} {value}");
    }
}

#[tokio::test]
async fn a_result_must_appraise_every_expected_part() {
    let renamed = json!({ "psa-iot": { "ear.status": "affirming" } });
    for submods in [None, Some(json!({})), Some(renamed)] {
        assert_eq!(status_with("/submods", submods).await, BAD);
    }
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let parts = Parts::of("PSA_IOT").with("GPU");
    let two_parts = builder(&Fake::new()).format(FormatWithParts::new(PsaToken::tfm(), parts));
    let refused = appraise(&two_parts.build().unwrap(), &connection, &token).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::BadResult);
}

#[tokio::test]
async fn a_result_must_answer_this_nonce() {
    let other = json!(BASE64_URL_SAFE.encode([0; 32]));
    for nonce in [None, Some(other), Some(json!("")), Some(Value::Null)] {
        let found = status_with("/eat_nonce", nonce.clone()).await;
        assert_eq!(found, BAD, "{nonce:?}");
    }
    let several =
        status(|claims| claims["eat_nonce"] = json!([claims["eat_nonce"], "AAAAAAAAAAA="]));
    assert_eq!(several.await, BAD);
    // A profile without that claim is none of Veraison's.
    let trustee = status(|claims| {
        claims["eat_profile"] = "tag:github.com,2024:confidential-containers/Trustee".into();
        claims.as_object_mut().unwrap().remove("eat_nonce");
    });
    assert_eq!(trustee.await, BAD);
    let unpadded = status(|claims| {
        let nonce = claims["eat_nonce"].as_str().unwrap();
        claims["eat_nonce"] = nonce.trim_end_matches('=').into();
    });
    assert_eq!(unpadded.await, Ok(Tier::Affirming));
}

#[tokio::test]
async fn a_result_must_be_of_now() {
    for (pointer, time, expected) in [
        ("/iat", Some(NOW + 60), Ok(Tier::Affirming)),
        ("/iat", Some(NOW + 61), OUT_OF_TIME),
        ("/iat", Some(NOW - 299), Ok(Tier::Affirming)),
        ("/iat", Some(NOW - 300), OUT_OF_TIME),
        ("/iat", None, BAD),
        ("/exp", Some(NOW), OUT_OF_TIME),
    ] {
        let found = status_with(pointer, time.map(Value::from)).await;
        assert_eq!(found, expected, "{pointer} {time:?}");
    }
}

#[tokio::test]
async fn the_current_dialect_is_read_too() {
    let current = status(|claims| {
        *claims = json!({
            "eat_profile": "tag:ietf.org,2026:rats/ear#04",
            "iat": NOW,
            "eat_nonce": claims["eat_nonce"],
            "ear_verifier_id": { "build": "N/A", "developer": "Veraison Project" },
            "submods": { "PSA_IOT": { "ear_status": "affirming" } },
        });
    });
    assert_eq!(current.await, Ok(Tier::Affirming));
    let unknown = json!("tag:example.com,2026:ear");
    assert_eq!(status_with("/eat_profile", Some(unknown)).await, BAD);
}

#[tokio::test]
async fn a_result_must_be_signed_by_the_pinned_key() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let appraise = async |change: fn([&str; 3]) -> String| {
        let fake = Fake::new().tampering(move |step, answer| match step {
            Step::Submit => {
                let mut body: Value = serde_json::from_slice(answer.body()).unwrap();
                let parts: Vec<_> = body["result"].as_str().unwrap().split('.').collect();
                body["result"] = change(parts.try_into().unwrap()).into();
                answer.map(|_| body.to_string().into_bytes())
            }
            _ => answer,
        });
        appraise(&verifier(&fake), &connection, &token)
            .await
            .map(drop)
    };
    assert_eq!(appraise(|parts| parts.join(".")).await, Ok(()));
    let changes: [fn([&str; 3]) -> String; 7] = [
        |_| String::new(),
        |[header, claims, _]| format!("{header}.{claims}"),
        |[header, claims, _]| format!("{header}.{claims}."),
        |[_, claims, _]| format!("{}.{claims}.", header(r#"{"alg":"none"}"#)),
        |[_, claims, _]| format!("{}.{claims}.AAAA", header(r#"{"alg":"HS256"}"#)),
        |[_, claims, _]| {
            let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap();
            Fake::new().token(&serde_json::from_slice(&claims).unwrap())
        },
        |[header, claims, signature]| format!("{header}.{claims}.A{}", &signature[1..]),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let refused = appraise(change).await;
        assert_eq!(refused, Err(AppraisalError::BadResult), "change {index}");
    }
}

fn header(json: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(json)
}

#[tokio::test]
async fn evidence_in_a_cmw_is_the_same_evidence() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    for (wrapping, content_type) in [
        (Wrapping::CmwCbor, "application/cmw+cbor"),
        (Wrapping::CmwJson, "application/cmw+json"),
    ] {
        let fake = Fake::new();
        let service = support::service(&fake).with_wrapping(wrapping);
        let verifier = RemoteVerifier::builder(service, Arc::new(fake.keys()), &provider());
        let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
        appraise(&verifier, &connection, &token).await.unwrap();
        let sent = fake.request(Step::Submit);
        assert_eq!(sent.headers()["content-type"], content_type);
        let cmw = Cmw::decode(sent.body()).unwrap();
        assert_eq!(cmw.items()[0].value(), token);
        assert_eq!(
            cmw.items()[0].media_type().as_ref(),
            verifier.media_types().first()
        );
    }
}

#[tokio::test]
async fn an_outage_is_the_verifiers_fault_and_no_result() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let fake =
        Fake::new().tampering(|_, _| Response::builder().status(503).body(Vec::new()).unwrap());
    let refused = appraise(&verifier(&fake), &connection, &token)
        .await
        .unwrap_err();
    assert_eq!(
        (refused.fault(), refused),
        (Fault::Verifier, AppraisalError::Unreachable)
    );
}

/// The clients of every service are bounded by the same means.
#[tokio::test]
async fn a_service_that_fails_again_and_again_is_left_alone() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let fake = Fake::new().tampering(|_, _| {
        let answer = Response::builder().status(503);
        answer.body(Vec::new()).unwrap()
    });
    let client = Resilient::builder("veraison", Arc::new(fake.clone()));
    let client = Arc::new(client.circuit(2, Duration::from_secs(5)).build());
    let verifier = builder_over(&fake, client.clone());
    let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
    for _ in 0..3 {
        let refused = appraise(&verifier, &connection, &token).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
    }
    assert_eq!(fake.steps(), [Step::Open, Step::Open]);
    assert_eq!((client.stats().failures, client.stats().not_sent), (2, 1));
}

#[tokio::test]
async fn requests_under_way_are_limited() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let mut fake = Fake::new();
    fake.stuck = Some(Step::Submit);
    let client = Resilient::builder("veraison", Arc::new(fake.clone()));
    let client = Arc::new(client.in_flight(1).queue(0).build());
    let verifier = builder_over(&fake, client);
    let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
    let refused = tokio::select! {
        biased;
        _ = appraise(&verifier, &connection, &token) => unreachable!("nobody answers it"),
        refused = appraise(&verifier, &connection, &token) => refused,
    };
    assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
    assert_eq!(fake.steps(), [Step::Open, Step::Submit]);
}

/// A request takes a moment, so the last one of a session begins later than the appraisal.
struct Slow(Fake);

impl HttpClient for Slow {
    fn send(
        &self,
        request: Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, HttpError>> {
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.0.send(request, limits).await
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_hangs_in_a_session_opens_the_circuit() {
    let connection = Connection::new();
    let token = connection.token(&SimAttester::generate().unwrap()).await;
    let mut fake = Fake::new();
    fake.stuck = Some(Step::Submit);
    let client = Resilient::builder("veraison", Arc::new(Slow(fake.clone())));
    let client = Arc::new(client.circuit(3, Duration::from_secs(50)).build());
    let verifier = builder_over(&fake, client.clone());
    let verifier = verifier.format(PsaToken::tfm()).build().unwrap();
    let appraisal = || appraise(&verifier, &connection, &token);
    let (one, two, three) = tokio::join!(appraisal(), appraisal(), appraisal());
    for refused in [one, two, three] {
        assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
    }
    let stats = client.stats();
    assert_eq!((stats.failures, stats.abandoned), (3, 0));
    let before = fake.steps().len();
    appraise(&verifier, &connection, &token).await.unwrap_err();
    assert_eq!(fake.steps().len(), before, "nothing was sent");
}

#[test]
fn a_verifier_that_could_never_work_is_not_built() {
    let fake = Fake::new();
    let error = |builder: RemoteVerifierBuilder<VeraisonService>| builder.build().unwrap_err();
    assert_eq!(error(builder(&fake)), SetupError::NoFormat);
    assert!(matches!(
        error(
            builder(&fake)
                .format(PsaToken::tfm())
                .format(CcaToken::new())
                .format(PsaToken::tfm())
        ),
        SetupError::RepeatedFormat(_)
    ));
    assert!(matches!(
        error(
            builder(&fake)
                .format(PsaToken::tfm())
                .max_age(Duration::from_millis(999))
        ),
        SetupError::Zero(_)
    ));
    let both = builder(&fake)
        .format(PsaToken::tfm())
        .format(CcaToken::new())
        .build();
    assert_eq!(both.unwrap().media_types().len(), 2);
}
