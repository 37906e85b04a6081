//! Any Evidence of a peer for which a service is to be asked, in each format. Nothing leaves of Evidence that has not the value of this
//! connection, and what leaves is that Evidence.
#![no_main]

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;

use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_formats::dcap;
use atls_fuzz::ear::NOW;
use atls_fuzz::http::replaced;
use atls_fuzz::sign;
use atls_ita::ItaService;
use atls_maa::MaaService;
use atls_remote::Endpoint;
use atls_remote::EvidenceFormat;
use atls_remote::RemoteService;
use atls_remote::RemoteVerifier;
use atls_trustee::TrusteeService;
use atls_veraison::VeraisonService;
use atls_veraison::Wrapping;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::Request;
use http::Response;
use http::header::CONTENT_TYPE;
use http::header::LOCATION;
use rustls::crypto::ring::default_provider;
use serde_json::Value;
use serde_json::json;
use test_support::Connection;
use test_support::at;

atls_fuzz::target!(|bytes: &[u8]| {
    static CONNECTION: OnceLock<Connection> = OnceLock::new();
    let connection = CONNECTION.get_or_init(Connection::new);
    let Some((which, marked)) = bytes.split_first() else {
        return;
    };
    let evidence = about(connection, marked);
    let service = Arc::new(Service::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let asking = ask(*which, service.clone(), &evidence, connection);
    runtime.expect("a runtime").block_on(asking);
    let sent = service.0.lock().expect("no panic");
    assert!(sent.is_empty() || evidence != marked, "it is about nothing");
    for request in sent.iter().filter(|request| !request.body().is_empty()) {
        let body = request.body();
        match which & 0x0f {
            0..8 => assert!(serde_json::from_slice::<Value>(body).is_ok()),
            _ => assert!(carried(request).as_deref() == Some(&evidence)),
        }
    }
});

async fn ask(which: u8, client: Arc<Service>, evidence: &[u8], connection: &Connection) {
    let endpoint = Endpoint::https("https://verifier.example").expect("an address");
    let trustee = TrusteeService::new(&endpoint, client.clone()).expect("a service");
    let maa = MaaService::new(&endpoint, client.clone()).expect("a service");
    let ita = ItaService::new(&endpoint, "key", client.clone()).expect("a service");
    let wrapping = match which >> 4 {
        0 => Wrapping::CmwCbor,
        1 => Wrapping::CmwJson,
        _ => Wrapping::Bare,
    };
    let veraison = VeraisonService::new(&endpoint, client).expect("a service");
    let veraison = veraison.with_wrapping(wrapping);
    let of = (evidence, connection);
    let azure = "application/vnd.example+json";
    match which & 0x0f {
        0 => by(trustee, atls_trustee::TdxQuote::new(), of).await,
        1 => by(trustee, atls_trustee::SnpReport::new(), of).await,
        2 => by(trustee, atls_trustee::SampleEvidence::new(), of).await,
        3 => by(trustee, atls_trustee::AzureVtpm::snp(azure), of).await,
        4 => by(trustee, atls_trustee::AzureVtpm::tdx(azure), of).await,
        5 => by(maa, atls_maa::TdxQuote::new(), of).await,
        6 => by(maa, atls_maa::SnpReport::new(), of).await,
        7 => by(ita, atls_ita::TdxQuote::new(), of).await,
        8 => by(veraison, atls_veraison::PsaToken::tfm(), of).await,
        9 => by(veraison, atls_veraison::PsaToken::any_profile(), of).await,
        10 => by(veraison, atls_veraison::CcaToken::new(), of).await,
        _ => by(veraison, atls_veraison::SevSnpReport::new(), of).await,
    }
}

async fn by<S: RemoteService>(
    service: S,
    format: impl EvidenceFormat<S> + 'static,
    (evidence, connection): (&[u8], &Connection),
) {
    let keys = Arc::new(sign::keys());
    let builder = RemoteVerifier::builder(service, keys, &default_provider());
    let verifier = builder.format(format).build().expect("a verifier");
    let media_type = &verifier.media_types()[0];
    let evidence = Evidence::new(media_type, evidence, connection.bound());
    let appraised = verifier.appraise(&evidence, at(NOW)).await;
    assert!(appraised.is_err(), "no service gave a result");
}

/// An input cannot know the value of the connection, so it has marks in its place: the value itself and its SHA-512, as bytes and as the text
/// that formats have.
fn about(connection: &Connection, marked: &[u8]) -> Vec<u8> {
    let bound = connection.bound();
    let digest = dcap::report_data(bound);
    let digest = digest.bytes();
    let value = connection.bound().as_bytes();
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = BASE64_STANDARD.encode(digest);
    let digits: String = VALUE.iter().map(|byte| format!("{byte:02x}")).collect();
    let marks: [(&[u8], &[u8]); 4] = [
        (DIGEST, digest),
        (VALUE, value),
        (digits.as_bytes(), hex.as_bytes()),
        (b"@report@", base64.as_bytes()),
    ];
    let fill = |bytes: Vec<u8>, (mark, by): (&[u8], &[u8])| replaced(&bytes, mark, by);
    marks.into_iter().fold(marked.to_vec(), fill)
}

/// The Evidence of a request to Veraison.
fn carried(request: &Request<Vec<u8>>) -> Option<Vec<u8>> {
    let content_type = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    match content_type.starts_with("application/cmw+") {
        true => Some(
            Cmw::decode(request.body()).ok()?.items()[0]
                .value()
                .to_vec(),
        ),
        false => Some(request.body().clone()),
    }
}

/// Opens sessions, and answers nothing else.
#[derive(Default)]
struct Service(Mutex<Vec<Request<Vec<u8>>>>);

impl HttpClient for Service {
    fn send(
        &self,
        request: Request<Vec<u8>>,
        _: HttpLimits,
    ) -> BoxFuture<'_, Result<Response<Vec<u8>>, HttpError>> {
        let nonce = request
            .uri()
            .query()
            .and_then(|query| query.strip_prefix("nonce="));
        let answer = match nonce {
            Some(nonce) => Ok(session(&nonce.replace("%3D", "="))),
            None => Err(HttpError::Unreachable("no answer".to_owned())),
        };
        self.0.lock().expect("no panic").push(request);
        Box::pin(std::future::ready(answer))
    }
}

fn session(nonce: &str) -> Response<Vec<u8>> {
    let session = json!({
        "status": "waiting",
        "nonce": nonce,
        "accept": [
            atls_formats::psa::Profile::Tfm.media_type(),
            atls_formats::psa::Profile::Predecessor.media_type(),
            atls_formats::psa::CCA_TOKEN,
            atls_formats::tsm::TSM_REPORT,
        ],
    });
    let builder = Response::builder()
        .status(201)
        .header(LOCATION, "/challenge-response/v1/session/1")
        .header(
            CONTENT_TYPE,
            "application/vnd.veraison.challenge-response-session+json",
        );
    builder
        .body(session.to_string().into_bytes())
        .expect("an answer")
}

/// 64 bytes.
const DIGEST: &[u8] = b"@the SHA-512 of the value that this one connection has, of bytes";

/// 32 bytes.
const VALUE: &[u8] = b"@the value of this connection...";
