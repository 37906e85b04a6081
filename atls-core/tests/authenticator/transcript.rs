//! Authenticators of another connection, context, request or direction.

use atls_core::ProtocolError;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_core::session::Side;

use crate::connection::Case;
use crate::connection::ask;
use crate::connection::pair_of;
use crate::support::forge;
use crate::support::forge::Forge;
use crate::support::identity;
use crate::support::providers;

#[test]
fn rejects_an_authenticator_of_another_connection() {
    for provider in providers() {
        let server = identity(&provider);
        let (one, other) = (pair_of(&provider, &server), pair_of(&provider, &server));
        let sent = ask(&one.client, &provider);
        // A man in the middle hands the request on to the genuine server.
        let received = ReceivedRequest::receive(&other.server, sent.as_bytes()).unwrap();
        let genuine = received.authenticate(&[]).unwrap();
        assert_eq!(
            sent.verify(&genuine).unwrap_err(),
            ProtocolError::BadFinished
        );
    }
}

#[test]
fn rejects_a_signature_of_another_connection_under_a_new_mac() {
    let provider = &providers()[0];
    let server = identity(provider);
    let (one, other) = (pair_of(provider, &server), pair_of(provider, &server));
    let sent = ask(&one.client, provider);
    // He terminates TLS, so the MAC he can make himself; the signature he has from the genuine server.
    let on_one = Forge::new(&one.server, Side::Server, &server, sent.as_bytes());
    let on_other = Forge::new(&other.server, Side::Server, &server, sent.as_bytes());
    let certificate = on_one.certificate(&[]);
    let verify = on_other.certificate_verify(&certificate);
    let forged = on_one.seal_with(&certificate, &verify);
    assert_eq!(
        sent.verify(&forged).unwrap_err(),
        ProtocolError::BadSignature
    );
}

#[test]
fn rejects_another_context() {
    let case = Case::new();
    let entry = (case.forge.identity.cert[0].to_vec(), Vec::new());
    for other in [&b""[..], &[0; 32], &case.forge.context()[..31]] {
        let certificate = forge::certificate(other, std::slice::from_ref(&entry));
        case.again().rejects(
            |forge| forge.seal(&certificate),
            ProtocolError::ContextMismatch,
        );
    }
}

#[test]
fn rejects_an_answer_to_altered_request_bytes() {
    let provider = &providers()[0];
    let server = identity(provider);
    let pair = pair_of(provider, &server);
    let sent = ask(&pair.client, provider);
    // Another extension at the end, as somebody on the path would add one.
    let mut altered = Forge::new(&pair.server, Side::Server, &server, sent.as_bytes());
    let last = altered.request.len() - 1;
    altered.request[last] ^= 1;
    let certificate = altered.certificate(&[]);
    assert_eq!(
        sent.verify(&altered.seal(&certificate)).unwrap_err(),
        ProtocolError::BadFinished
    );
}

#[test]
fn rejects_a_reflected_authenticator() {
    for provider in providers() {
        let server = identity(&provider);
        let pair = pair_of(&provider, &server);
        let sent = ask(&pair.client, &provider);
        // Sealed with the client's labels, even under the server's key.
        let reflected = Forge::new(&pair.client, Side::Client, &server, sent.as_bytes());
        let certificate = reflected.certificate(&[]);
        let authenticator = reflected.seal(&certificate);
        assert_eq!(
            sent.verify(&authenticator).unwrap_err(),
            ProtocolError::BadFinished
        );
    }
}
