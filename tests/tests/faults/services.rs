//! The remote verifiers, and stand-ins that affirm what is about the connection.

use std::net::SocketAddr;
use std::sync::Arc;

use atls_core::Attester;
use atls_core::Verifier;
use atls_core::ear::KeySource;
use atls_core::http::HttpClient;
use atls_ita::ItaService;
use atls_maa::MaaService;
use atls_maa::TdMeasurements;
use atls_remote::Endpoint;
use atls_remote::RemoteService;
use atls_remote::RemoteVerifier;
use atls_remote::RemoteVerifierBuilder;
use atls_trustee::TrusteeService;
use atls_veraison::VeraisonService;
use axum::Json;
use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::http::header::LOCATION;
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use end_to_end::DcapDevice;
use end_to_end::Tee;
use end_to_end::World;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;

/// One of the four services.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Service {
    Ita,
    Maa,
    Trustee,
    Veraison,
}

pub(crate) const ALL: [Service; 4] = [
    Service::Ita,
    Service::Maa,
    Service::Trustee,
    Service::Veraison,
];

impl Service {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ita => "ita",
            Self::Maa => "maa",
            Self::Trustee => "trustee",
            Self::Veraison => "veraison",
        }
    }

    /// The requests of an appraisal.
    pub(crate) fn requests(self) -> f64 {
        match self {
            Self::Veraison => 3.0,
            _ => 1.0,
        }
    }

    pub(crate) fn signer(self) -> Signer {
        match self {
            Self::Ita => Signer::ps384(),
            Self::Maa => Signer::rs256(),
            Self::Trustee | Self::Veraison => Signer::es256(),
        }
    }

    /// A device whose Evidence the service takes.
    pub(crate) fn device(self, world: &World) -> Arc<dyn Attester> {
        match self {
            Self::Veraison => world.client_device.clone(),
            _ => Arc::new(DcapDevice::new(world, Tee::Tdx)),
        }
    }

    pub(crate) fn verifier(
        self,
        address: SocketAddr,
        client: Arc<dyn HttpClient>,
        keys: Arc<dyn KeySource>,
    ) -> Arc<dyn Verifier> {
        self.verifier_at(
            &Endpoint::dangerous_loopback(&format!("http://{address}")).unwrap(),
            client,
            keys,
        )
    }

    pub(crate) fn verifier_at(
        self,
        endpoint: &Endpoint,
        client: Arc<dyn HttpClient>,
        keys: Arc<dyn KeySource>,
    ) -> Arc<dyn Verifier> {
        match self {
            Self::Ita => {
                let service = ItaService::new(endpoint, "key", client).unwrap();
                let builder = builder(service.with_policy(POLICY), keys);
                Arc::new(builder.format(atls_ita::TdxQuote::new()).build().unwrap())
            }
            Self::Maa => {
                let service = MaaService::new(endpoint, client).unwrap();
                let builder = builder(
                    service.with_td(TdMeasurements::dangerous_mrtd_alone([0; 48])),
                    keys,
                );
                let builder = builder.issuer(INSTANCE).format(atls_maa::TdxQuote::new());
                Arc::new(builder.build().unwrap())
            }
            Self::Trustee => {
                let service = TrusteeService::new(endpoint, client).unwrap();
                let builder = builder(service, keys).format(atls_trustee::TdxQuote::new());
                Arc::new(builder.build().unwrap())
            }
            Self::Veraison => {
                let service = VeraisonService::new(endpoint, client).unwrap();
                let builder = builder(service, keys).format(atls_veraison::PsaToken::tfm());
                Arc::new(builder.build().unwrap())
            }
        }
    }

    /// The stand-in. Its results are signed by the signer of the moment.
    pub(crate) fn stand_in(
        self,
        sign: impl Fn(&Value) -> String + Clone + Send + Sync + 'static,
        now: impl Fn() -> u64 + Clone + Send + Sync + 'static,
    ) -> Router {
        match self {
            Self::Ita => token_service("/appraisal/v2/attest", move |request| {
                sign(&ita_claims(request, now()))
            }),
            Self::Maa => token_service("/attest/TdxVm", move |request| {
                sign(&maa_claims(request, now()))
            }),
            Self::Trustee => {
                let signed = move |_: &Signer, claims: Option<Value>| Some(sign(&claims?));
                stand_in::trustee_with(Arc::new(Signer::es256()), now, signed)
            }
            Self::Veraison => veraison(sign, now),
        }
    }
}

fn builder<S: RemoteService>(service: S, keys: Arc<dyn KeySource>) -> RemoteVerifierBuilder<S> {
    RemoteVerifier::builder(service, keys, &demo::provider())
}

