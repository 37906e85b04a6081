//! RFC 9261 over live connections: round trips, and every reject rule under a correct MAC.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use atls_core::ProtocolError;
use atls_core::authenticator;
use atls_core::authenticator::Extension;
use atls_core::authenticator::ReceivedRequest;
use atls_core::authenticator::RequestTemplate;
use atls_core::authenticator::SentRequest;
use atls_core::authenticator::VerifiedAuthenticator;
use atls_core::authenticator::context;
use atls_core::exchange::SendError;
use atls_core::limits::MAX_CHAIN;
use atls_core::limits::MAX_EXTENSIONS;
use atls_core::limits::MAX_FRAME;
use atls_core::limits::MAX_REQUESTS;
use atls_core::session::Handshake;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::HandshakeKind;
use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::sign::CertifiedKey;
use support::Pair;
use support::forge;
use support::forge::Forge;
use support::identity;
use support::providers;

const OFFERED: u16 = 0xff77;

// --- Round trips ---------------------------------------------------------------------------------------------------

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
        support::pump(&mut pair.client.connection, &mut pair.server.connection);
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
    assert_eq!(verified.extension(OFFERED), Some(&b"data"[..]));
    assert_eq!(verified.extension(0), None);
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

// --- Reject rules of RFC 9261 §5 and §6 --------------------------------------------------------------------------

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

#[test]
fn rejects_schemes_that_were_not_offered_or_do_not_fit_the_key() {
    // rsa_pkcs1_sha256, ecdsa_sha1, rsa_pkcs1_sha1 are of TLS 1.2; the last is nobody's.
    for scheme in [0x0401, 0x0203, 0x0201, 0xffff] {
        Case::new().rejects(
            |forge| {
                let certificate = forge.certificate(&[]);
                forge.seal_with(
                    &certificate,
                    &forge.certificate_verify_as(&certificate, scheme),
                )
            },
            ProtocolError::SchemeNotOffered(scheme),
        );
    }
    // Offered, but for Ed25519, RSA and P-384 keys; ours is P-256.
    for scheme in [0x0807, 0x0804, 0x0503] {
        let case = Case::new();
        let certificate = case.forge.certificate(&[]);
        let verify = case.forge.certificate_verify_as(&certificate, scheme);
        let error = case
            .sent
            .verify(&case.forge.seal_with(&certificate, &verify))
            .unwrap_err();
        let expected = [
            ProtocolError::SchemeNotOffered(scheme),
            ProtocolError::BadSignature,
        ];
        assert!(expected.contains(&error), "{scheme:#x}: {error}");
    }
}

#[test]
fn never_offers_nor_uses_schemes_of_tls_1_2() {
    for provider in providers() {
        let pair = pair(&provider);
        let sent = ask(&pair.client, &provider);
        let received = ReceivedRequest::receive(&pair.server, sent.as_bytes()).unwrap();
        let offered = received.extension(13).unwrap();
        for scheme in offered[2..].chunks(2) {
            assert!(!matches!(scheme, [4..=6, 1] | [2, _]), "{scheme:?}");
        }
        // A peer that offers only PKCS #1 gets no signature of an RSA key, nor of any other.
        let only_pkcs1 = forge::request(17, b"only PKCS #1", &[(13, &[0, 2, 4, 1])]);
        let received = ReceivedRequest::receive(&pair.server, &only_pkcs1).unwrap();
        let refused = received.authenticate(&[]);
        assert_eq!(refused.unwrap_err(), ProtocolError::NoCommonScheme);
    }
}

#[test]
fn rejects_a_finished_of_the_wrong_value_or_length() {
    let tamper: [fn(&mut Vec<u8>); 5] = [
        |mac| mac[0] ^= 1,
        |mac| mac.truncate(mac.len() - 1),
        |mac| mac.truncate(0),
        |mac| mac.push(0),
        |mac| mac.fill(0),
    ];
    for tamper in tamper {
        Case::new().rejects(
            |forge| {
                let certificate = forge.certificate(&[]);
                let verify = forge.certificate_verify(&certificate);
                let mut mac = forge.mac(&[&certificate, &verify]);
                tamper(&mut mac);
                [certificate, verify, forge::message(20, &mac)].concat()
            },
            ProtocolError::BadFinished,
        );
        Case::new().rejects(
            |forge| {
                let absent = forge::certificate(&forge.context(), &[]);
                let mut mac = forge.mac(&[&absent]);
                tamper(&mut mac);
                forge::message(20, &mac)
            },
            ProtocolError::BadFinished,
        );
    }
}

