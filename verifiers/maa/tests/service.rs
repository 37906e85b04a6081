//! Against a stand-in on loopback that follows the published API, **not against the live service**.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::Mutex;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Evidence;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::ear::Category;
use atls_core::ear::KeySource;
use atls_core::ear::Tier;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::tsm::TSM_REPORT;
use atls_maa::MaaClaims;
use atls_maa::MaaService;
use atls_maa::SnpReport;
use atls_maa::TdxQuote;
use atls_maa::instance_keys;
use atls_remote::RemoteVerifier;
use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::routing::get;
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use serde_json::Value;
use serde_json::json;
use stand_in::Loopback;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;

const NOW: u64 = 1_000_000;

/// One for all tests: RSA keys take a while to make.
static SIGNER: LazyLock<Arc<Signer>> = LazyLock::new(|| Arc::new(Signer::rs256()));
const MEASURED: [u8; 48] = [5; 48];

#[tokio::test]
async fn a_token_about_this_connection_is_accepted() {
    for kind in [Kind::Snp, Kind::Tdx] {
        for connection in [Connection::new(), Connection::sha384()] {
            let maa = Maa::faithful().await;
            let appraised = maa.appraise(kind, &connection).await.unwrap();
            assert_eq!(appraised.ear().status(), Tier::Affirming, "{kind:?}");
            assert_eq!(appraised.origin(), Origin::Device);
            assert_eq!(appraised.ear().expires_at(), Some(at(NOW + 28_800)));
            let (uri, request) = maa.last_request();
            assert_eq!(uri.query(), Some("api-version=2025-06-01"));
            assert!(request.get("runtimeData").is_none());
            assert!(request.get("nonce").is_none());
        }
    }
}

#[tokio::test]
async fn the_report_and_its_chain_are_sent_as_the_service_wants_them() {
    let maa = Maa::faithful().await;
    let connection = Connection::new();
    maa.appraise(Kind::Snp, &connection).await.unwrap();
    let (uri, request) = maa.last_request();
    assert_eq!(uri.path(), "/attest/SevSnpVm");
    let inner = decode(&request["report"]);
    let inner: Value = serde_json::from_slice(&inner).unwrap();
    assert_eq!(decode(&inner["SnpReport"]).len(), 1184);
    let chain = String::from_utf8(decode(&inner["VcekCertChain"])).unwrap();
    let vcek = "-----BEGIN CERTIFICATE-----\nMHZjZWs=\n-----END CERTIFICATE-----\n";
    assert!(chain.starts_with(vcek), "{chain}");
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    assert!(chain.lines().all(|line| line.len() <= 64));
}

