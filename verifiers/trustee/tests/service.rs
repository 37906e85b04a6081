//! The verifier against a stand-in for `restful-as` on loopback, which reads requests and signs results as the real one does.
//! `src/recorded.rs` has recorded results of the real one.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Attester;
use atls_core::Evidence;
use atls_core::Issuer;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::ear::Algorithm;
use atls_core::ear::Category;
use atls_core::ear::KeySource;
use atls_core::ear::Tier;
use atls_remote::Jwks;
use atls_remote::RemoteIssuer;
use atls_remote::RemoteVerifier;
use atls_remote::RemoteVerifierBuilder;
use atls_remote::SetupError;
use atls_trustee::SampleAttester;
use atls_trustee::SampleEvidence;
use atls_trustee::TdxQuote;
use atls_trustee::TrusteeService;
use axum::Router;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use stand_in::Loopback;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;

const NOW: u64 = 1_000_000;

#[tokio::test]
async fn a_result_about_this_connection_is_accepted() {
    for connection in [Connection::new(), Connection::sha384()] {
        let trustee = Trustee::faithful().await;
        let quote = quote(&connection);
        let appraised = trustee.appraise(&connection, &quote).await.unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Device);
        assert_eq!(appraised.ear().expires_at(), Some(at(NOW + 300)));
        assert_eq!(trustee.requests(), 1);
    }
}

#[tokio::test]
async fn evidence_of_another_connection_is_not_even_sent() {
    let trustee = Trustee::faithful().await;
    let replayed = quote(&Connection::new());
    let refused = trustee.appraise(&Connection::new(), &replayed).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
    let refused = trustee.appraise(&Connection::new(), b"no quote").await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
    assert_eq!(trustee.requests(), 0);
}

#[tokio::test]
async fn a_td_that_may_be_debugged_is_contraindicated_whatever_the_service_says() {
    let trustee = Trustee::faithful().await;
    let connection = Connection::new();
    for bit in 0..8 {
        let mut quote = quote(&connection);
        quote[48 + 120] = 1 << bit;
        let appraised = trustee.appraise(&connection, &quote).await.unwrap();
        assert_eq!(appraised.ear().status(), Tier::Contraindicated);
    }
}

#[tokio::test]
async fn trustees_simulator_is_simulated_and_refused_unless_it_is_named() {
    let trustee = Trustee::faithful().await;
    let attester = SampleAttester::new("1").unwrap();
    let verifier = trustee.builder().format(SampleEvidence::new());
    let verifier = Arc::new(verifier.build().unwrap());
    for (policy, accepted) in [
        (StandardPolicy::new(), false),
        (StandardPolicy::new().dangerous_accept_simulated(), true),
    ] {
        let relying_party = RelyingParty::builder()
            .verifier(verifier.clone())
            .standard_policy(policy)
            .build()
            .unwrap();
        let credential = Connection::new().attested(&attester).await;
        let appraised = relying_party.appraise(credential, at(NOW)).await;
        match accepted {
            true => assert_eq!(appraised.unwrap().status(), Tier::Affirming),
            false => assert_eq!(
                appraised.unwrap_err(),
                Refusal::Policy(PolicyViolation::Simulated)
            ),
        }
    }
}

#[tokio::test]
async fn evidence_that_the_service_refuses_gives_no_result() {
    let trustee = Trustee::with(|_| None, sign).await;
    let connection = Connection::new();
    let refused = trustee.appraise(&connection, &quote(&connection)).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::NoResult);
}

