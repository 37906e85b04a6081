//! A Veraison service in this process.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test file uses a part"
)]

mod fake;

use std::sync::Arc;
use std::time::Duration;

use atls_core::http::HttpClient;
use atls_core::pki_types::UnixTime;
use atls_remote::Endpoint;
use atls_veraison::VeraisonService;
use rustls::crypto::CryptoProvider;

pub use fake::Fake;
pub use fake::Step;
pub use fake::request_step;

pub fn provider() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

pub fn service(fake: &Fake) -> VeraisonService {
    service_over(Arc::new(fake.clone()))
}

pub fn service_over(client: Arc<dyn HttpClient>) -> VeraisonService {
    let endpoint = Endpoint::https("https://veraison.example").unwrap();
    VeraisonService::new(&endpoint, client).unwrap()
}

pub const NOW: u64 = 1_800_000_000;

pub fn now() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(NOW))
}
