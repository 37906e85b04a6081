//! Handshakes that cannot carry authenticators.

use std::sync::Arc;

use atls_core::ProtocolError;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_core::exchange::authenticator::RequestTemplate;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::HandshakeKind;

use crate::connection::ask;
use crate::connection::pair;
use crate::support::forge::Forge;
use crate::support::identity;
use crate::support::providers;

#[test]
fn tls_1_2_is_refused_at_both_ends() {
    for provider in providers() {
        let server = identity(&provider);
        let (client, server_connection) =
            crate::support::connected(provider, &server, |client, server| {
                let provider = client.crypto_provider().clone();
                *server = rustls::ServerConfig::builder_with_provider(provider)
                    .with_protocol_versions(&[&rustls::version::TLS12])
                    .unwrap()
                    .with_no_client_auth()
                    .with_cert_resolver(server.cert_resolver.clone());
            });
        assert_eq!(
            client.protocol_version(),
            Some(rustls::ProtocolVersion::TLSv1_2)
        );
        let refused = Handshake::client(&client, None).unwrap_err();
        assert_eq!(refused, ProtocolError::NotFullTls13);
        let refused = Handshake::server(&server_connection, server).unwrap_err();
        assert_eq!(refused, ProtocolError::NotFullTls13);
    }
}

#[test]
fn a_resumed_handshake_is_refused_at_both_ends() {
    for provider in providers() {
        let server = identity(&provider);
        let mut configs = None;
        let _first = crate::support::connected(provider.clone(), &server, |client, server| {
            configs = Some((client.clone(), server.clone()));
        });
        let (client_config, server_config) = configs.unwrap();
        let connect = || {
            crate::support::connected(provider.clone(), &server, |client, server| {
                *client = client_config.clone();
                *server = server_config.clone();
            })
        };
        let _first = connect();
        let (client, server_connection) = connect();
        assert_eq!(client.handshake_kind(), Some(HandshakeKind::Resumed));
        let refused = Handshake::client(&client, None).unwrap_err();
        assert_eq!(refused, ProtocolError::NotFullTls13);
        let refused = Handshake::server(&server_connection, server.clone()).unwrap_err();
        assert_eq!(refused, ProtocolError::NotFullTls13);
    }
}

#[test]
fn an_unfinished_handshake_is_refused() {
    let provider = providers()[0].clone();
    let server = identity(&provider);
    let mut config = None;
    let _finished =
        crate::support::connected(provider, &server, |client, _| config = Some(client.clone()));
    let name = "localhost".try_into().unwrap();
    let client = rustls::ClientConnection::new(Arc::new(config.unwrap()), name).unwrap();
    assert_eq!(
        Handshake::client(&client, None).unwrap_err(),
        ProtocolError::NotFullTls13
    );
}

#[test]
fn a_server_waits_for_the_clients_finished() {
    let provider = providers()[0].clone();
    let server = identity(&provider);
    let mut configs = None;
    let _finished = crate::support::connected(provider, &server, |client, server| {
        configs = Some((client.clone(), server.clone()));
    });
    let (mut client, config) = configs.unwrap();
    client.resumption = rustls::client::Resumption::disabled();
    let name = "localhost".try_into().unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(client), name).unwrap();
    let mut connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
    let mut hello = Vec::new();
    client.write_tls(&mut hello).unwrap();
    connection.read_tls(&mut &hello[..]).unwrap();
    connection.process_new_packets().unwrap();
    connection.write_tls(&mut Vec::new()).unwrap();
    // All is settled but that the client has these keys.
    assert_eq!(connection.handshake_kind(), Some(HandshakeKind::Full));
    assert!(connection.negotiated_cipher_suite().is_some());
    assert!(connection.is_handshaking());
    let refused = Handshake::server(&connection, server).unwrap_err();
    assert_eq!(refused, ProtocolError::NotFullTls13);
}

#[test]
fn nothing_secret_is_printed() {
    let provider = &providers()[0];
    let pair = pair(provider);
    let sent = ask(&pair.client, provider);
    let received = ReceivedRequest::receive(&pair.server, sent.as_bytes()).unwrap();
    let forge = Forge::new(
        &pair.server,
        Side::Server,
        pair.server.handshake().identity().unwrap(),
        sent.as_bytes(),
    );
    let handshake = pair.server.handshake();
    let template = RequestTemplate::new(Side::Client, provider, Vec::new()).unwrap();
    let prepared = template.prepare().unwrap();
    let printed = format!("{sent:?} {received:?} {handshake:?} {prepared:?}");
    let leaf = received.identity().unwrap().cert[0].to_vec();
    let context = sent.context().to_vec();
    let mac = forge.mac(&[]);
    let authenticator = received.authenticate(&[]).unwrap();
    let printed = format!("{printed} {:?}", sent.verify(&authenticator).unwrap());
    for secret in [
        &context,
        &mac,
        &forge.handshake_context,
        &forge.finished_key,
        &leaf,
    ] {
        let decimal = format!("{:?}", &secret[..8]);
        let hex: String = secret[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let printed = printed.to_lowercase();
        assert!(
            !printed.contains(decimal.trim_matches(['[', ']'])),
            "{printed}"
        );
        assert!(!printed.contains(&hex), "{printed}");
    }
}