#[tokio::test]
async fn each_claim_that_says_whom_a_result_is_about_is_checked() {
    let cases: Vec<(&str, fn(&mut Value))> = vec![
        ("other report data", |claims| {
            annotated(claims)["report_data"] = "00".repeat(64).into();
        }),
        ("shorter report data", |claims| {
            respelled(claims, |text| text[..126].to_owned());
        }),
        ("longer report data", |claims| {
            respelled(claims, |text| format!("{text}00"));
        }),
        ("report data of another spelling", |claims| {
            respelled(claims, |text| format!("0x{text}"));
        }),
        ("no report data", |claims| {
            remove(annotated(claims), "report_data");
        }),
        ("report data in the runtime data", |claims| {
            let moved = annotated(claims)["report_data"].take();
            annotated(claims)["runtime_data_claims"] = json!({ "report_data": moved });
        }),
        ("another TEE", |claims| {
            let tdx = annotated(claims).as_object_mut().unwrap().remove("tdx");
            annotated(claims)["sample"] = tdx.unwrap();
        }),
        ("another policy", |claims| {
            claims["submods"]["cpu0"]["ear.appraisal-policy-id"] = "lenient".into();
        }),
        ("no policy", |claims| {
            cpu(claims).remove("ear.appraisal-policy-id");
        }),
        ("another part", |claims| {
            let cpu = claims["submods"]["cpu0"].take();
            claims["submods"] = json!({ "gpu0": cpu });
        }),
        ("one more part", |claims| {
            claims["submods"]["cpu1"] = claims["submods"]["cpu0"].clone();
        }),
        ("no parts", |claims| claims["submods"] = json!({})),
        ("no status", |claims| {
            cpu(claims).remove("ear.status");
        }),
        ("no annotated evidence", |claims| {
            cpu(claims).remove("ear.veraison.annotated-evidence");
        }),
        ("another issuer", |claims| claims["iss"] = "CoCo".into()),
        ("no issuer", |claims| remove(claims, "iss")),
        ("no end", |claims| remove(claims, "exp")),
        ("no beginning", |claims| remove(claims, "iat")),
        ("a beginning in the future", |claims| {
            claims["iat"] = (NOW + 61).into();
        }),
        ("another profile", |claims| {
            claims["eat_profile"] = "tag:github.com,2023:veraison/ear".into();
        }),
        ("a nonce, which the profile has not", |claims| {
            claims["eat_nonce"] = "AAAAAAAAAAA".into();
        }),
    ];
    for (name, change) in cases {
        let refused = appraised_with(change).await;
        let expected = match name.contains("future") {
            true => AppraisalError::ResultExpired,
            false => AppraisalError::BadResult,
        };
        assert_eq!(refused.unwrap_err(), expected, "{name}");
    }
}

