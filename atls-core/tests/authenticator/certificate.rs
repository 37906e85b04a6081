//! The certificates, their extensions, and authenticators that have none.

use atls_core::ProtocolError;
use atls_core::exchange::authenticator::Extension;
use atls_core::exchange::authenticator::ReceivedRequest;
use atls_core::exchange::authenticator::context;
use atls_core::limits::MAX_CHAIN;
use atls_core::limits::MAX_FRAME;
use atls_core::session::Side;
use rustls::SignatureScheme;

use crate::connection::Case;
use crate::connection::OFFERED;
use crate::connection::ask;
use crate::connection::fresh;
use crate::connection::pair;
use crate::connection::pair_of;
use crate::support::forge;
use crate::support::forge::Forge;
use crate::support::identity;
use crate::support::providers;

#[test]
fn rejects_an_empty_list_of_certificates_however_it_is_signed() {
    Case::new().rejects(
        |forge| forge.seal(&forge::certificate(&forge.context(), &[])),
        ProtocolError::Malformed,
    );
    Case::new().rejects(
        |forge| {
            let absent = forge::certificate(&forge.context(), &[]);
            [&absent[..], &forge.finished(&[&absent])].concat()
        },
        ProtocolError::Malformed,
    );
    Case::new().rejects(
        |forge| {
            forge.seal(&forge::certificate(
                &forge.context(),
                &[(Vec::new(), Vec::new())],
            ))
        },
        ProtocolError::Malformed,
    );
}

#[test]
fn rejects_extensions_that_were_not_offered_or_are_repeated() {
    Case::new().rejects(
        |forge| forge.seal(&forge.certificate(&[(0x0012, b"sct")])),
        ProtocolError::UnsolicitedExtension(0x0012),
    );
    Case::new().rejects(
        |forge| forge.seal(&forge.certificate(&[(OFFERED, b"a"), (OFFERED, b"a")])),
        ProtocolError::DuplicateExtension(OFFERED),
    );
    Case::new().rejects(
        |forge| {
            let leaf = forge.identity.cert[0].to_vec();
            let entries = [(leaf.clone(), Vec::new()), (leaf, vec![(5, &b"ocsp"[..])])];
            forge.seal(&forge::certificate(&forge.context(), &entries))
        },
        ProtocolError::UnsolicitedExtension(5),
    );
}

#[test]
fn an_empty_authenticator_is_a_refusal_and_never_valid() {
    for provider in providers() {
        let pair = pair(&provider);
        let sent = ask(&pair.client, &provider);
        let received = ReceivedRequest::receive(&pair.server, sent.as_bytes()).unwrap();
        let empty = received.decline().unwrap();
        assert_eq!(context(&empty), Ok(None));
        assert_eq!(sent.verify(&empty).unwrap_err(), ProtocolError::Declined);
    }
}

#[test]
fn rejects_more_certificates_or_bytes_than_the_limits() {
    let case = Case::new();
    let entry = (case.forge.identity.cert[0].to_vec(), Vec::new());
    let chain = |length| forge::certificate(&case.forge.context(), &vec![entry.clone(); length]);
    assert!(
        case.again()
            .validates(|forge| forge.seal(&with_context(forge, &entry, MAX_CHAIN)))
    );
    case.again().rejects(
        |forge| forge.seal(&chain(MAX_CHAIN + 1)),
        ProtocolError::TooLarge,
    );
    case.again()
        .rejects(|_| vec![11; MAX_FRAME + 1], ProtocolError::TooLarge);
}

#[test]
fn every_flipped_bit_and_every_truncation_is_refused() {
    for provider in providers() {
        let server = identity(&provider);
        let pair = pair_of(&provider, &server);
        // One request per trial is more than a connection takes, so each trial has its own context set.
        let trial = |tamper: &dyn Fn(&mut Vec<u8>)| {
            let (client, server) = (fresh(&pair.client), fresh(&pair.server));
            let sent = ask(&client, &provider);
            let received = ReceivedRequest::receive(&server, sent.as_bytes()).unwrap();
            let extension = Extension {
                code: OFFERED,
                data: b"data".to_vec(),
            };
            let mut authenticator = received.authenticate(&[extension]).unwrap();
            tamper(&mut authenticator);
            sent.verify(&authenticator)
        };
        let mut length = 0;
        let seen = std::cell::Cell::new(0);
        assert!(trial(&|authenticator| seen.set(authenticator.len())).is_ok());
        length += seen.get();
        for index in 0..length {
            let bit = 1 << (index % 8);
            // ECDSA signatures vary by a byte or two in length.
            let flipped = trial(&|authenticator| {
                let index = index.min(authenticator.len() - 1);
                authenticator[index] ^= bit;
            });
            assert!(flipped.is_err(), "bit {bit} of byte {index}");
            let cut =
                trial(&|authenticator| authenticator.truncate(index.min(authenticator.len() - 1)));
            assert!(cut.is_err(), "cut at {index}");
        }
    }
}

#[test]
fn an_rsa_key_signs_with_pss_only() {
    let provider = &providers()[0];
    let server = crate::support::rsa_identity(provider);
    let pair = pair_of(provider, &server);
    let verify = |scheme: SignatureScheme| {
        let (client, server_end) = (fresh(&pair.client), fresh(&pair.server));
        let sent = ask(&client, provider);
        let forge = Forge::new(&server_end, Side::Server, &server, sent.as_bytes());
        let certificate = forge.certificate(&[]);
        let verify = forge.certificate_verify_with(&certificate, scheme);
        sent.verify(&forge.seal_with(&certificate, &verify))
            .map(drop)
    };
    for scheme in [
        SignatureScheme::RSA_PSS_SHA256,
        SignatureScheme::RSA_PSS_SHA384,
        SignatureScheme::RSA_PSS_SHA512,
    ] {
        assert_eq!(verify(scheme), Ok(()));
    }
    // Honest signatures, which the provider verifies: it serves certificates too.
    for (scheme, code) in [
        (SignatureScheme::RSA_PKCS1_SHA256, 0x0401),
        (SignatureScheme::RSA_PKCS1_SHA384, 0x0501),
        (SignatureScheme::RSA_PKCS1_SHA512, 0x0601),
    ] {
        assert_eq!(verify(scheme), Err(ProtocolError::SchemeNotOffered(code)));
    }
    // And as the one that answers.
    let answer = |schemes: &[u8]| {
        let server = fresh(&pair.server);
        let request = forge::request(17, b"context", &[(13, schemes)]);
        let received = ReceivedRequest::receive(&server, &request).unwrap();
        received.authenticate(&[])
    };
    for pkcs1 in [[0, 2, 4, 1], [0, 2, 5, 1], [0, 2, 6, 1], [0, 2, 2, 1]] {
        let refused = answer(&pkcs1).unwrap_err();
        assert_eq!(refused, ProtocolError::NoCommonScheme);
    }
    let authenticator = answer(&[0, 4, 4, 1, 8, 4]).unwrap();
    let certificate = usize::from(u16::from_be_bytes([authenticator[2], authenticator[3]]));
    let verify = &authenticator[4 + certificate..];
    assert_eq!((verify[0], &verify[4..6]), (15, &[8, 4][..]));
}

fn with_context(forge: &Forge, entry: &(Vec<u8>, Vec<(u16, &[u8])>), length: usize) -> Vec<u8> {
    forge::certificate(&forge.context(), &vec![entry.clone(); length])
}
