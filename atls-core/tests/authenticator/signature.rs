//! Schemes, Finished, and the order of messages.

use atls_core::ProtocolError;
use atls_core::exchange::authenticator::ReceivedRequest;

use crate::connection::Case;
use crate::connection::ask;
use crate::connection::pair;
use crate::support::forge;
use crate::support::providers;

#[test]
fn rejects_schemes_that_were_not_offered_or_do_not_fit_the_key() {
    // rsa_pkcs1_sha256, ecdsa_sha1, rsa_pkcs1_sha1 are of TLS 1.2; the last is nobody's.
    let not_offered = [0x0401, 0x0203, 0x0201, 0xffff];
    // Offered, but for Ed25519, RSA and P-384 keys; ours is P-256.
    let unfit = [0x0807, 0x0804, 0x0503];
    for scheme in not_offered.into_iter().chain(unfit) {
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