#[test]
fn rejects_messages_missing_repeated_or_in_another_order() {
    type Arrange = fn(&[u8], &[u8], &[u8]) -> Vec<u8>;
    let arrangements: [Arrange; 9] = [
        |_, _, _| Vec::new(),
        |c, _, _| c.to_vec(),
        |c, v, _| [c, v].concat(),
        |c, _, f| [c, f].concat(),
        |_, v, f| [v, f].concat(),
        |c, v, f| [v, c, f].concat(),
        |c, v, f| [f, c, v].concat(),
        |c, v, f| [c, v, f, &[0]].concat(),
        |c, v, f| [c, v, f, f].concat(),
    ];
    for arrange in arrangements {
        Case::new().rejects(
            |forge| {
                let certificate = forge.certificate(&[]);
                let verify = forge.certificate_verify(&certificate);
                arrange(
                    &certificate,
                    &verify,
                    &forge.finished(&[&certificate, &verify]),
                )
            },
            ProtocolError::Malformed,
        );
    }
}

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
    let server = support::rsa_identity(provider);
    let pair = pair_of(provider, &server);
    let judge = |scheme: SignatureScheme| {
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
        assert_eq!(judge(scheme), Ok(()));
    }
    // Honest signatures, which the provider verifies: it serves certificates too.
    for (scheme, code) in [
        (SignatureScheme::RSA_PKCS1_SHA256, 0x0401),
        (SignatureScheme::RSA_PKCS1_SHA384, 0x0501),
        (SignatureScheme::RSA_PKCS1_SHA512, 0x0601),
    ] {
        assert_eq!(judge(scheme), Err(ProtocolError::SchemeNotOffered(code)));
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

// --- Requests --------------------------------------------------------------------------------------------------------

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

// --- Handshakes that attestation does not cover -------------------------------------------------------------------

#[test]
fn tls_1_2_is_refused_at_both_ends() {
    for provider in providers() {
        let server = identity(&provider);
        let (client, server_connection) =
            support::connected(provider, &server, |client, server| {
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
        let _first = support::connected(provider.clone(), &server, |client, server| {
            configs = Some((client.clone(), server.clone()));
        });
        let (client_config, server_config) = configs.unwrap();
        let connect = || {
            support::connected(provider.clone(), &server, |client, server| {
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
        support::connected(provider, &server, |client, _| config = Some(client.clone()));
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
    let _finished = support::connected(provider, &server, |client, server| {
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

// --- Helpers ---------------------------------------------------------------------------------------------------------

/// A request of a client, and what forges a server's answer to it.
struct Case {
    sent: SentRequest,
    forge: Forge,
    server: Arc<CertifiedKey>,
    pair: Arc<Pair>,
}

impl Case {
    fn new() -> Self {
        let provider = providers()[0].clone();
        let server = identity(&provider);
        Self::over(Arc::new(pair_of(&provider, &server)), server)
    }

    fn over(pair: Arc<Pair>, server: Arc<CertifiedKey>) -> Self {
        let sent = ask(&pair.client, &providers()[0]);
        let forge = Forge::new(&pair.server, Side::Server, &server, sent.as_bytes());
        Self {
            sent,
            forge,
            server,
            pair,
        }
    }

    /// Another request on the same connection.
    fn again(&self) -> Self {
        Self::over(self.pair.clone(), self.server.clone())
    }

    fn rejects(self, answer: impl FnOnce(&Forge) -> Vec<u8>, error: ProtocolError) {
        assert_eq!(self.sent.verify(&answer(&self.forge)).unwrap_err(), error);
    }

    fn validates(self, answer: impl FnOnce(&Forge) -> Vec<u8>) -> bool {
        self.sent.verify(&answer(&self.forge)).is_ok()
    }
}

fn with_context(forge: &Forge, entry: &(Vec<u8>, Vec<(u16, &[u8])>), length: usize) -> Vec<u8> {
    forge::certificate(&forge.context(), &vec![entry.clone(); length])
}

fn pair(provider: &CryptoProvider) -> Pair {
    pair_of(provider, &identity(provider))
}

fn pair_of(provider: &CryptoProvider, server: &Arc<CertifiedKey>) -> Pair {
    Pair::new(provider.clone(), server, Some(identity(provider)))
}

fn ask(asker: &dyn Session, provider: &CryptoProvider) -> SentRequest {
    let extension = Extension {
        code: OFFERED,
        data: Vec::new(),
    };
    authenticator::request(asker, provider, vec![extension]).unwrap()
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

/// The same connection with no context spent yet.
fn fresh<'a, S: Session + Sync>(end: &'a S) -> impl Session + use<'a, S> {
    struct Fresh<'a, S> {
        end: &'a S,
        handshake: Handshake,
    }
    impl<S: Session + Sync> Session for Fresh<'_, S> {
        fn handshake(&self) -> &Handshake {
            &self.handshake
        }
        fn export(
            &self,
            label: &[u8],
            context: &[u8],
            output: &mut [u8],
        ) -> Result<(), ProtocolError> {
            self.end.export(label, context, output)
        }
    }
    let known = end.handshake();
    let handshake = Handshake::observed(
        known.side(),
        known.suite(),
        known.identity().cloned(),
        known.peer_chain().to_vec(),
    );
    Fresh {
        end,
        handshake: handshake.unwrap(),
    }
}
