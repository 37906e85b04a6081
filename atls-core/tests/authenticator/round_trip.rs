//! Exchanges that succeed, under every suite.

use std::sync::Arc;

use atls_core::ProtocolError;
use atls_core::exchange::SendError;
use atls_core::exchange::authenticator::Extension;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_core::exchange::authenticator::VerifiedAuthenticator;
use atls_core::exchange::authenticator::context;
use atls_core::limits::MAX_FRAME;
use atls_core::session::Handshake;
use atls_core::session::Session;
use rustls::HandshakeKind;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;

use crate::connection::OFFERED;
use crate::connection::ask;
use crate::connection::pair;
use crate::support::Live;
use crate::support::Pair;
use crate::support::forge;
use crate::support::identity;
use crate::support::identity_of;
use crate::support::providers;

#[test]
fn both_directions_verify_with_every_suite_and_provider() {
    for provider in providers() {
        for suite in provider
            .cipher_suites
            .iter()
            .filter(|suite| suite.tls13().is_some())
        {
            let only = CryptoProvider {
                cipher_suites: vec![*suite],
                ..provider.clone()
            };
            let pair = pair(&only);
            assert_eq!(
                pair.client.connection.negotiated_cipher_suite(),
                Some(*suite)
            );
            exchange(&pair.client, &pair.server, &only).unwrap();
            exchange(&pair.server, &pair.client, &only).unwrap();
        }
    }
}

#[test]
fn an_authenticator_verifies_after_hello_retry_request() {
    for provider in providers() {
        let server = identity(&provider);
        let pair = Pair::with(
            provider.clone(),
            &server,
            Some(identity(&provider)),
            |client, server| {
                // The server knows only the group for which the client sent no share.
                let groups = client.crypto_provider().kx_groups.clone();
                let other = *groups
                    .iter()
                    .rev()
                    .find(|group| group.name() != groups[0].name())
                    .unwrap();
                let limited = CryptoProvider {
                    kx_groups: vec![other],
                    ..(**server.crypto_provider()).clone()
                };
                *server = rustls::ServerConfig::builder_with_provider(Arc::new(limited))
                    .with_safe_default_protocol_versions()
                    .unwrap()
                    .with_no_client_auth()
                    .with_cert_resolver(server.cert_resolver.clone());
            },
        );
        let kind = pair.client.connection.handshake_kind();
        assert_eq!(kind, Some(HandshakeKind::FullWithHelloRetryRequest));
        exchange(&pair.client, &pair.server, &provider).unwrap();
        exchange(&pair.server, &pair.client, &provider).unwrap();
    }
}

#[test]
fn an_authenticator_verifies_across_a_key_update() {
    for provider in providers() {
        let mut pair = pair(&provider);
        let sent = ask(&pair.client, &provider);
        let received = ReceivedRequest::receive(&pair.server, sent.as_bytes()).unwrap();
        pair.client.connection.refresh_traffic_keys().unwrap();
        pair.server.connection.refresh_traffic_keys().unwrap();
        crate::support::pump(&mut pair.client.connection, &mut pair.server.connection);
        let authenticator = received.authenticate(&[]).unwrap();
        assert!(sent.verify(&authenticator).is_ok());
        exchange(&pair.server, &pair.client, &provider).unwrap();
    }
}

#[test]
fn verification_gives_the_chain_and_the_extensions_of_the_end_entity() {
    let provider = &providers()[0];
    let pair = pair(provider);
    let sent = ask(&pair.client, provider);
    let received = ReceivedRequest::receive(&pair.server, sent.as_bytes()).unwrap();
    let extension = Extension {
        code: OFFERED,
        data: b"data".to_vec(),
    };
    let authenticator = received.authenticate(&[extension]).unwrap();
    assert_eq!(context(&authenticator), Ok(Some(sent.context())));
    assert_eq!(context(sent.as_bytes()), Ok(Some(sent.context())));
    let verified = sent.verify(&authenticator).unwrap();
    let own = pair.server.handshake().identity().unwrap();
    assert_eq!(
        verified.chain().collect::<Vec<_>>(),
        own.cert.iter().collect::<Vec<_>>()
    );
    assert_eq!(verified.end_entity(), own.cert.first());
    assert_eq!(verified.extension(OFFERED), Some(&b"data"[..]));
    assert_eq!(verified.extension(0), None);
}

#[test]
fn the_largest_authenticator_passes_and_a_larger_one_is_not_made() {
    let provider = &providers()[0];
    // Its signatures are all of one length.
    let server = identity_of(provider, &rcgen::PKCS_ED25519);
    let answer = |padding| {
        let chain = vec![server.cert[0].clone(), vec![0; padding].into()];
        let padded = Arc::new(CertifiedKey::new(chain, server.key.clone()));
        let pair = Pair::new(provider.clone(), &server, None);
        let handshake = Handshake::server(&pair.server.connection, padded).unwrap();
        let sent = ask(&pair.client, provider);
        let server = Live {
            handshake,
            ..pair.server
        };
        let received = ReceivedRequest::receive(&server, sent.as_bytes()).unwrap();
        (sent, received.authenticate(&[]))
    };
    let (_, small) = answer(1);
    let padding = MAX_FRAME - small.unwrap().len() + 1;
    let (sent, largest) = answer(padding);
    let largest = largest.unwrap();
    assert_eq!(largest.len(), MAX_FRAME);
    assert!(sent.verify(&largest).is_ok());
    let (_, larger) = answer(padding + 1);
    assert_eq!(larger, Err(SendError::TooLarge.into()));
}

#[test]
fn get_context_reads_every_message_and_nothing_else() {
    assert_eq!(context(&forge::message(20, &[0; 32])), Ok(None));
    assert_eq!(
        context(&forge::request(13, b"abc", &[])),
        Ok(Some(&b"abc"[..]))
    );
    assert_eq!(context(&forge::request(17, b"", &[])), Ok(Some(&b""[..])));
    for message in [
        &b""[..],
        &[11],
        &[11, 0, 0, 1, 1],
        &[15, 0, 0, 0],
        &[99, 0, 0, 1, 0],
    ] {
        assert_eq!(
            context(message),
            Err(ProtocolError::Malformed),
            "{message:?}"
        );
    }
}

fn exchange(
    asker: &dyn Session,
    answerer: &dyn Session,
    provider: &CryptoProvider,
) -> Result<VerifiedAuthenticator, ProtocolError> {
    let sent = ask(asker, provider);
    let authenticator = ReceivedRequest::receive(answerer, sent.as_bytes())?.authenticate(&[])?;
    sent.verify(&authenticator)
}
