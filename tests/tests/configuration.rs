//! Configurations that could not work, or would talk to anybody, are refused before any peer can be blamed.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::error::Error as _;
use std::sync::Arc;

use atls_core::ConfigError;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Error;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::weaker::Mode;
use end_to_end::World;
use rustls::ClientConfig;
use rustls::ServerConfig;
use rustls::SupportedProtocolVersion;
use rustls::version::TLS12;
use rustls::version::TLS13;

#[test]
fn a_server_without_tls_1_3_is_refused() {
    let world = World::new();
    for (versions, suits) in VERSIONS {
        let tls = ServerConfig::builder_with_provider(demo::provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(world.issued.chain.clone(), world.issued.key.clone_key())
            .unwrap();
        let terms = ServerTerms::new().attester(world.server_device.clone());
        let acceptor = ServerAcceptor::new(tls, terms);
        assert_eq!(is_tls(acceptor.map(drop)), !suits, "{versions:?}");
    }
}

#[test]
fn a_client_without_tls_1_3_is_refused() {
    let world = World::new();
    for (versions, suits) in VERSIONS {
        let tls = ClientConfig::builder_with_provider(demo::provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(world.authority.roots().unwrap())
            .with_no_client_auth();
        let terms = ClientTerms::new().require_peer(world.about_servers());
        let connector = ClientConnector::new(tls, terms);
        assert_eq!(is_tls(connector.map(drop)), !suits, "{versions:?}");
    }
}

#[test]
fn a_provider_without_tls_1_3_is_refused() {
    let world = World::new();
    let mut provider = (*demo::provider()).clone();
    provider
        .cipher_suites
        .retain(|suite| suite.tls13().is_none());
    let provider = Arc::new(provider);
    let tls = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS12, &TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(world.issued.chain.clone(), world.issued.key.clone_key())
        .unwrap();
    let terms = ServerTerms::new().attester(world.server_device.clone());
    assert!(is_tls(ServerAcceptor::new(tls, terms).map(drop)));
    let tls = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS12, &TLS13])
        .unwrap()
        .with_root_certificates(world.authority.roots().unwrap())
        .with_no_client_auth();
    let terms = ClientTerms::new().require_peer(world.about_servers());
    assert!(is_tls(ClientConnector::new(tls, terms).map(drop)));
}

#[test]
fn a_client_that_would_talk_to_anybody_must_say_so() {
    let world = World::new();
    let attesting = || world.client().attester(world.client_device.clone());
    let unsaid = attesting().build().map(drop);
    assert_eq!(config(unsaid), ConfigError::PeerNotRequired);
    let nothing = world.client().build().map(drop);
    assert_eq!(config(nothing), ConfigError::PeerNotRequired);
    let said = attesting().dangerous_accept_unattested_servers();
    assert!(said.build().is_ok());
    let plain = world.client().dangerous_accept_unattested_servers();
    assert_eq!(
        config(plain.build().map(drop)),
        ConfigError::NothingToAttest
    );
    let text = ConfigError::PeerNotRequired.to_string();
    assert!(text.contains("`require_peer`"), "{text}");
}

#[test]
fn a_server_under_which_nobody_attests_must_say_so() {
    let world = World::new();
    let built = |terms| ServerAcceptor::new(world.server_tls(), terms).map(drop);
    assert_eq!(
        config(built(ServerTerms::new())),
        ConfigError::NothingToAttest
    );
    assert!(built(ServerTerms::plain()).is_ok());
}

#[test]
fn settings_of_a_server_that_exclude_each_other_are_refused() {
    let world = World::new();
    let (device, clients) = (world.server_device.clone(), world.about_clients());
    let attests = || ServerTerms::new().attester(device.clone());
    let (requires, asks) = (
        || attests().require_peer(clients.clone()),
        || attests().ask_peer(clients.clone()),
    );
    let both = "call one of them";
    let hides = "`client_first` hides nothing";
    let nobody = "nobody has to";
    let plain = "under `plain` terms";
    for (terms, said) in [
        (requires().ask_peer(clients.clone()), both),
        (asks().require_peer(clients.clone()), both),
        (attests().client_first(), hides),
        (asks().client_first(), hides),
        (
            attests()
                .attest_in_handshake()
                .require_peer(clients.clone())
                .client_first(),
            "shows everybody",
        ),
        (ServerTerms::plain().attest_in_handshake(), plain),
        (attests().clients_attest(Mode::InCertificate), nobody),
        (attests().clients_attest(Mode::InHandshake), nobody),
        (ServerTerms::plain().attester(device.clone()), plain),
        (ServerTerms::plain().require_peer(clients.clone()), plain),
    ] {
        let built = ServerAcceptor::new(world.server_tls(), terms);
        assert_contradicts(built.map(drop), said);
    }
    let in_certificates = ServerTerms::plain()
        .clients_attest(Mode::InCertificate)
        .require_peer(clients.clone());
    for terms in [
        requires().client_first(),
        requires().require_peer(clients.clone()),
        asks().ask_peer(clients.clone()),
        in_certificates,
    ] {
        ServerAcceptor::new(world.server_tls(), terms).unwrap();
    }
}

#[test]
fn settings_of_a_client_that_exclude_each_other_are_refused() {
    let world = World::new();
    let device = world.client_device.clone();
    let requires = || ClientTerms::new().require_peer(world.about_servers());
    for (terms, said) in [
        (
            requires().dangerous_accept_unattested_servers(),
            "leave one of them out",
        ),
        (requires().attest_before_server(), "nothing to attest with"),
        (
            requires()
                .attester(device.clone())
                .servers_attest(Mode::InCertificate),
            "there is no exchange",
        ),
        (
            ClientTerms::new().servers_attest(Mode::InHandshake),
            "no server has to",
        ),
    ] {
        let built = ClientConnector::new(world.client_tls(&[]), terms);
        assert_contradicts(built.map(drop), said);
    }
    let first = requires().attester(device).attest_before_server();
    ClientConnector::new(world.client_tls(&[]), first).unwrap();
}

fn assert_contradicts(built: Result<(), Error>, said: &str) {
    match config(built) {
        ConfigError::Terms(text) => assert!(text.contains(said), "{said:?} in {text}"),
        other => panic!("{said}: {other}"),
    }
}

const VERSIONS: [(&[&SupportedProtocolVersion], bool); 3] = [
    (&[&TLS12], false),
    (&[&TLS12, &TLS13], true),
    (&[&TLS13], true),
];

fn is_tls(built: Result<(), Error>) -> bool {
    built.is_err() && matches!(config(built), ConfigError::Tls(_))
}

fn config(built: Result<(), Error>) -> ConfigError {
    let error = built.unwrap_err();
    assert!(error.is_local());
    error
        .source()
        .unwrap()
        .downcast_ref::<ConfigError>()
        .unwrap()
        .clone()
}