/// Trustee is moving the claims to their place in draft-ietf-rats-ear-04.
#[tokio::test]
async fn claims_of_the_evidence_are_read_wherever_the_result_has_them() {
    let moved: Vec<(&str, fn(&mut Value))> = vec![
        ("under the name of the TEE", |claims| {
            let old = annotated(claims).take();
            cpu(claims).remove("ear.veraison.annotated-evidence");
            cpu(claims).insert("ear_attester_claims".to_owned(), old);
        }),
        ("beside the name of the TEE", |claims| {
            let new = beside(annotated(claims));
            cpu(claims).remove("ear.veraison.annotated-evidence");
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("in both places", |claims| {
            let new = beside(annotated(claims));
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("in the older one, and the newer is empty", |claims| {
            cpu(claims).insert("ear_attester_claims".to_owned(), json!({}));
        }),
    ];
    for (name, change) in moved {
        let appraised = appraised_with(change).await;
        let status = appraised.map(|appraised| appraised.ear().status());
        assert_eq!(status, Ok(Tier::Affirming), "{name}");
    }
}

#[tokio::test]
async fn two_places_that_disagree_are_about_nothing() {
    let altered: Vec<(&str, fn(&mut Value))> = vec![
        ("other report data in the newer", |claims| {
            let mut new = beside(annotated(claims));
            new["report_data"] = "00".repeat(64).into();
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("other report data in the older", |claims| {
            let new = beside(annotated(claims));
            annotated(claims)["report_data"] = "00".repeat(64).into();
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("report data that is no text", |claims| {
            let mut new = beside(annotated(claims));
            new["report_data"] = json!([1]);
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("another TEE in the newer", |claims| {
            let mut new = beside(annotated(claims));
            new["tee"] = "sample".into();
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("another TEE in the older", |claims| {
            let new = beside(annotated(claims));
            remove(annotated(claims), "tdx");
            cpu(claims).insert("ear_attester_claims".to_owned(), new);
        }),
        ("a place that is no object", |claims| {
            cpu(claims).insert("ear_attester_claims".to_owned(), json!("tdx"));
        }),
        ("report data in the verifier's claims alone", |claims| {
            let new = beside(annotated(claims));
            cpu(claims).remove("ear.veraison.annotated-evidence");
            cpu(claims).insert("ear_verifier_claims".to_owned(), new);
        }),
    ];
    for (name, change) in altered {
        let refused = appraised_with(change).await.map(drop);
        assert_eq!(refused, Err(AppraisalError::BadResult), "{name}");
    }
}

#[tokio::test]
async fn a_result_that_has_ended_is_refused() {
    let changes: [fn(&mut Value); 2] = [
        |claims| claims["exp"] = NOW.into(),
        |claims| claims["iat"] = (NOW - 3600).into(),
    ];
    for change in changes {
        let refused = appraised_with(change).await.map(drop);
        assert_eq!(refused, Err(AppraisalError::ResultExpired));
    }
}

#[tokio::test]
async fn a_result_that_its_service_did_not_sign_is_refused() {
    let cases: Vec<(&str, fn(&Signer, &Value) -> String)> = vec![
        ("none", |_, claims| Signer::unsigned(claims)),
        ("HS256 with the public key", |signer, claims| {
            signer.confused(claims)
        }),
        ("another key, in the header", |_, claims| {
            let attacker = Signer::es256();
            let header = json!({ "alg": "ES256", "jwk": attacker.jwk(), "jku": "https://attacker.example", "x5u": "https://attacker.example" });
            attacker.token_with(&header, claims)
        }),
        ("altered", |signer, claims| {
            let token = signer.token(claims);
            let (message, signature) = token.rsplit_once('.').unwrap();
            let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string() + " ");
            let header = message.split('.').next().unwrap();
            format!("{header}.{claims}.{signature}")
        }),
        ("not a token", |_, _| "a token".to_owned()),
        ("empty", |_, _| String::new()),
        ("too large", |signer, claims| {
            let mut claims = claims.clone();
            claims["padding"] = "a".repeat(65 * 1024).into();
            signer.token(&claims)
        }),
    ];
    for (name, sign) in cases {
        let trustee = Trustee::with(Some, sign).await;
        let connection = Connection::new();
        let refused = trustee.appraise(&connection, &quote(&connection)).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::BadResult, "{name}");
    }
}

#[tokio::test]
async fn keys_may_come_from_the_configured_services_own_set() {
    let trustee = Trustee::faithful().await;
    let url = trustee.server.endpoint().join("/.well-known/jwks.json");
    let keys = Jwks::new(Loopback::client(), url.unwrap(), &[Algorithm::Es256]);
    let verifier = trustee
        .builder_with(Arc::new(keys))
        .format(TdxQuote::new())
        .build()
        .unwrap();
    let connection = Connection::new();
    let quote = quote(&connection);
    let evidence = Evidence::new(&verifier.media_types()[0], &quote, connection.bound());
    assert!(verifier.appraise(&evidence, at(NOW)).await.is_ok());
}

#[tokio::test]
async fn a_service_that_is_gone_gives_no_result() {
    let mut trustee = Trustee::faithful().await;
    trustee.server = Loopback::serve(Router::new()).await;
    let connection = Connection::new();
    let refused = trustee.appraise(&connection, &quote(&connection)).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
}

#[tokio::test]
async fn a_passport_is_what_the_service_signed() {
    let trustee = Trustee::faithful().await;
    let verifier = trustee.verifier();
    let media_type = verifier.media_types()[0].clone();
    let issuer = RemoteIssuer::new(verifier).unwrap();
    let connection = Connection::new();
    let quote = quote(&connection);
    let evidence = Evidence::new(&media_type, &quote, connection.bound());
    let passport = issuer.issue(&evidence).await.unwrap();
    assert_eq!(passport.iter().filter(|byte| **byte == b'.').count(), 2);
    let profile = issuer.media_type().parameter("eat_profile");
    assert_eq!(profile, Some(atls_trustee::PROFILE));
    // There is none for Evidence of another connection.
    let other = Connection::new();
    let evidence = Evidence::new(&media_type, &quote, other.bound());
    let refused = issuer.issue(&evidence).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
}

#[tokio::test]
async fn a_configuration_that_could_not_work_is_refused() {
    let trustee = Trustee::faithful().await;
    assert_eq!(trustee.builder().build().unwrap_err(), SetupError::NoFormat);
    let twice = trustee
        .builder()
        .format(TdxQuote::new())
        .format(TdxQuote::new());
    let media_type = MediaType::parse("application/vnd.atls.tdx-quote").unwrap();
    assert_eq!(
        twice.build().unwrap_err(),
        SetupError::RepeatedFormat(media_type)
    );
}

#[tokio::test]
async fn a_local_appraisal_stands_beside_that_of_the_service() {
    let trustee = Trustee::faithful().await;
    let connection = Connection::new();
    let appraised = trustee
        .appraise(&connection, &quote(&connection))
        .await
        .unwrap();
    let local = appraised.ear().submod("local").unwrap();
    assert_eq!(local.vector().get(Category::Configuration).value(), 2);
    assert!(appraised.ear().submod("cpu0").is_some());
}

// --- The stand-in ------------------------------------------------------------------------------------------------------

struct Trustee {
    server: Loopback,
    signer: Arc<Signer>,
    requests: Arc<AtomicUsize>,
}

impl Trustee {
    async fn faithful() -> Self {
        Self::with(Some, sign).await
    }

    /// A service that alters or refuses its claims by `alter`, and signs in another way.
    async fn with(
        alter: impl Fn(Value) -> Option<Value> + Send + Sync + 'static,
        sign: fn(&Signer, &Value) -> String,
    ) -> Self {
        let signer = Arc::new(Signer::es256());
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = requests.clone();
        let answer = move |signer: &Signer, claims: Option<Value>| {
            counted.fetch_add(1, Ordering::SeqCst);
            Some(sign(signer, &alter(claims?)?))
        };
        let app = stand_in::trustee_with(signer.clone(), || NOW, answer);
        Self {
            server: Loopback::serve(app).await,
            signer,
            requests,
        }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }

    fn builder(&self) -> RemoteVerifierBuilder<TrusteeService> {
        self.builder_with(Arc::new(self.signer.keys()))
    }

    fn builder_with(&self, keys: Arc<dyn KeySource>) -> RemoteVerifierBuilder<TrusteeService> {
        let provider = rustls::crypto::ring::default_provider();
        let service = TrusteeService::new(&self.server.endpoint(), Loopback::client());
        let service = service.unwrap().with_policy("mine");
        RemoteVerifier::builder(service, keys, &provider).max_age(Duration::from_secs(3600))
    }

    fn verifier(&self) -> RemoteVerifier<TrusteeService> {
        self.builder().format(TdxQuote::new()).build().unwrap()
    }

    async fn appraise(
        &self,
        connection: &Connection,
        quote: &[u8],
    ) -> Result<Appraised, AppraisalError> {
        let verifier = self.verifier();
        let evidence = Evidence::new(&verifier.media_types()[0], quote, connection.bound());
        verifier.appraise(&evidence, at(NOW)).await
    }
}

fn sign(signer: &Signer, claims: &Value) -> String {
    // The real one puts its key into the header too.
    let header = json!({ "typ": "JWT", "alg": "ES256", "jwk": signer.jwk() });
    signer.token_with(&header, claims)
}

/// The result of a service that changes its claims in that way.
async fn appraised_with(change: fn(&mut Value)) -> Result<Appraised, AppraisalError> {
    let alter = move |mut claims| {
        change(&mut claims);
        Some(claims)
    };
    let trustee = Trustee::with(alter, sign).await;
    let connection = Connection::new();
    trustee.appraise(&connection, &quote(&connection)).await
}

/// The claims in the layout of Trustee's next results.
fn beside(annotated: &Value) -> Value {
    json!({ "tee": "tdx", "claims": annotated["tdx"], "report_data": annotated["report_data"] })
}

fn cpu(claims: &mut Value) -> &mut serde_json::Map<String, Value> {
    claims["submods"]["cpu0"].as_object_mut().unwrap()
}

fn annotated(claims: &mut Value) -> &mut Value {
    &mut claims["submods"]["cpu0"]["ear.veraison.annotated-evidence"]
}

fn respelled(claims: &mut Value, change: fn(&str) -> String) {
    let text = &mut annotated(claims)["report_data"];
    *text = change(text.as_str().unwrap()).into();
}

fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}

fn quote(connection: &Connection) -> Vec<u8> {
    test_support::td_quote(connection.bound().sha512().bytes())
}

#[tokio::test]
async fn the_simulators_attester_names_its_format() {
    let attester = SampleAttester::new("1").unwrap();
    let connection = Connection::new();
    let cmw = attester.attest(connection.to_attest()).await.unwrap();
    let media_type = cmw.items()[0].media_type().unwrap();
    assert_eq!(attester.media_types(), [media_type]);
}