fn token_service(
    path: &str,
    token: impl Fn(&Value) -> String + Clone + Send + Sync + 'static,
) -> Router {
    let answer = async move |Json(request): Json<Value>| Json(json!({ "token": token(&request) }));
    Router::new().route(path, post(answer))
}

fn ita_claims(request: &Value, now: u64) -> Value {
    let quote = request["tdx"]["quote"].as_str().unwrap();
    let quote = BASE64_STANDARD.decode(quote).unwrap();
    json!({
        "iss": "Intel Trust Authority", "iat": now, "nbf": now, "exp": now + 300, "ver": "2.0.0",
        "policy_ids_matched": [{ "id": POLICY, "version": "v1", "hash": "" }],
        "policy_ids_unmatched": null,
        "tdx": {
            "attester_type": "TDX", "attester_tcb_status": "UpToDate", "dbgstat": "disabled",
            "tdx_is_debuggable": false, "tdx_mrtd": "00".repeat(48),
            "tdx_report_data": report_data(&quote),
        },
    })
}

fn maa_claims(request: &Value, now: u64) -> Value {
    let quote = request["quote"].as_str().unwrap();
    let quote = BASE64_URL_SAFE_NO_PAD.decode(quote).unwrap();
    json!({
        "iss": INSTANCE, "iat": now, "nbf": now, "exp": now + 300, "x-ms-ver": "1.0",
        "x-ms-attestation-type": "tdxvm", "x-ms-compliance-status": "azure-compliant-cvm",
        "x-ms-policy-hash": "hash", "dbgstat": "disabled", "tdx_td_attributes_debug": false,
        "attester_tcb_status": "UpToDate", "tdx_mrtd": "00".repeat(48),
        "tdx_report_data": report_data(&quote),
    })
}

/// Its place in a TDX quote.
fn report_data(quote: &[u8]) -> String {
    let found = &quote[568..632];
    found.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Sessions whose name is their nonce.
fn veraison(
    sign: impl Fn(&Value) -> String + Clone + Send + Sync + 'static,
    now: impl Fn() -> u64 + Clone + Send + Sync + 'static,
) -> Router {
    let open = async |uri: Uri| {
        let query = uri.query().unwrap().replace("%3D", "=");
        let nonce = query.strip_prefix("nonce=").unwrap();
        let nonce = BASE64_URL_SAFE.decode(nonce).unwrap();
        let name = BASE64_URL_SAFE_NO_PAD.encode(&nonce);
        let session = session("waiting", &nonce).to_string();
        let headers = [
            (LOCATION, format!("session/{name}")),
            (CONTENT_TYPE, SESSION.to_owned()),
        ];
        (StatusCode::CREATED, headers, session)
    };
    let submit = async move |Path(name): Path<String>| {
        let nonce = BASE64_URL_SAFE_NO_PAD.decode(name).unwrap();
        let mut session = session("complete", &nonce);
        session["result"] = sign(&veraison_claims(&nonce, now())).into();
        ([(CONTENT_TYPE, SESSION)], session.to_string())
    };
    let delete = async || StatusCode::NO_CONTENT;
    Router::new()
        .route("/challenge-response/v1/newSession", post(open))
        .route(
            "/challenge-response/v1/session/{name}",
            post(submit).delete(delete),
        )
}

fn session(status: &str, nonce: &[u8]) -> Value {
    json!({
        "status": status, "nonce": BASE64_STANDARD.encode(nonce),
        "expiry": "2027-01-15T08:02:30Z",
        "accept": ["application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\""],
    })
}

fn veraison_claims(nonce: &[u8], now: u64) -> Value {
    json!({
        "eat_profile": "tag:github.com,2023:veraison/ear", "iat": now,
        "eat_nonce": BASE64_URL_SAFE.encode(nonce),
        "ear.verifier-id": { "build": "N/A", "developer": "Veraison Project" },
        "submods": { "PSA_IOT": {
            "ear.status": "affirming",
            "ear.trustworthiness-vector": {
                "configuration": 0, "executables": 2, "file-system": 0, "hardware": 2, "instance-identity": 2,
                "runtime-opaque": 2, "sourced-data": 0, "storage-opaque": 2,
            },
            "ear.appraisal-policy-id": "policy:PSA_IOT",
        } },
    })
}

const INSTANCE: &str = "https://mine.attest.azure.net";
const POLICY: &str = "749dd9b1-234f-41f5-a6ca-42c4312dd4f1";
const SESSION: &str = "application/vnd.veraison.challenge-response-session+json";
