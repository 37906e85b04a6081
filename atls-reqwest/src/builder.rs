//! The configuration of attested clients.
//!
//! Roots, terms and identity go in; an [`Attested`] comes out, or an error that names what is missing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_core::Attester;
use atls_core::ConfigError;
use atls_core::RelyingParty;
use atls_core::WireProfile;
use atls_tower::ClientTerms;
use atls_tower::integration::ClientExchange;
use atls_tower::weaker::Mode;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::client::ResolvesClientCert;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;

use crate::capture;
use crate::connect::Attest;
use crate::connect::Connecting;
use crate::http_version::Http;
use crate::log::AttestationLog;
use crate::setting::Setting;

/// Makes `reqwest` clients attested, and knows which connection was accepted by which result.
///
/// Cheap to clone; clones share the memory of connections.
///
/// ```
/// # use atls_reqwest::{Attested, ClientBuilderExt, reqwest};
/// # use atls_sim::SimAttester;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let roots = demo::Authority::new()?.roots()?;
/// # let servers = demo::trusting(&SimAttester::generate()?)?;
/// let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
/// let attested = Attested::builder(provider).roots(roots).require_peer(servers).build()?;
/// let client = reqwest::Client::builder().attested(&attested).build()?;
/// # let _ = client;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Attested {
    tls: ClientConfig,
    exchange: ClientExchange,
    http: Http,
    log: Arc<AttestationLog>,
}

impl Attested {
    /// Starts without roots and terms; both must be given. TLS is done by this provider, never by a process default.
    pub fn builder(provider: Arc<CryptoProvider>) -> AttestedBuilder {
        AttestedBuilder {
            provider,
            server: None,
            identity: None,
            terms: ClientTerms::new(),
            http: Http::Two,
            clock: None,
        }
    }

    pub(crate) fn tls(&self) -> ClientConfig {
        self.tls.clone()
    }

    pub(crate) fn http(&self) -> Http {
        self.http
    }

    pub(crate) fn layer(&self, contradicting: Option<Setting>) -> Attest {
        Attest::new(Connecting {
            exchange: self.exchange.clone(),
            provider: self.tls.crypto_provider().clone(),
            log: self.log.clone(),
            http: self.http,
            contradicting,
        })
    }

    pub(crate) fn log(&self) -> &AttestationLog {
        &self.log
    }

    pub(crate) fn now(&self) -> Option<rustls::pki_types::UnixTime> {
        self.exchange.now()
    }
}

impl fmt::Debug for Attested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attested")
            .field("exchange", &self.exchange)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

/// Makes an [`Attested`].
///
/// ```
/// # use std::{sync::Arc, time::Duration};
/// # use atls_reqwest::Attested;
/// # use atls_sim::SimAttester;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let roots = demo::Authority::new()?.roots()?;
/// # let device = SimAttester::generate()?;
/// # let servers = demo::trusting(&device)?;
/// let attested = Attested::builder(demo::provider())
///     .roots(roots) // whose certificates to accept, as ever
///     .require_peer(servers) // whose attestation
///     .attester(Arc::new(device)) // and this client attests too, to servers that ask
///     .deadline(Duration::from_secs(5))
///     .build()?;
/// # let _ = attested;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use]
pub struct AttestedBuilder {
    provider: Arc<CryptoProvider>,
    server: Option<Server>,
    identity: Option<Arc<dyn ResolvesClientCert>>,
    terms: ClientTerms,
    http: Http,
    clock: Option<Arc<dyn TimeProvider>>,
}

/// The checker of the server's chain and name.
#[derive(Clone)]
enum Server {
    Roots(RootCertStore),
    Verifier(Arc<dyn ServerCertVerifier>),
}

impl AttestedBuilder {
    /// Checks the server's chain and name against these roots, as any HTTPS client does; attestation comes on top. In the place of a
    /// [`server_verifier`](Self::server_verifier).
    pub fn roots(mut self, roots: RootCertStore) -> Self {
        self.server = Some(Server::Roots(roots));
        self
    }

    /// Checks the server's chain and name by this verifier: the platform's, or one with revocation lists. In the place of
    /// [`roots`](Self::roots).
    ///
    /// A verifier that does not check the name leaves a client open to *diversion*: any attested server of the same
    /// code, whoever runs it, passes.
    pub fn server_verifier(mut self, verifier: Arc<dyn ServerCertVerifier>) -> Self {
        self.server = Some(Server::Verifier(verifier));
        self
    }

    /// Answers servers that demand a TLS client certificate. A client that also attests does so under the same key.
    pub fn client_certificate(mut self, resolver: Arc<dyn ResolvesClientCert>) -> Self {
        self.identity = Some(resolver);
        self
    }

    /// Every server must attest and be accepted by this relying party, before a first byte of HTTP is sent.
    pub fn require_peer(mut self, relying_party: Arc<RelyingParty>) -> Self {
        self.terms = self.terms.require_peer(relying_party);
        self
    }

    /// Talks to servers of which nothing is known but their certificate, as any HTTPS client does: for a client that only
    /// attests itself. It does not go together with [`require_peer`](Self::require_peer).
    pub fn dangerous_accept_unattested_servers(mut self) -> Self {
        self.terms = self.terms.dangerous_accept_unattested_servers();
        self
    }