#[tokio::test]
async fn evidence_of_another_connection_is_not_even_sent() {
    let maa = Maa::faithful().await;
    let verifier = maa.verifier();
    let (one, other) = (Connection::new(), Connection::new());
    for kind in [Kind::Snp, Kind::Tdx] {
        let refused = appraise(&verifier, kind, &one, &kind.evidence(&other)).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
        let refused = appraise(&verifier, kind, &one, b"nothing").await;
        assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
    }
    // A report on Azure's confidential VMs: 32 bytes of the paravisor's, and zeros.
    let mut paravisors = vec![9; 32];
    paravisors.resize(64, 0);
    let evidence = snp_evidence(&paravisors, &[("0vcek", VCEK)]);
    let refused = appraise(&verifier, Kind::Snp, &one, &evidence).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
    assert!(maa.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_report_without_its_vcek_is_not_sent() {
    let maa = Maa::faithful().await;
    let connection = Connection::new();
    let challenge = connection.bound().sha512().bytes().to_vec();
    for certificates in [&[][..], &[("0ask", ASK)]] {
        let evidence = snp_evidence(&challenge, certificates);
        let refused = appraise(&maa.verifier(), Kind::Snp, &connection, &evidence).await;
        let missing = AppraisalError::NoEndorsement {
            what: "VCEK",
            due_from: Fault::Peer,
        };
        assert_eq!(refused.unwrap_err(), missing);
    }
    assert!(maa.requests.lock().unwrap().is_empty());
}

#[tokio::test]
async fn each_claim_about_the_subject_of_a_token_is_checked() {
    let cases: Vec<(&str, fn(&mut Value, Kind))> = vec![
        ("other report data", |claims, kind| {
            claims[kind.report_data()] = "00".repeat(64).into();
        }),
        ("half of the report data", |claims, kind| {
            let text = claims[kind.report_data()].as_str().unwrap()[..64].to_owned();
            claims[kind.report_data()] = text.into();
        }),
        ("no report data", |claims, kind| {
            remove(claims, kind.report_data())
        }),
        ("echoed instead of reported", |claims, kind| {
            let moved = claims[kind.report_data()].take();
            claims["nonce"] = moved.clone();
            claims["x-ms-runtime"] = json!({ "client-payload": { "nonce": moved } });
        }),
        ("another kind of guest", |claims, _| {
            claims["x-ms-attestation-type"] = "azurevm".into();
        }),
        ("no kind of guest", |claims, _| {
            remove(claims, "x-ms-attestation-type")
        }),
        ("another issuer", |claims, _| {
            claims["iss"] = "https://attacker.attest.azure.net".into();
        }),
        ("no issuer", |claims, _| remove(claims, "iss")),
        ("no end", |claims, _| remove(claims, "exp")),
        ("no beginning", |claims, _| remove(claims, "iat")),
        ("a beginning in the future", |claims, _| {
            claims["iat"] = (NOW + 61).into();
        }),
    ];
    for (name, change) in cases {
        for kind in [Kind::Snp, Kind::Tdx] {
            let maa = Maa::twisted(move |claims| change(claims, kind)).await;
            let refused = maa.appraise(kind, &Connection::new()).await;
            let expected = match name.contains("future") {
                true => AppraisalError::ResultExpired,
                false => AppraisalError::BadResult,
            };
            assert_eq!(refused.unwrap_err(), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_token_about_a_report_is_none_about_a_quote() {
    let connection = Connection::new();
    for (asked, told) in [(Kind::Snp, Kind::Tdx), (Kind::Tdx, Kind::Snp)] {
        let challenge = connection.bound().sha512().bytes().to_vec();
        let maa =
            Maa::twisted(move |claims| *claims = told.claims(&claims["iss"], &challenge)).await;
        let refused = maa.appraise(asked, &connection).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::BadResult);
    }
}

/// Kind of guest, claim of the token and its value; claim of the result and its value.
#[tokio::test]
async fn each_claim_about_the_guest_is_appraised() {
    let cases = json!([
        [
            "snp",
            "x-ms-compliance-status",
            "azure-compliant-uvm",
            "hardware",
            2
        ],
        [
            "snp",
            "x-ms-compliance-status",
            "azure-signed",
            "hardware",
            97
        ],
        ["snp", "x-ms-compliance-status", null, "hardware", 97],
        ["tdx", "x-ms-compliance-status", null, "hardware", 97],
        ["tdx", "attester_tcb_status", "OutOfDate", "hardware", 32],
        ["tdx", "attester_tcb_status", "Revoked", "hardware", 96],
        ["tdx", "attester_tcb_status", null, "hardware", 97],
        [
            "snp",
            "x-ms-sevsnpvm-is-debuggable",
            true,
            "configuration",
            96
        ],
        [
            "snp",
            "x-ms-sevsnpvm-is-debuggable",
            null,
            "runtime-opaque",
            96
        ],
        [
            "snp",
            "x-ms-sevsnpvm-migration-allowed",
            true,
            "configuration",
            96
        ],
        [
            "snp",
            "x-ms-sevsnpvm-migration-allowed",
            null,
            "configuration",
            96
        ],
        ["snp", "x-ms-sevsnpvm-vmpl", 1, "configuration", 96],
        ["snp", "x-ms-sevsnpvm-vmpl", null, "configuration", 96],
        ["tdx", "tdx_td_attributes_debug", true, "configuration", 96],
        ["tdx", "tdx_td_attributes_debug", null, "runtime-opaque", 96],
        ["tdx", "dbgstat", "enabled", "configuration", 96],
        ["tdx", "dbgstat", null, "configuration", 96],
        [
            "snp",
            "x-ms-sevsnpvm-launchmeasurement",
            "06".repeat(48),
            "executables",
            33
        ],
        ["tdx", "tdx_mrtd", null, "executables", 33],
    ]);
    for case in cases.as_array().unwrap() {
        let kind = match case[0] == "snp" {
            true => Kind::Snp,
            false => Kind::Tdx,
        };
        let (name, value) = (case[1].as_str().unwrap().to_owned(), case[2].clone());
        let maa = Maa::twisted(move |claims| claims[&name] = value.clone()).await;
        let appraised = maa.appraise(kind, &Connection::new()).await.unwrap();
        let (_, part) = appraised.ear().submods().next().unwrap();
        let mut categories = Category::ALL.into_iter();
        let category = categories.find(|category| case[3] == category.name());
        let value = part.vector().get(category.unwrap()).value();
        assert_eq!(Value::from(value), case[4], "{case}");
        let affirmed = appraised.ear().status() == Tier::Affirming;
        assert_eq!(affirmed, value == 2, "{case}");
    }
}

#[tokio::test]
async fn a_token_that_the_instance_did_not_sign_is_refused() {
    let cases: Vec<(&str, fn(&Signer, &Value) -> String)> = vec![
        ("none", |_, claims| Signer::unsigned(claims)),
        ("HS256", |signer, claims| signer.confused(claims)),
        ("an attacker's, with its address", |_, claims| {
            let attacker = Signer::rs256();
            let header = json!({ "alg": "RS256", "jku": "https://attacker.example/certs", "jwk": attacker.jwk() });
            attacker.token_with(&header, claims)
        }),
        ("signed for another algorithm", |signer, claims| {
            signer.token_with(&json!({ "alg": "PS256" }), claims)
        }),
    ];
    for (name, sign) in cases {
        let maa = Maa::with(|_| (), sign).await;
        let refused = maa.appraise(Kind::Tdx, &Connection::new()).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::BadResult, "{name}");
    }
}

#[tokio::test]
async fn a_token_that_has_ended_is_refused() {
    for (name, value) in [("exp", NOW), ("iat", NOW - 3600)] {
        let maa = Maa::twisted(move |claims| claims[name] = value.into()).await;
        let refused = maa.appraise(Kind::Snp, &Connection::new()).await;
        assert_eq!(
            refused.unwrap_err(),
            AppraisalError::ResultExpired,
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_token_of_another_request_is_refused() {
    let first = Arc::new(Mutex::new(None));
    let maa = Maa::twisted(move |claims| {
        *claims = first
            .lock()
            .unwrap()
            .get_or_insert_with(|| claims.clone())
            .clone();
    });
    let maa = maa.await;
    assert!(maa.appraise(Kind::Snp, &Connection::new()).await.is_ok());
    let refused = maa.appraise(Kind::Snp, &Connection::new()).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::BadResult);
}

#[tokio::test]
async fn keys_come_from_the_instance_as_certificates() {
    let maa = Maa::faithful().await;
    let instance = maa.server.endpoint();
    let keys = instance_keys(&instance, Loopback::client()).unwrap();
    let verifier = maa.verifier_with(Arc::new(keys));
    let connection = Connection::new();
    let evidence = Kind::Tdx.evidence(&connection);
    let appraised = appraise(&verifier, Kind::Tdx, &connection, &evidence).await;
    assert!(appraised.is_ok());
}

#[tokio::test]
async fn a_service_that_is_gone_or_talks_nonsense_gives_no_result() {
    let nothing = async |_: Uri| "{}";
    for (app, expected) in [
        (Router::new(), AppraisalError::Unreachable),
        (
            Router::new().route("/attest/TdxVm", post(nothing)),
            AppraisalError::BadResult,
        ),
        (
            Router::new().route("/attest/TdxVm", post(async || vec![b' '; 70 * 1024])),
            AppraisalError::BadResult,
        ),
        (
            Router::new().route("/attest/TdxVm", post(async || StatusCode::BAD_REQUEST)),
            AppraisalError::Malformed,
        ),
    ] {
        let mut maa = Maa::faithful().await;
        maa.server = Loopback::serve(app).await;
        let refused = maa.appraise(Kind::Tdx, &Connection::new()).await;
        assert_eq!(refused.unwrap_err(), expected);
    }
}

#[test]
fn claims_are_for_handlers() {
    fn usable<T: Send + Sync + 'static>() {}
    usable::<MaaClaims>();
}

// --- The stand-in ------------------------------------------------------------------------------------------------------

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Snp,
    Tdx,
}

impl Kind {
    fn report_data(self) -> &'static str {
        match self {
            Self::Snp => "x-ms-sevsnpvm-reportdata",
            Self::Tdx => "tdx_report_data",
        }
    }

    fn evidence(self, connection: &Connection) -> Vec<u8> {
        let challenge = connection.bound().sha512().bytes().to_vec();
        match self {
            Self::Snp => snp_evidence(&challenge, &[("0vcek", VCEK), ("0ask", ASK)]),
            Self::Tdx => test_support::td_quote(&challenge),
        }
    }

    fn media_type(self) -> MediaType {
        let text = match self {
            Self::Snp => TSM_REPORT,
            Self::Tdx => TDX_QUOTE,
        };
        MediaType::parse(text).unwrap()
    }

    fn claims(self, issuer: &Value, report_data: &[u8]) -> Value {
        let mut claims = match self {
            Self::Snp => json!({
                "x-ms-attestation-type": "sevsnpvm", "x-ms-sevsnpvm-is-debuggable": false,
                "x-ms-sevsnpvm-migration-allowed": false, "x-ms-sevsnpvm-vmpl": 0,
                "x-ms-sevsnpvm-launchmeasurement": hex(&MEASURED),
            }),
            Self::Tdx => json!({
                "x-ms-attestation-type": "tdxvm", "dbgstat": "disabled", "tdx_td_attributes_debug": false,
                "attester_tcb_status": "UpToDate", "tdx_mrtd": hex(&MEASURED),
            }),
        };
        claims[self.report_data()] = hex(report_data).into();
        let common = json!({
            "iss": issuer, "iat": NOW, "nbf": NOW, "exp": NOW + 28_800, "x-ms-ver": "1.0",
            "x-ms-compliance-status": "azure-compliant-cvm", "x-ms-policy-hash": "hash",
        });
        let common = common.as_object().unwrap().clone();
        claims.as_object_mut().unwrap().extend(common);
        claims
    }
}

type Seen = Arc<Mutex<Vec<(Uri, Value)>>>;

struct Maa {
    server: Loopback,
    issuer: String,
    signer: Arc<Signer>,
    requests: Seen,
}

impl Maa {
    async fn faithful() -> Self {
        Self::twisted(|_| ()).await
    }

    async fn twisted(twist: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::with(twist, |signer, claims| signer.token(claims)).await
    }

    async fn with(
        twist: impl Fn(&mut Value) + Send + Sync + 'static,
        sign: fn(&Signer, &Value) -> String,
    ) -> Self {
        let signer = SIGNER.clone();
        let issuer = "https://mine.attest.azure.net".to_owned();
        let requests = Seen::default();
        let set = json!({ "keys": [{ "kty": "RSA", "kid": "k", "x5c": [signer.certificate()] }] });
        let (seen, signing, name) = (
            requests.clone(),
            signer.clone(),
            Value::from(issuer.clone()),
        );
        let twist = Arc::new(twist);
        let attest = async move |uri: Uri, Json(request): Json<Value>| {
            let (kind, report_data) = match uri.path() {
                "/attest/SevSnpVm" => {
                    let inner = decode(&request["report"]);
                    let inner: Value = serde_json::from_slice(&inner).unwrap();
                    (Kind::Snp, decode(&inner["SnpReport"])[0x50..0x90].to_vec())
                }
                _ => (Kind::Tdx, decode(&request["quote"])[568..632].to_vec()),
            };
            let mut claims = kind.claims(&name, &report_data);
            twist(&mut claims);
            seen.lock().unwrap().push((uri, request));
            Json(json!({ "token": sign(&signing, &claims) }))
        };
        let app = Router::new()
            .route("/attest/SevSnpVm", post(attest.clone()))
            .route("/attest/TdxVm", post(attest))
            .route("/certs", get(async move || Json(set.clone())));
        Self {
            server: Loopback::serve(app).await,
            issuer,
            signer,
            requests,
        }
    }

    fn last_request(&self) -> (Uri, Value) {
        self.requests.lock().unwrap().last().unwrap().clone()
    }

    fn verifier(&self) -> RemoteVerifier<MaaService> {
        self.verifier_with(Arc::new(self.signer.keys()))
    }

    fn verifier_with(&self, keys: Arc<dyn KeySource>) -> RemoteVerifier<MaaService> {
        let provider = rustls::crypto::ring::default_provider();
        let service = MaaService::new(&self.server.endpoint(), Loopback::client()).unwrap();
        let service = service.with_launch_measurement(MEASURED);
        RemoteVerifier::builder(service, keys, &provider)
            .format(SnpReport::new())
            .format(TdxQuote::new())
            .issuer(&self.issuer)
            .build()
            .unwrap()
    }

    async fn appraise(
        &self,
        kind: Kind,
        connection: &Connection,
    ) -> Result<Appraised, AppraisalError> {
        appraise(
            &self.verifier(),
            kind,
            connection,
            &kind.evidence(connection),
        )
        .await
    }
}

async fn appraise(
    verifier: &RemoteVerifier<MaaService>,
    kind: Kind,
    connection: &Connection,
    evidence: &[u8],
) -> Result<Appraised, AppraisalError> {
    let media_type = kind.media_type();
    let evidence = Evidence::new(&media_type, evidence, connection.bound());
    verifier.appraise(&evidence, at(NOW)).await
}

const VCEK: u128 = 0x63da_758d_e664_4564_adc5_f4b9_3be8_accd;
const ASK: u128 = 0x4ab7_b379_bbac_4fe4_a02f_05ae_f327_c782;

fn snp_evidence(report_data: &[u8], certificates: &[(&str, u128)]) -> Vec<u8> {
    let report = test_support::snp_report(report_data);
    let mut table = Vec::new();
    let mut offset = 24 * (u32::try_from(certificates.len()).unwrap() + 1);
    for (content, guid) in certificates {
        let length = u32::try_from(content.len()).unwrap();
        table.extend(guid.to_be_bytes());
        table.extend(offset.to_le_bytes());
        table.extend(length.to_le_bytes());
        offset += length;
    }
    table.extend([0; 24]);
    for (content, _) in certificates {
        table.extend(content.as_bytes());
    }
    let map = Cbor::Map(vec![
        ("outblob".into(), Cbor::Bytes(report)),
        ("provider".into(), "sev_guest\n".into()),
        ("auxblob".into(), Cbor::Bytes(table)),
    ]);
    let mut out = Vec::new();
    ciborium::into_writer(&map, &mut out).unwrap();
    out
}

fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}

fn decode(text: &Value) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text.as_str().unwrap())
        .unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
