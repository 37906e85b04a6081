//! Against a stand-in on loopback that follows the published API, **not against the live service**.
#![allow(
    clippy::indexing_slicing,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::Mutex;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Evidence;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::ear::Category;
use atls_core::ear::KeySource;
use atls_core::ear::Tier;
use atls_ita::ItaService;
use atls_ita::RuntimeData;
use atls_ita::TdxQuote;
use atls_ita::portal_keys;
use atls_remote::RemoteVerifier;
use atls_remote::Resilient;
use atls_remote::SetupError;
use axum::Json;
use axum::Router;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::routing::get;
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use serde_json::json;
use stand_in::Loopback;
use stand_in::Signer;
use test_support::Connection;
use test_support::Script;
use test_support::at;

const NOW: u64 = 1_000_000;

/// One for all tests: RSA keys take a while to make.
static SIGNER: LazyLock<Arc<Signer>> = LazyLock::new(|| Arc::new(Signer::ps384()));
const POLICY: &str = "749dd9b1-234f-41f5-a6ca-42c4312dd4f1";

#[tokio::test]
async fn a_token_about_this_connection_is_accepted() {
    for connection in [Connection::new(), Connection::sha384()] {
        let ita = Ita::faithful().await;
        let appraised = ita.appraise(&connection).await.unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming);
        assert_eq!(appraised.origin(), Origin::Device);
        assert_eq!(appraised.ear().expires_at(), Some(at(NOW + 300)));
        let request = ita.last_request();
        assert_eq!(request["policy_ids"], json!([POLICY]));
        assert_eq!(request["policy_must_match"], true);
        let runtime_data = request["tdx"]["runtime_data"].as_str().unwrap();
        assert_eq!(
            BASE64_STANDARD.decode(runtime_data).unwrap(),
            connection.bound().as_bytes()
        );
        assert!(request["tdx"].get("verifier_nonce").is_none());
    }
}

#[tokio::test]
async fn the_value_may_be_kept_from_the_service() {
    let ita = Ita::faithful().await;
    let connection = Connection::new();
    let service = ita.service().with_runtime_data(RuntimeData::Omitted);
    let verifier = ita.verifier_of(service.with_policy(POLICY));
    let appraised = appraise(&verifier, &connection, &quote(&connection)).await;
    assert!(appraised.is_ok());
    assert!(ita.last_request()["tdx"].get("runtime_data").is_none());
}

#[tokio::test]
async fn claims_of_version_1_stand_at_the_top() {
    let ita = Ita::twisted(|mut claims| {
        let nested = claims["tdx"].take();
        claims.as_object_mut().unwrap().remove("tdx");
        let nested = nested.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(nested);
        claims
    });
    let appraised = ita.await.appraise(&Connection::new()).await.unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
}

