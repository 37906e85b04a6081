//! The stand-in for the service.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::Mutex;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_core::ear::KeySource;
use atls_formats::dcap::TDX_QUOTE;
use atls_formats::tsm::TSM_REPORT;
use atls_maa::MaaService;
use atls_maa::SnpReport;
use atls_maa::TdMeasurements;
use atls_maa::TdxQuote;
use atls_remote::RemoteVerifier;
use axum::Json;
use axum::Router;
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

pub(crate) const NOW: u64 = 1_000_000;

/// One for all tests: RSA keys take a while to make.
pub(crate) static SIGNER: LazyLock<Arc<Signer>> = LazyLock::new(|| Arc::new(Signer::rs256()));

pub(crate) const MEASURED: [u8; 48] = [5; 48];

/// RTMR1 and RTMR2.
pub(crate) const BOOTED: [[u8; 48]; 2] = [[6; 48], [7; 48]];

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Snp,
    Tdx,
}

impl Kind {
    pub(crate) fn report_data(self) -> &'static str {
        match self {
            Self::Snp => "x-ms-sevsnpvm-reportdata",
            Self::Tdx => "tdx_report_data",
        }
    }

    pub(crate) fn evidence(self, connection: &Connection) -> Vec<u8> {
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

    pub(crate) fn claims(self, issuer: &Value, report_data: &[u8]) -> Value {
        let mut claims = match self {
            Self::Snp => json!({
                "x-ms-attestation-type": "sevsnpvm", "x-ms-sevsnpvm-is-debuggable": false,
                "x-ms-sevsnpvm-migration-allowed": false, "x-ms-sevsnpvm-vmpl": 0,
                "x-ms-sevsnpvm-launchmeasurement": hex(&MEASURED),
            }),
            Self::Tdx => json!({
                "x-ms-attestation-type": "tdxvm", "dbgstat": "disabled", "tdx_td_attributes_debug": false,
                "attester_tcb_status": "UpToDate", "tdx_mrtd": hex(&MEASURED),
                "tdx_rtmr0": "08".repeat(48), "tdx_rtmr1": hex(&BOOTED[0]), "tdx_rtmr2": hex(&BOOTED[1]),
                "tdx_rtmr3": "00".repeat(48),
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

pub(crate) type Seen = Arc<Mutex<Vec<(Uri, Value)>>>;

pub(crate) struct Maa {
    pub(crate) server: Loopback,
    pub(crate) issuer: String,
    pub(crate) signer: Arc<Signer>,
    pub(crate) requests: Seen,
}

impl Maa {
    pub(crate) async fn faithful() -> Self {
        Self::twisted(|_| ()).await
    }

    pub(crate) async fn twisted(twist: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        Self::with(twist, |signer, claims| signer.token(claims)).await
    }

    pub(crate) async fn with(
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

    pub(crate) fn last_request(&self) -> (Uri, Value) {
        self.requests.lock().unwrap().last().unwrap().clone()
    }

    /// Without known software.
    pub(crate) fn service(&self) -> MaaService {
        MaaService::new(&self.server.endpoint(), Loopback::client()).unwrap()
    }

    pub(crate) fn verifier(&self) -> RemoteVerifier<MaaService> {
        self.verifier_with(Arc::new(self.signer.keys()))
    }

    pub(crate) fn verifier_with(&self, keys: Arc<dyn KeySource>) -> RemoteVerifier<MaaService> {
        let service = self.service();
        let service = service.with_launch_measurement(MEASURED);
        let service = service.with_td(TdMeasurements::booted(MEASURED, BOOTED[0], BOOTED[1]));
        self.verifier_of(service, keys)
    }

    pub(crate) fn verifier_of(
        &self,
        service: MaaService,
        keys: Arc<dyn KeySource>,
    ) -> RemoteVerifier<MaaService> {
        let provider = rustls::crypto::ring::default_provider();
        RemoteVerifier::builder(service, keys, &provider)
            .format(SnpReport::new())
            .format(TdxQuote::new())
            .issuer(&self.issuer)
            .build()
            .unwrap()
    }

    pub(crate) async fn appraise(
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

pub(crate) async fn appraise(
    verifier: &RemoteVerifier<MaaService>,
    kind: Kind,
    connection: &Connection,
    evidence: &[u8],
) -> Result<Appraised, AppraisalError> {
    let media_type = kind.media_type();
    let evidence = Evidence::new(&media_type, evidence, connection.bound());
    verifier.appraise(&evidence, at(NOW)).await
}

pub(crate) const VCEK: u128 = 0x63da_758d_e664_4564_adc5_f4b9_3be8_accd;

pub(crate) const ASK: u128 = 0x4ab7_b379_bbac_4fe4_a02f_05ae_f327_c782;

pub(crate) fn snp_evidence(report_data: &[u8], certificates: &[(&str, u128)]) -> Vec<u8> {
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

pub(crate) fn decode(text: &Value) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD
        .decode(text.as_str().unwrap())
        .unwrap()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
