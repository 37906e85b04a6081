//! Outgoing HTTP of verifiers, to services and makers of platforms.

use std::sync::Arc;

use atls_core::http::HttpClient;
use atls_remote::ReqwestClient;
use atls_remote::reqwest;
use rustls::ClientConfig;
use rustls::RootCertStore;

use crate::failure::Failure;
use crate::tls;

/// To anywhere, under the authorities of the system.
pub(crate) fn over_https() -> Result<Arc<dyn HttpClient>, Failure> {
    trusting(tls::roots(&[])?)
}

/// To anywhere, under these authorities.
pub(crate) fn trusting(roots: RootCertStore) -> Result<Arc<dyn HttpClient>, Failure> {
    let client = ReqwestClient::build(builder(roots)?);
    Ok(Arc::new(client.map_err(|error| no_client(&error))?))
}

/// To a service on this machine, also in the clear.
pub(crate) fn on_this_machine(roots: RootCertStore) -> Result<Arc<dyn HttpClient>, Failure> {
    let client = ReqwestClient::dangerous_loopback(builder(roots)?);
    Ok(Arc::new(client.map_err(|error| no_client(&error))?))
}

fn builder(roots: RootCertStore) -> Result<reqwest::ClientBuilder, Failure> {
    let tls = ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::fault("TLS cannot be set up").because(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls))
}

fn no_client(error: &reqwest::Error) -> Failure {
    Failure::fault("no HTTP client").because(error)
}