#[tokio::test]
async fn evidence_of_another_connection_is_not_even_sent() {
    let ita = Ita::faithful().await;
    let verifier = ita.verifier();
    let (one, other) = (Connection::new(), Connection::new());
    let refused = appraise(&verifier, &one, &quote(&other)).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
    let refused = appraise(&verifier, &one, b"no quote").await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
    assert!(ita.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn each_claim_about_the_subject_of_a_token_is_checked() {
    let cases: Vec<(&str, fn(&mut Value))> = vec![
        ("other report data", |claims| {
            claims["tdx"]["tdx_report_data"] = "00".repeat(64).into();
        }),
        ("half of the report data", |claims| {
            let text = claims["tdx"]["tdx_report_data"].as_str().unwrap()[..64].to_owned();
            claims["tdx"]["tdx_report_data"] = text.into();
        }),
        ("no report data", |claims| {
            claims["tdx"]
                .as_object_mut()
                .unwrap()
                .remove("tdx_report_data");
        }),
        ("report data at the top, beside other claims", |claims| {
            let moved = claims["tdx"]["tdx_report_data"].take();
            claims["tdx_report_data"] = moved;
        }),
        ("another TEE", |claims| {
            claims["tdx"]["attester_type"] = "SGX".into()
        }),
        ("no claims about a TD", |claims| claims["tdx"] = Value::Null),
        ("another issuer", |claims| claims["iss"] = "Intel".into()),
        ("no issuer", |claims| remove(claims, "iss")),
        ("no end", |claims| remove(claims, "exp")),
        ("no beginning", |claims| remove(claims, "iat")),
        ("a beginning in the future", |claims| {
            claims["nbf"] = (NOW + 61).into()
        }),
    ];
    for (name, change) in cases {
        let ita = Ita::twisted(move |mut claims| {
            change(&mut claims);
            claims
        });
        let refused = ita.await.appraise(&Connection::new()).await;
        let expected = match name.contains("future") {
            true => AppraisalError::ResultExpired,
            false => AppraisalError::BadResult,
        };
        assert_eq!(refused.unwrap_err(), expected, "{name}");
    }
}

/// Claim of the token and its value; claim of the result and its value.
#[tokio::test]
async fn each_claim_about_the_platform_is_appraised() {
    let cases = json!([
        ["/tdx/attester_tcb_status", "SWHardeningNeeded", "hardware", 32],
        ["/tdx/attester_tcb_status", "OutOfDate", "hardware", 32],
        ["/tdx/attester_tcb_status", "Revoked", "hardware", 96],
        ["/tdx/attester_tcb_status", "uptodate", "hardware", 97],
        ["/tdx/attester_tcb_status", null, "hardware", 97],
        ["/tdx/tdx_is_debuggable", true, "configuration", 96],
        ["/tdx/tdx_is_debuggable", null, "configuration", 96],
        ["/tdx/tdx_is_debuggable", "false", "runtime-opaque", 96],
        ["/tdx/dbgstat", "enabled", "runtime-opaque", 96],
        ["/policy_ids_matched", null, "executables", 96],
        ["/policy_ids_matched", [{ "id": "other" }], "executables", 96],
        ["/policy_ids_unmatched", [{ "id": POLICY }], "executables", 96],
    ]);
    for case in cases.as_array().unwrap() {
        let (name, value) = (case[0].as_str().unwrap().to_owned(), case[1].clone());
        let ita = Ita::twisted(move |mut claims| {
            *claims.pointer_mut(&name).unwrap() = value.clone();
            claims
        });
        let appraised = ita.await.appraise(&Connection::new()).await.unwrap();
        let part = appraised.ear().submod("tdx").unwrap();
        let mut categories = Category::ALL.into_iter();
        let category = categories.find(|category| case[2] == category.name());
        let value = part.vector().get(category.unwrap()).value();
        assert_eq!(Value::from(value), case[3], "{case}");
        assert_ne!(appraised.ear().status(), Tier::Affirming, "{case}");
    }
}

#[tokio::test]
async fn without_policy_nothing_vouches_for_the_software() {
    let ita = Ita::faithful().await;
    let connection = Connection::new();
    let verifier = ita.verifier_of(ita.service());
    let appraised = appraise(&verifier, &connection, &quote(&connection)).await;
    assert_eq!(appraised.unwrap().ear().status(), Tier::Warning);
    assert_eq!(ita.last_request()["policy_must_match"], false);
}

#[tokio::test]
async fn a_token_that_the_portal_did_not_sign_is_refused() {
    let cases: Vec<(&str, fn(&Signer, &Value) -> String)> = vec![
        ("none", |_, claims| Signer::unsigned(claims)),
        ("HS256", |signer, claims| signer.confused(claims)),
        ("an attacker's, with its address", |_, claims| {
            let header =
                json!({ "alg": "PS384", "jku": "https://attacker.example/certs", "kid": "k" });
            Signer::ps384().token_with(&header, claims)
        }),
        ("signed for another algorithm", |signer, claims| {
            signer.token_with(&json!({ "alg": "RS256" }), claims)
        }),
    ];
    for (name, sign) in cases {
        let ita = Ita::with(|claims| claims, sign).await;
        let refused = ita.appraise(&Connection::new()).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::BadResult, "{name}");
    }
}

#[tokio::test]
async fn a_token_that_has_ended_is_refused() {
    let ita = Ita::twisted(|mut claims| {
        claims["exp"] = NOW.into();
        claims
    });
    let refused = ita.await.appraise(&Connection::new()).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::ResultExpired);
}

