//! Any answers of a remote verifier: statuses, headers, bodies, and tokens that it signed well, through the client that asks again. A token
//! is accepted only if it holds the value of this connection.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Verifier;
use atls_formats::dcap;
use atls_fuzz::ear::NOW;
use atls_fuzz::http::Answers;
use atls_fuzz::http::replaced;
use atls_fuzz::sign;
use atls_fuzz::tape::Tape;
use atls_ita::ItaService;
use atls_maa::MaaService;
use atls_remote::Endpoint;
use atls_remote::RemoteService;
use atls_remote::RemoteVerifier;
use atls_remote::RemoteVerifierBuilder;
use atls_remote::Resilient;
use atls_sim::SimAttester;
use atls_trustee::TrusteeService;
use atls_veraison::VeraisonService;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE;
use rustls::crypto::ring::default_provider;
use test_support::Connection;
use test_support::at;

struct Setting {
    connection: Connection,
    quote: Vec<u8>,
    token: Vec<u8>,
}

atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(Setting::new);
    let mut tape = Tape::new(bytes);
    let (service, claims) = (tape.byte(), tape.bytes());
    // Claims without marks are about nothing, whatever they say.
    let about_nothing = setting.claims(claims) == claims;
    let answers = Answers::of(&mut tape, 6, |body| setting.filled(body, claims));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let accepted = runtime.expect("a runtime").block_on(async {
        let appraised = setting.appraise(service, Arc::new(answers));
        // Longer than any deadline.
        let ended = tokio::time::timeout(Duration::from_secs(60), appraised).await;
        ended.expect("it ends")
    });
    assert!(!accepted || !about_nothing);
});

impl Setting {
    fn new() -> Self {
        let connection = Connection::new();
        let report_data = dcap::report_data(connection.bound());
        let mut device = SimAttester::generate().expect("a device");
        Self {
            quote: test_support::td_quote(report_data.bytes()),
            token: connection.evidence(&mut device),
            connection,
        }
    }

    async fn appraise(&self, service: u8, answers: Arc<Answers>) -> bool {
        let client = Arc::new(Resilient::new("any", answers));
        let endpoint = Endpoint::https("https://verifier.example").expect("an address");
        match service % 4 {
            0 => {
                let service = TrusteeService::new(&endpoint, client).expect("a service");
                self.by(
                    builder(service).format(atls_trustee::TdxQuote::new()),
                    &self.quote,
                )
                .await
            }
            1 => {
                let service = MaaService::new(&endpoint, client).expect("a service");
                self.by(
                    builder(service).format(atls_maa::TdxQuote::new()),
                    &self.quote,
                )
                .await
            }
            2 => {
                let service = ItaService::new(&endpoint, "key", client).expect("a service");
                self.by(
                    builder(service).format(atls_ita::TdxQuote::new()),
                    &self.quote,
                )
                .await
            }
            _ => {
                let service = VeraisonService::new(&endpoint, client).expect("a service");
                let _ = service.discover().await;
                self.by(
                    builder(service).format(atls_veraison::PsaToken::tfm()),
                    &self.token,
                )
                .await
            }
        }
    }

    async fn by<S: RemoteService>(
        &self,
        builder: RemoteVerifierBuilder<S>,
        evidence: &[u8],
    ) -> bool {
        let verifier: RemoteVerifier<S> = builder.build().expect("a verifier");
        let media_type: &MediaType = &verifier.media_types()[0];
        let evidence = Evidence::new(media_type, evidence, self.connection.bound());
        verifier.appraise(&evidence, at(NOW)).await.is_ok()
    }

    /// A body, in which an input may have what it cannot know: a nonce, and a good token.
    fn filled(&self, body: &[u8], claims: &[u8]) -> Vec<u8> {
        let bound = self.connection.bound();
        let nonce = BASE64_URL_SAFE.encode(bound);
        let body = replaced(body, b"@nonce@", nonce.as_bytes());
        replaced(
            &body,
            b"@token@",
            sign::jwt(&self.claims(claims)).as_bytes(),
        )
    }

    fn claims(&self, claims: &[u8]) -> Vec<u8> {
        let bound = self.connection.bound();
        let report_data = dcap::report_data(bound);
        let report_data = report_data.bytes();
        let hex: String = report_data
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let claims = replaced(claims, b"@hex@", hex.as_bytes());
        let claims = replaced(
            &claims,
            b"@base64@",
            BASE64_STANDARD.encode(report_data).as_bytes(),
        );
        replaced(
            &claims,
            b"@nonce@",
            BASE64_URL_SAFE.encode(bound).as_bytes(),
        )
    }
}

fn builder<S: RemoteService>(service: S) -> RemoteVerifierBuilder<S> {
    RemoteVerifier::builder(service, Arc::new(sign::keys()), &default_provider())
}
