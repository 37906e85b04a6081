//! Contexts that are spent, and requests that are refused.

use atls_core::ProtocolError;
use atls_core::exchange::SendError;
use atls_core::exchange::authenticator;
use atls_core::exchange::authenticator::Extension;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_core::limits::MAX_EXTENSIONS;
use atls_core::limits::MAX_FRAME;
use atls_core::limits::MAX_REQUESTS;
use atls_core::session::Side;
use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use crate::connection::ask;
use crate::connection::fresh;
use crate::connection::pair;
use crate::connection::pair_of;
use crate::support::forge;
use crate::support::forge::Forge;
use crate::support::identity;
use crate::support::providers;

#[test]
fn a_key_is_refused_under_a_scheme_that_this_request_did_not_offer() {
    let provider = &providers()[0];
    let all = provider.signature_verification_algorithms;
    let fewer: Vec<_> = all
        .mapping
        .iter()
        .filter(|(scheme, _)| *scheme != SignatureScheme::ECDSA_NISTP256_SHA256)
        .copied()
        .collect();
    let fewer = CryptoProvider {
        signature_verification_algorithms: WebPkiSupportedAlgorithms {
            mapping: fewer.leak(),
            ..all
        },
        ..provider.clone()
    };
    let server = identity(provider);
    let pair = pair_of(provider, &server);
    let sent = ask(&pair.client, &fewer);
    let forge = Forge::new(&pair.server, Side::Server, &server, sent.as_bytes());
    let refused = sent.verify(&forge.seal(&forge.certificate(&[])));
    assert_eq!(
        refused.unwrap_err(),
        ProtocolError::SchemeNotOffered(0x0403)
    );
}

#[test]
fn a_context_is_accepted_once_in_either_direction() {
    let provider = &providers()[0];
    let pair = pair(provider);
    let schemes = (13, &[0, 2, 8, 7][..]);
    let request = forge::request(17, b"context", &[schemes]);
    assert!(ReceivedRequest::receive(&pair.server, &request).is_ok());
    let again = ReceivedRequest::receive(&pair.server, &request).unwrap_err();
    assert_eq!(again, ProtocolError::ContextSpent);
    // Our own context, sent back as a request of the peer.
    let sent = ask(&pair.server, provider);
    let mirrored = forge::request(17, sent.context(), &[schemes]);
    let mirrored = ReceivedRequest::receive(&pair.server, &mirrored).unwrap_err();
    assert_eq!(mirrored, ProtocolError::ContextSpent);
    // And our very request is of the wrong type.
    let echoed = ReceivedRequest::receive(&pair.server, sent.as_bytes()).unwrap_err();
    assert_eq!(echoed, ProtocolError::Malformed);
}

#[test]
fn a_context_is_spent_even_where_the_request_is_refused() {
    let pair = pair(&providers()[0]);
    let without_schemes = forge::request(17, b"context", &[]);
    let refused = ReceivedRequest::receive(&pair.server, &without_schemes).unwrap_err();
    assert_eq!(refused, ProtocolError::Malformed);
    let request = forge::request(17, b"context", &[(13, &[0, 2, 8, 7])]);
    let again = ReceivedRequest::receive(&pair.server, &request).unwrap_err();
    assert_eq!(again, ProtocolError::ContextSpent);
}

#[test]
fn a_connection_takes_a_bounded_number_of_requests() {
    let provider = &providers()[0];
    let pair = pair(provider);
    for n in 0..MAX_REQUESTS {
        let request = forge::request(17, &n.to_be_bytes(), &[(13, &[0, 2, 8, 7])]);
        assert!(ReceivedRequest::receive(&pair.server, &request).is_ok());
    }
    let one_more = forge::request(17, b"one more", &[(13, &[0, 2, 8, 7])]);
    let refused = ReceivedRequest::receive(&pair.server, &one_more).unwrap_err();
    assert_eq!(refused, ProtocolError::TooManyRequests);
    let refused = authenticator::request(&pair.server, provider, Vec::new()).unwrap_err();
    assert_eq!(refused, ProtocolError::Sending(SendError::TooManyRequests));
}

#[test]
fn malformed_requests_are_refused() {
    let pair = pair(&providers()[0]);
    let schemes = (13, &[0, 2, 8, 7][..]);
    let valid = forge::request(17, b"valid", &[schemes]);
    let receive =
        |request: &[u8]| ReceivedRequest::receive(&fresh(&pair.server), request).map(drop);
    assert_eq!(receive(&valid), Ok(()));
    for length in 0..valid.len() {
        assert_eq!(
            receive(&valid[..length]),
            Err(ProtocolError::Malformed),
            "{length}"
        );
    }
    let many: Vec<_> = (0..=u16::try_from(MAX_EXTENSIONS).unwrap())
        .map(|code| (code + 100, &b""[..]))
        .collect();
    for (request, error) in [
        ([&valid[..], &[0]].concat(), ProtocolError::Malformed),
        (
            forge::request(13, b"of a server", &[schemes]),
            ProtocolError::Malformed,
        ),
        (
            forge::request(11, b"a certificate", &[schemes]),
            ProtocolError::Malformed,
        ),
        (forge::request(17, b"none", &[]), ProtocolError::Malformed),
        (
            forge::request(17, b"empty", &[(13, &[0, 0])]),
            ProtocolError::Malformed,
        ),
        (
            forge::request(17, b"odd", &[(13, &[0, 3, 8, 7, 8])]),
            ProtocolError::Malformed,
        ),
        (
            forge::request(17, b"short", &[(13, &[0, 4, 8, 7])]),
            ProtocolError::Malformed,
        ),
        (
            forge::request(17, b"long", &[(13, &[0, 2, 8, 7, 0])]),
            ProtocolError::Malformed,
        ),
        (
            forge::request(17, b"twice", &[schemes, schemes]),
            ProtocolError::DuplicateExtension(13),
        ),
        (forge::request(17, b"many", &many), ProtocolError::TooLarge),
        (vec![17; MAX_FRAME + 1], ProtocolError::TooLarge),
    ] {
        assert_eq!(receive(&request), Err(error), "{request:?}");
    }
}

#[test]
fn a_server_name_may_come_from_clients_only() {
    let pair = pair(&providers()[0]);
    let extensions = [(13, &[0, 2, 8, 7][..]), (0, &b"name"[..])];
    let of_client = forge::request(17, b"context", &extensions);
    assert!(ReceivedRequest::receive(&pair.server, &of_client).is_ok());
    let of_server = forge::request(13, b"context", &extensions);
    let refused = ReceivedRequest::receive(&pair.client, &of_server).unwrap_err();
    assert_eq!(refused, ProtocolError::UnsolicitedExtension(0));
}

#[test]
fn we_answer_only_with_extensions_that_were_offered() {
    let provider = &providers()[0];
    let pair = pair(provider);
    let sent = ask(&pair.client, provider);
    let received = ReceivedRequest::receive(&pair.server, sent.as_bytes()).unwrap();
    let unsolicited = Extension {
        code: 0x1234,
        data: Vec::new(),
    };
    let refused = received.authenticate(&[unsolicited]).unwrap_err();
    assert_eq!(
        refused,
        ProtocolError::Sending(SendError::Extension(0x1234))
    );
}