#[tokio::test]
async fn a_token_of_another_request_is_refused() {
    let first = Ita::faithful().await;
    let recorded = Arc::new(Mutex::new(None));
    let replayed = recorded.clone();
    // A service in between answers each request with the first token.
    let ita = Ita::with_memory(first.signer.clone(), replayed).await;
    assert!(ita.appraise(&Connection::new()).await.is_ok());
    let refused = ita.appraise(&Connection::new()).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::BadResult);
    assert!(recorded.lock().unwrap().is_some());
}

#[tokio::test]
async fn answers_without_token_give_no_result() {
    for (status, body, expected) in [
        (200, "", AppraisalError::BadResult),
        (200, "{}", AppraisalError::BadResult),
        (200, r#"{"token":1}"#, AppraisalError::BadResult),
        (400, r#"{"error":"quote"}"#, AppraisalError::Malformed),
        (401, "", AppraisalError::Unreachable),
        (503, "", AppraisalError::Unreachable),
    ] {
        let script = Script::immediate(move |_, _| {
            let response = http::Response::builder().status(status);
            Ok(response.body(body.as_bytes().to_vec()).unwrap())
        });
        let refused = over(script).await;
        assert_eq!(refused.unwrap_err(), expected, "{status} {body}");
    }
    let huge = Script::immediate(|_, _| Ok(http::Response::new(vec![b' '; 70 * 1024])));
    assert_eq!(over(huge).await.unwrap_err(), AppraisalError::BadResult);
}

#[tokio::test(start_paused = true)]
async fn a_silent_service_is_given_up_within_the_exchange() {
    let silent = Script::new(|_, _| Box::pin(std::future::pending()));
    let start = tokio::time::Instant::now();
    assert_eq!(over(silent).await.unwrap_err(), AppraisalError::Unreachable);
    assert_eq!(start.elapsed(), Duration::from_secs(8));
}

#[tokio::test]
async fn keys_come_from_the_portal() {
    let ita = Ita::faithful().await;
    let keys = portal_keys(&ita.server.endpoint(), Loopback::client()).unwrap();
    let verifier = verifier(ita.service().with_policy(POLICY), Arc::new(keys));
    let connection = Connection::new();
    let appraised = appraise(&verifier, &connection, &quote(&connection)).await;
    assert!(appraised.is_ok());
}

#[tokio::test]
async fn a_configuration_without_usable_key_is_refused() {
    let ita = Ita::faithful().await;
    let service = |key| ItaService::new(&ita.server.endpoint(), key, Loopback::client());
    assert_eq!(service("a\nb").unwrap_err(), SetupError::Credential);
    let debugged = format!("{:?}", ita.verifier_of(service("secret").unwrap()));
    assert!(debugged.contains("ItaService"));
    assert!(!debugged.contains("secret"));
}

// --- The stand-in ------------------------------------------------------------------------------------------------------

struct Ita {
    server: Loopback,
    signer: Arc<Signer>,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Ita {
    async fn faithful() -> Self {
        Self::twisted(|claims| claims).await
    }

    async fn twisted(twist: impl Fn(Value) -> Value + Send + Sync + 'static) -> Self {
        Self::with(twist, |signer, claims| signer.token(claims)).await
    }

    async fn with(
        twist: impl Fn(Value) -> Value + Send + Sync + 'static,
        sign: fn(&Signer, &Value) -> String,
    ) -> Self {
        let signer = SIGNER.clone();
        let signing = signer.clone();
        let answer = move |request: &Value| sign(&signing, &twist(claims(request)));
        Self::answering(signer, answer).await
    }

    async fn with_memory(signer: Arc<Signer>, memory: Arc<Mutex<Option<String>>>) -> Self {
        let signing = signer.clone();
        let answer = move |request: &Value| {
            let mut memory = memory.lock().unwrap();
            let token = memory.get_or_insert_with(|| signing.token(&claims(request)));
            token.clone()
        };
        Self::answering(signer, answer).await
    }

    async fn answering(
        signer: Arc<Signer>,
        answer: impl Fn(&Value) -> String + Send + Sync + 'static,
    ) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, set, answer) = (requests.clone(), signer.jwk_set(), Arc::new(answer));
        let attest = async move |headers: HeaderMap, Json(request): Json<Value>| {
            if headers.get("x-api-key").is_none_or(|key| key != "key") {
                return Err(StatusCode::UNAUTHORIZED);
            }
            if !is_bound(&request) {
                return Err(StatusCode::BAD_REQUEST);
            }
            let token = answer(&request);
            seen.lock().unwrap().push(request);
            Ok(Json(json!({ "token": token })))
        };
        let app = Router::new()
            .route("/appraisal/v2/attest", post(attest))
            .route("/certs", get(async move || Json(set.clone())));
        Self {
            server: Loopback::serve(app).await,
            signer,
            requests,
        }
    }

    fn last_request(&self) -> Value {
        self.requests.lock().unwrap().last().unwrap().clone()
    }

    fn service(&self) -> ItaService {
        ItaService::new(&self.server.endpoint(), "key", Loopback::client()).unwrap()
    }

    fn verifier(&self) -> RemoteVerifier<ItaService> {
        self.verifier_of(self.service().with_policy(POLICY))
    }

    fn verifier_of(&self, service: ItaService) -> RemoteVerifier<ItaService> {
        verifier(service, Arc::new(self.signer.keys()))
    }

    async fn appraise(&self, connection: &Connection) -> Result<Appraised, AppraisalError> {
        appraise(&self.verifier(), connection, &quote(connection)).await
    }
}

/// The service's own comparison, without nonce: REPORTDATA = SHA-512(runtime_data).
fn is_bound(request: &Value) -> bool {
    let Some(runtime_data) = request["tdx"]["runtime_data"].as_str() else {
        return true;
    };
    let runtime_data = BASE64_STANDARD.decode(runtime_data).unwrap();
    report_data(request) == test_support::sha512(&runtime_data)
}

fn report_data(request: &Value) -> Vec<u8> {
    let quote = request["tdx"]["quote"].as_str().unwrap();
    BASE64_STANDARD.decode(quote).unwrap()[568..632].to_vec()
}

fn claims(request: &Value) -> Value {
    let hex: String = report_data(request)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let ids = request["policy_ids"].as_array().unwrap();
    let matched: Vec<_> = ids
        .iter()
        .map(|id| json!({ "id": id, "version": "v1", "hash": "" }))
        .collect();
    json!({
        "eat_profile": "https://portal.trustauthority.intel.com/eat_profile.html",
        "iss": "Intel Trust Authority", "iat": NOW, "nbf": NOW, "exp": NOW + 300, "ver": "2.0.0",
        "policy_ids_matched": matched, "policy_ids_unmatched": null,
        "tdx": {
            "attester_type": "TDX", "attester_tcb_status": "UpToDate", "dbgstat": "disabled",
            "tdx_is_debuggable": false, "tdx_mrtd": "00".repeat(48), "tdx_report_data": hex,
        },
    })
}

fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}

fn verifier(service: ItaService, keys: Arc<dyn KeySource>) -> RemoteVerifier<ItaService> {
    let provider = rustls::crypto::ring::default_provider();
    let builder = RemoteVerifier::builder(service, keys, &provider);
    builder.format(TdxQuote::new()).build().unwrap()
}

async fn appraise(
    verifier: &RemoteVerifier<ItaService>,
    connection: &Connection,
    quote: &[u8],
) -> Result<Appraised, AppraisalError> {
    let evidence = Evidence::new(&verifier.media_types()[0], quote, connection.bound());
    verifier.appraise(&evidence, at(NOW)).await
}

async fn over(script: Script) -> Result<Appraised, AppraisalError> {
    let endpoint = atls_remote::Endpoint::https("https://api.example").unwrap();
    let client = Arc::new(Resilient::new("ita", Arc::new(script)));
    let service = ItaService::new(&endpoint, "key", client).unwrap();
    let verifier = verifier(service, Arc::new(Signer::es256().keys()));
    let connection = Connection::new();
    appraise(&verifier, &connection, &quote(&connection)).await
}

fn quote(connection: &Connection) -> Vec<u8> {
    test_support::td_quote(connection.bound().sha512().bytes())
}
