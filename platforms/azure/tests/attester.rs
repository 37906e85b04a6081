//! The attester over a virtual TPM and a metadata service, both in the hands of a forger.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_azure::AzureAttester;
use atls_azure::HCL_REPORT_INDEX;
use atls_azure::Imds;
use atls_azure::VtpmAttester;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_formats::tpm::TPM_EVIDENCE;
use atls_formats::tpm::qualifying_data;
use atls_tower::Blocking;
use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::any;
use axum::routing::get;
use end_to_end::azure::ForgedAzure;
use end_to_end::azure::hcl_report;
use end_to_end::azure::metadata_service;
use serde_json::json;
use stand_in::Loopback;
use test_support::Connection;
use test_support::at;

const NOW: u64 = 1_796_000_000;

#[tokio::test]
async fn both_kinds_of_vm_make_evidence_that_their_verifier_accepts() {
    for vm in [ForgedAzure::snp(), ForgedAzure::tdx(NOW)] {
        let machine = Machine::of(vm).await;
        for connection in [Connection::new(), Connection::sha384()] {
            let evidence = machine.attest(&connection).await.unwrap();
            let verifier = machine.vtpm.lock().unwrap().vm.verifier();
            let bytes = evidence.encode().unwrap();
            connection.appraise(&verifier, &bytes, at(NOW)).unwrap();
        }
        // Two connections, and one report.
        assert_eq!(machine.answered.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn another_report_has_the_service_asked_again() {
    let machine = Machine::of(ForgedAzure::tdx(NOW)).await;
    machine.attest(&Connection::new()).await.unwrap();
    {
        let mut vtpm = machine.vtpm.lock().unwrap();
        vtpm.vm.runtime["user-data"] = "07".repeat(64).into();
        vtpm.report = vtpm.vm.hcl_report();
    }
    let connection = Connection::new();
    let evidence = machine.attest(&connection).await.unwrap();
    let verifier = machine.vtpm.lock().unwrap().vm.verifier();
    let bytes = evidence.encode().unwrap();
    connection.appraise(&verifier, &bytes, at(NOW)).unwrap();
    assert_eq!(machine.answered.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_report_of_another_form_makes_no_evidence() {
    let machine = Machine::of(ForgedAzure::snp()).await;
    let whole = machine.vtpm.lock().unwrap().report.clone();
    // Magic, version, size, request, status, and those of the runtime data.
    for index in [0, 4, 8, 12, 16, 20, 1216, 1220, 1224, 1228, 1232] {
        let mut other = whole.clone();
        other[index] ^= 0x80;
        machine.vtpm.lock().unwrap().report = other;
        let refused = machine.attest(&Connection::new()).await.map(drop);
        assert!(matches!(refused, Err(AttestError::Device(_))), "{index}");
    }
    machine.vtpm.lock().unwrap().report = whole[..2599].to_vec();
    assert!(machine.attest(&Connection::new()).await.is_err());
    machine.vtpm.lock().unwrap().report = whole;
    assert!(machine.attest(&Connection::new()).await.is_ok());
}

#[tokio::test]
async fn a_report_about_another_key_makes_no_evidence() {
    let machine = Machine::of(ForgedAzure::snp()).await;
    machine.vtpm.lock().unwrap().vm.key = ForgedAzure::other_key();
    let refused = machine.attest(&Connection::new()).await.unwrap_err();
    assert!(
        refused.to_string().contains("with_persistent_key"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_report_about_other_runtime_data_makes_no_evidence() {
    let machine = Machine::of(ForgedAzure::snp()).await;
    {
        let mut vtpm = machine.vtpm.lock().unwrap();
        let vm = &vtpm.vm;
        vtpm.report = hcl_report(&vm.processor, &vm.runtime_data(), &[7; 64]);
    }
    assert!(machine.attest(&Connection::new()).await.is_err());
}

/// The host answers what it likes; nothing of that becomes Evidence, and the next connection asks again.
#[tokio::test]
async fn a_service_that_answers_anything_else_makes_no_evidence() {
    let quote_of_another = {
        let other = ForgedAzure::tdx(NOW);
        other.cpu(&[7; 64]).items()[0].value().to_vec()
    };
    let text = |bytes: &[u8]| {
        use base64::Engine;
        base64::prelude::BASE64_URL_SAFE.encode(bytes)
    };
    let answers = [
        json!({}),
        json!([]),
        json!({ "quote": 1 }),
        json!({ "quote": "%" }),
        json!({ "quote": "AAAA" }),
        json!({ "quote": text(&quote_of_another) }),
        json!({ "quote": "A".repeat(70_000) }),
    ];
    for answer in answers {
        let app = Router::new().route("/acc/tdquote", any(async move || Json(answer)));
        let machine = Machine::with_service(ForgedAzure::tdx(NOW), app).await;
        let refused = machine.attest(&Connection::new()).await.map(drop);
        assert!(
            matches!(refused, Err(AttestError::Device(_))),
            "{refused:?}"
        );
    }
    let certificates = "/metadata/THIM/amd/certification";
    for answer in [
        json!({ "vcekCert": "", "certificateChain": "" }),
        json!({ "vcekCert": "-----BEGIN CERTIFICATE-----", "certificateChain": "x" }),
    ] {
        let app = Router::new().route(certificates, get(async move || Json(answer)));
        let machine = Machine::with_service(ForgedAzure::snp(), app).await;
        assert!(machine.attest(&Connection::new()).await.is_err());
    }
    for status in [
        StatusCode::NOT_FOUND,
        StatusCode::FOUND,
        StatusCode::TOO_MANY_REQUESTS,
    ] {
        let app = Router::new().route(certificates, get(async move || status));
        let machine = Machine::with_service(ForgedAzure::snp(), app).await;
        assert!(
            machine.attest(&Connection::new()).await.is_err(),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_service_that_recovers_is_asked_again() {
    let vm = ForgedAzure::snp();
    let answered = Arc::new(AtomicUsize::new(0));
    let fails = Arc::new(AtomicUsize::new(1));
    let failing = fails.clone();
    let app = metadata_service(&vm, &answered).layer(axum::middleware::from_fn(
        move |request, next: axum::middleware::Next| {
            let fails = failing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
            async move {
                match fails {
                    Ok(_) => axum::response::IntoResponse::into_response(StatusCode::BAD_GATEWAY),
                    Err(_) => next.run(request).await,
                }
            }
        },
    ));
    let machine = Machine::with_service(vm, app).await;
    assert!(machine.attest(&Connection::new()).await.is_err());
    assert!(machine.attest(&Connection::new()).await.is_ok());
}

struct Machine {
    vtpm: Arc<Mutex<FakeVtpm>>,
    attester: AzureAttester,
    answered: Arc<AtomicUsize>,
    _service: Loopback,
}

impl Machine {
    async fn of(vm: ForgedAzure) -> Self {
        let answered = Arc::new(AtomicUsize::new(0));
        let app = metadata_service(&vm, &answered);
        let machine = Self::with_service(vm, app).await;
        Self {
            answered,
            ..machine
        }
    }

    async fn with_service(vm: ForgedAzure, app: Router) -> Self {
        let service = Loopback::serve(app).await;
        let imds = Imds::dangerous_at(service.url(""), Loopback::client());
        let report = vm.hcl_report();
        let vtpm = Arc::new(Mutex::new(FakeVtpm { vm, report }));
        let media_types = [TPM_EVIDENCE.parse().unwrap()];
        let shared = Shared(vtpm.clone(), media_types);
        let half = VtpmAttester::new(shared, Shared::read_nv).unwrap();
        let on_its_thread = Arc::new(Blocking::spawn(half).unwrap());
        Self {
            vtpm,
            attester: AzureAttester::new(on_its_thread, imds).unwrap(),
            answered: Arc::default(),
            _service: service,
        }
    }

    async fn attest(&self, connection: &Connection) -> Result<Cmw, AttestError> {
        self.attester.attest(connection.to_attest()).await
    }
}

/// It quotes by the VM's key, and holds a report.
struct FakeVtpm {
    vm: ForgedAzure,
    report: Vec<u8>,
}

struct Shared(Arc<Mutex<FakeVtpm>>, [MediaType; 1]);

impl Shared {
    fn read_nv(&mut self, index: u32) -> Result<Vec<u8>, AttestError> {
        assert_eq!(index, HCL_REPORT_INDEX);
        Ok(self.0.lock().unwrap().report.clone())
    }
}

impl LocalAttester for Shared {
    fn media_types(&self) -> &[MediaType] {
        &self.1
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let expected = qualifying_data(request.bound());
        let quote = self.0.lock().unwrap().vm.quote(expected.bytes());
        Ok(Cmw::evidence(self.1[0].clone(), quote.encode().unwrap()))
    }
}
