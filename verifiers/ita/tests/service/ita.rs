//! The stand-in for the service.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::Mutex;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::ear::KeySource;
use atls_ita::ItaService;
use atls_ita::TdxQuote;
use atls_remote::RemoteVerifier;
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
use test_support::at;

pub(crate) const NOW: u64 = 1_000_000;

/// One for all tests: RSA keys take a while to make.
pub(crate) static SIGNER: LazyLock<Arc<Signer>> = LazyLock::new(|| Arc::new(Signer::ps384()));

pub(crate) const POLICY: &str = "749dd9b1-234f-41f5-a6ca-42c4312dd4f1";

pub(crate) struct Ita {
    pub(crate) server: Loopback,
    pub(crate) signer: Arc<Signer>,
    pub(crate) requests: Arc<Mutex<Vec<Value>>>,
}

impl Ita {
    pub(crate) async fn faithful() -> Self {
        Self::twisted(|claims| claims).await
    }

    pub(crate) async fn twisted(twist: impl Fn(Value) -> Value + Send + Sync + 'static) -> Self {
        Self::with(twist, |signer, claims| signer.token(claims)).await
    }

    pub(crate) async fn with(
        twist: impl Fn(Value) -> Value + Send + Sync + 'static,
        sign: fn(&Signer, &Value) -> String,
    ) -> Self {
        let signer = SIGNER.clone();
        let signing = signer.clone();
        let answer = move |request: &Value| sign(&signing, &twist(claims(request)));
        Self::answering(signer, answer).await
    }

    pub(crate) async fn with_memory(
        signer: Arc<Signer>,
        memory: Arc<Mutex<Option<String>>>,
    ) -> Self {
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

    pub(crate) fn last_request(&self) -> Value {
        self.requests.lock().unwrap().last().unwrap().clone()
    }

    pub(crate) fn service(&self) -> ItaService {
        ItaService::new(&self.server.endpoint(), "key", Loopback::client()).unwrap()
    }

    pub(crate) fn verifier(&self) -> RemoteVerifier<ItaService> {
        self.verifier_of(self.service().with_policy(POLICY))
    }

    pub(crate) fn verifier_of(&self, service: ItaService) -> RemoteVerifier<ItaService> {
        verifier(service, Arc::new(self.signer.keys()))
    }

    pub(crate) async fn appraise(
        &self,
        connection: &Connection,
    ) -> Result<Appraised, AppraisalError> {
        appraise(&self.verifier(), connection, &quote(connection)).await
    }
}

/// The service's own comparison, without nonce: REPORTDATA = SHA-512(runtime_data).
pub(crate) fn is_bound(request: &Value) -> bool {
    let Some(runtime_data) = request["tdx"]["runtime_data"].as_str() else {
        return true;
    };
    let runtime_data = BASE64_STANDARD.decode(runtime_data).unwrap();
    report_data(request) == test_support::sha512(&runtime_data)
}

pub(crate) fn report_data(request: &Value) -> Vec<u8> {
    let quote = request["tdx"]["quote"].as_str().unwrap();
    BASE64_STANDARD.decode(quote).unwrap()[568..632].to_vec()
}

pub(crate) fn claims(request: &Value) -> Value {
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

pub(crate) fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}

pub(crate) fn verifier(
    service: ItaService,
    keys: Arc<dyn KeySource>,
) -> RemoteVerifier<ItaService> {
    let provider = rustls::crypto::ring::default_provider();
    let builder = RemoteVerifier::builder(service, keys, &provider);
    builder.format(TdxQuote::new()).build().unwrap()
}

pub(crate) async fn appraise(
    verifier: &RemoteVerifier<ItaService>,
    connection: &Connection,
    quote: &[u8],
) -> Result<Appraised, AppraisalError> {
    let evidence = Evidence::new(&verifier.media_types()[0], quote, connection.bound());
    verifier.appraise(&evidence, at(NOW)).await
}

pub(crate) fn quote(connection: &Connection) -> Vec<u8> {
    test_support::td_quote(connection.bound().sha512().bytes())
}
