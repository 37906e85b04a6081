//! Live ends of the weaker modes, and their TLS.

use std::sync::Arc;
use std::time::Duration;

use atls_core::Binding;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use atls_tower::weaker::dangerous_any_client;
use atls_tower::weaker::dangerous_any_server;
use rcgen::KeyPair;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::ServerName;
use rustls::sign::SigningKey;
use rustls::sign::SingleCertAndKey;

pub fn in_runtime(work: impl Future<Output = bool>) -> bool {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(work)
}

/// Longer than any deadline.
pub async fn both(live: impl Future<Output = bool>, peer: impl Future<Output = ()>) -> bool {
    let both = async { tokio::join!(live, peer).0 };
    let ended = tokio::time::timeout(Duration::from_secs(3600), both).await;
    ended.expect("both ends end")
}

pub fn trusting(device: &SimAttester, binding: Binding) -> Arc<RelyingParty> {
    let policy = StandardPolicy::new()
        .dangerous_accept_simulated()
        .dangerous_accept_binding(binding);
    let relying_party = RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(device.trust_anchor())))
        .standard_policy(policy);
    Arc::new(relying_party.build().expect("a relying party"))
}

pub fn server(
    provider: &Arc<CryptoProvider>,
    (mode, binding): (Mode, Binding),
    device: &SimAttester,
) -> ServerAcceptor {
    let identity = SingleCertAndKey::from(test_support::identity());
    let tls = server_tls(provider).with_client_cert_verifier(dangerous_any_client(provider));
    let tls = tls.with_cert_resolver(Arc::new(identity));
    let terms = ServerTerms::new()
        .clients_attest(mode)
        .require_peer(trusting(device, binding));
    ServerAcceptor::new(tls, terms).expect("good terms")
}

pub fn client(
    provider: &Arc<CryptoProvider>,
    (mode, binding): (Mode, Binding),
    device: &SimAttester,
) -> ClientConnector {
    let tls = client_tls(provider).with_no_client_auth();
    let terms = ClientTerms::new()
        .servers_attest(mode)
        .require_peer(trusting(device, binding));
    ClientConnector::new(tls, terms).expect("good terms")
}

/// Any server, whose certificate says more than its issuer.
pub fn client_tls(
    provider: &Arc<CryptoProvider>,
) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(dangerous_any_server(provider))
}

pub fn server_tls(
    provider: &Arc<CryptoProvider>,
) -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
}

pub fn signing(provider: &CryptoProvider, key: &KeyPair) -> Arc<dyn SigningKey> {
    let der = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    provider.key_provider.load_private_key(der).expect("a key")
}

pub fn name() -> ServerName<'static> {
    ServerName::try_from(NAME).expect("a name")
}

pub const NAME: &str = "localhost";

pub const PIPE: usize = 64 * 1024;