    /// Sets the mode in which servers attest; by default after the handshake. See [`atls_tower::weaker`] for the other modes, and what they
    /// are open to.
    pub fn servers_attest(mut self, mode: Mode) -> Self {
        self.terms = self.terms.servers_attest(mode);
        self
    }

    /// Attests to servers that ask, after they passed themselves.
    pub fn attester(mut self, attester: Arc<dyn Attester>) -> Self {
        self.terms = self.terms.attester(attester);
        self
    }

    /// Attests, by its [`attester`](Self::attester), to servers that ask also before they attested themselves.
    pub fn attest_before_server(mut self) -> Self {
        self.terms = self.terms.attest_before_server();
        self
    }

    /// Sets the version of the draft that the exchange follows; by default [`WireProfile::EXPAT_03`]. Servers must be configured
    /// for the same one.
    pub fn profile(mut self, profile: WireProfile) -> Self {
        self.terms = self.terms.profile(profile);
        self
    }

    /// The longest that connecting, TLS handshake, exchange and appraisal may take together; by default
    /// [`DEFAULT_DEADLINE`](atls_core::limits::DEFAULT_DEADLINE).
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.terms = self.terms.deadline(deadline);
        self
    }

    /// Sets the HTTP versions; by default [`Http::Two`].
    pub fn http(mut self, http: Http) -> Self {
        self.http = http;
        self
    }

    /// Tells the time, for certificates and results; by default the system's clock.
    pub fn time_provider(mut self, clock: Arc<dyn TimeProvider>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// # Errors
    /// [`ConfigError`] without roots, where servers are not required to attest and that is not said, for settings that exclude each
    /// other, and for a provider that cannot do TLS 1.3 or make a key for a client that attests.
    pub fn build(self) -> Result<Attested, atls_tower::Error> {
        let verifier = match self.server {
            Some(Server::Verifier(verifier)) => verifier,
            Some(Server::Roots(roots)) => {
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots), self.provider.clone())
                    .build()
                    .map_err(|_| ConfigError::Tls("there are no roots to check servers against"))?
            }
            None => {
                return Err(
                    ConfigError::Tls("neither roots nor a server verifier are given").into(),
                );
            }
        };
        if verifier.requires_raw_public_keys() {
            return Err(ConfigError::Tls("raw public keys cannot be attested").into());
        }
        let config = match self.clock {
            Some(clock) => ClientConfig::builder_with_details(self.provider, clock),
            None => ClientConfig::builder_with_provider(self.provider),
        };
        let config = config
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|_| ConfigError::Tls("its provider has no TLS 1.3 cipher suite"))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(capture::Verifier::around(verifier)));
        let mut config = match self.identity {
            Some(resolver) => {
                config.with_client_cert_resolver(Arc::new(capture::Resolver::around(resolver)))
            }
            None => config.with_no_client_auth(),
        };
        config.key_log = Arc::new(capture::Exporter);
        config.alpn_protocols = self.http.alpn();
        let (exchange, tls) = ClientExchange::new(config, self.terms)?;
        Ok(Attested {
            tls,
            exchange,
            http: self.http,
            log: Arc::new(AttestationLog::new()),
        })
    }
}

impl fmt::Debug for AttestedBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttestedBuilder")
            .field("terms", &self.terms)
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use atls_sim::SimAttester;
    use demo::Authority;
    use rustls::quic;
    use rustls::quic::Version;

    use super::*;

    /// reqwest's HTTP/3 does this: QUIC takes the configuration and makes its own TLS of it, in a task of its own, past
    /// every connector layer. Both ends are real; the client refuses the server that it would otherwise trust.
    #[test]
    fn the_tls_of_http_3_cannot_be_set_up() {
        let authority = Authority::new().unwrap();
        let device = SimAttester::generate().unwrap();
        let attested = Attested::builder(demo::provider())
            .roots(authority.roots().unwrap())
            .require_peer(demo::trusting(&device).unwrap())
            .build()
            .unwrap();
        let mut server = authority.server().unwrap();
        server.alpn_protocols = vec![b"h3".to_vec()];
        let mut server =
            quic::ServerConnection::new(Arc::new(server), Version::V1, Vec::new()).unwrap();
        let mut tls = attested.tls();
        tls.alpn_protocols = vec![b"h3".to_vec()];
        let name = "localhost".try_into().unwrap();
        let mut client =
            quic::ClientConnection::new(Arc::new(tls), Version::V1, name, Vec::new()).unwrap();

        let mut hello = Vec::new();
        client.write_hs(&mut hello);
        server.read_hs(&hello).unwrap();
        // The ServerHello, then what is under handshake keys.
        let mut next = || {
            let mut bytes = Vec::new();
            server.write_hs(&mut bytes);
            bytes
        };
        client.read_hs(&next()).unwrap();
        let refused = client.read_hs(&next()).unwrap_err();
        assert!(
            matches!(&refused, rustls::Error::General(text) if text.contains("HTTP/3")),
            "{refused:?}"
        );
        assert!(client.is_handshaking(), "it cannot go on");
    }
}
