//! The methods that this crate adds to reqwest's own types.

use std::sync::Arc;

use atls_core::PeerAttestation;
use hyper_util::client::legacy::connect::HttpInfo;
use reqwest::tls::TlsInfo;
use rustls::pki_types::ServerName;
use tokio::time::Instant;

use crate::builder::Attested;
use crate::error::LookupError;
use crate::http_version::Http;
use crate::setting::Setting;

/// Makes a reqwest client attested.
///
/// ```
/// # use atls_reqwest::{Attested, ClientBuilderExt, reqwest};
/// # use atls_sim::SimAttester;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let roots = demo::Authority::new()?.roots()?;
/// # let servers = demo::trusting(&SimAttester::generate()?)?;
/// # let attested = Attested::builder(demo::provider()).roots(roots).require_peer(servers).build()?;
/// let client = reqwest::Client::builder()
///     .user_agent("example/1.0")
///     .attested(&attested)
///     .build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
pub trait ClientBuilderExt: sealed::Sealed {
    /// Sets TLS, HTTP version and the attesting layer. Call it last of what concerns TLS and HTTP versions; a
    /// configuration that is broken afterwards refuses connections, never accepts more.
    ///
    /// The HTTP version is that of [`AttestedBuilder::http`](crate::AttestedBuilder::http), for reqwest leaves ALPN to
    /// whoever makes the TLS configuration. After `http1_only` or `http2_prior_knowledge` that say otherwise, every request
    /// is refused by an error that says so ([`Error::is_http_version`](crate::Error::is_http_version)). Calls of the two
    /// *after* this one cannot be seen: `http1_only` has no effect then, and `http2_prior_knowledge` speaks HTTP/2 to
    /// servers that agreed on HTTP/1.1, which they refuse.
    #[must_use]
    fn attested(self, attested: &Attested) -> Self;
}

impl ClientBuilderExt for reqwest::ClientBuilder {
    fn attested(self, attested: &Attested) -> Self {
        let layer = attested.layer(Setting::contradicting(&self, attested.http()));
        let builder = self
            .tls_backend_preconfigured(attested.tls())
            .tls_info(true)
            .connector_layer(layer);
        match attested.http() {
            Http::Auto => builder,
            Http::One => builder.http1_only(),
            Http::Two => builder.http2_prior_knowledge(),
        }
    }
}

#[cfg(feature = "blocking")]
impl ClientBuilderExt for reqwest::blocking::ClientBuilder {
    fn attested(self, attested: &Attested) -> Self {
        let layer = attested.layer(Setting::contradicting(&self, attested.http()));
        let builder = self
            .tls_backend_preconfigured(attested.tls())
            .tls_info(true)
            .connector_layer(layer);
        match attested.http() {
            Http::Auto => builder,
            Http::One => builder.http1_only(),
            Http::Two => builder.http2_prior_knowledge(),
        }
    }
}

/// Finds the attestation of who answered.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_reqwest::{Attested, ClientBuilderExt, ResponseExt, reqwest};
/// # use atls_sim::SimAttester;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use atls_axum::AttestedListener;
/// # use atls_tower::{ServerAcceptor, ServerTerms};
/// # let authority = demo::Authority::new()?;
/// # let device = SimAttester::generate()?;
/// # let servers = demo::trusting(&device)?;
/// # let terms = ServerTerms::new().attester(Arc::new(device));
/// # let listener = AttestedListener::bind("127.0.0.1:0", ServerAcceptor::new(authority.server()?, terms)?).await?;
/// # let url = format!("https://localhost:{}/", listener.local_addr().port());
/// # let app = axum::Router::new().route("/", axum::routing::get(async || "hello"));
/// # tokio::spawn(async move { atls_axum::serve(listener, app).await });
/// # let attested = Attested::builder(demo::provider()).roots(authority.roots()?).require_peer(servers).build()?;
/// # let client = reqwest::Client::builder().attested(&attested).build()?;
/// let response = client.get(url).send().await?;
/// let server = response.attestation(&attested)?;
/// assert_eq!(server.status().to_string(), "affirming");
/// # Ok(())
/// # }
/// ```
pub trait ResponseExt: sealed::Sealed {
    /// The attestation by which the response's connection was accepted.
    ///
    /// For audit, or finer policy: that every connection *was* accepted does not depend on it. Connections are told
    /// apart by their addresses, the server's name and its certificate, so look it up while the response is fresh, and only for
    /// clients made of this very configuration.
    ///
    /// # Errors
    /// [`LookupError`] where it is not known, and once it has expired.
    fn attestation(&self, attested: &Attested) -> Result<Arc<PeerAttestation>, LookupError>;
}

impl ResponseExt for reqwest::Response {
    fn attestation(&self, attested: &Attested) -> Result<Arc<PeerAttestation>, LookupError> {
        find(self.extensions(), self.url(), attested)
    }
}

#[cfg(feature = "blocking")]
impl ResponseExt for reqwest::blocking::Response {
    fn attestation(&self, attested: &Attested) -> Result<Arc<PeerAttestation>, LookupError> {
        find(self.extensions(), self.url(), attested)
    }
}

fn find(
    extensions: &http::Extensions,
    url: &reqwest::Url,
    attested: &Attested,
) -> Result<Arc<PeerAttestation>, LookupError> {
    let tcp = extensions.get::<HttpInfo>().ok_or(LookupError::Unknown)?;
    let addresses = (tcp.local_addr(), tcp.remote_addr());
    let entry = attested.log().find(addresses).ok_or(LookupError::Unknown)?;
    // Through a proxy only the local port tells connections apart, and it is used again for other servers.
    if server_of(url).as_ref() != Some(&entry.server) {
        return Err(LookupError::Unknown);
    }
    let shown = extensions
        .get::<TlsInfo>()
        .and_then(TlsInfo::peer_certificate);
    if shown != entry.certificate.as_deref() {
        return Err(LookupError::Unknown);
    }
    let now = attested.now().ok_or(LookupError::Expired)?;
    if entry.peer.is_expired(now) {
        attested.log().expire(addresses, &entry.peer);
        return Err(LookupError::Expired);
    }
    if entry.ends_at.is_some_and(|end| Instant::now() >= end) {
        return Err(LookupError::Expired);
    }
    Ok(entry.peer)
}

fn server_of(url: &reqwest::Url) -> Option<ServerName<'static>> {
    let host = url.host_str()?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    ServerName::try_from(host.to_owned()).ok()
}

#[allow(
    unnameable_types,
    reason = "so that nobody else implements these traits"
)]
mod sealed {
    pub trait Sealed {}

    impl Sealed for reqwest::ClientBuilder {}
    impl Sealed for reqwest::Response {}

    #[cfg(feature = "blocking")]
    impl Sealed for reqwest::blocking::ClientBuilder {}
    #[cfg(feature = "blocking")]
    impl Sealed for reqwest::blocking::Response {}
}
