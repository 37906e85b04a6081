//! The bound value and the key under which a peer answers.

use atls_core::Fault;
use atls_core::ProtocolError;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_core::exchange::UnsentRequest;
use atls_core::session::Session;
use atls_core::session::Side;

use crate::ends::Case;
use crate::ends::attesting;
use crate::ends::evidence_type;
use crate::ends::pair;
use crate::ends::token;
use crate::support::Pair;
use crate::support::forge;
use crate::support::identity;
use crate::support::providers;

#[test]
fn both_ends_derive_the_same_bound_and_no_two_connections_do() {
    for provider in providers() {
        let server = identity(&provider);
        let mut seen = Vec::new();
        for _ in 0..2 {
            let pair = pair(&provider, &server);
            for (asker, answerer) in ends(&pair) {
                let (request, pending) =
                    atls_core::exchange::request(asker, &provider, None).unwrap();
                let challenge = Challenge::receive(answerer, &request).unwrap();
                let bound = challenge.to_attest().unwrap().bound().as_bytes().to_vec();
                let authenticator = challenge.answer(&token(b"")).unwrap();
                let credential = pending.finish(&authenticator).unwrap();
                assert_eq!(credential.bound().as_bytes(), bound);
                assert_eq!(bound.len(), 48);
                assert!(!seen.contains(&bound));
                seen.push(bound);
            }
        }
    }
}

#[test]
fn an_authenticator_under_another_key_than_that_of_tls_is_refused() {
    let case = Case::new(None);
    let mut forge = case.forge;
    forge.identity = identity(&providers()[0]);
    let authenticator = attesting(&forge, &token(b""));
    assert_eq!(
        case.pending.finish(&authenticator).unwrap_err(),
        ProtocolError::KeyMismatch
    );
}

#[test]
fn a_client_without_certificate_answers_with_a_key_of_its_own() {
    let provider = &providers()[0];
    let own = identity(provider);
    let pair = Pair::new(provider.clone(), &identity(provider), Some(own.clone()));
    let (request, pending) = atls_core::exchange::request(&pair.server, provider, None).unwrap();
    let challenge = Challenge::receive(&pair.client, &request).unwrap();
    let leaf_key = challenge.to_attest().unwrap().leaf_key().to_vec();
    let credential = pending
        .finish(&challenge.answer(&token(b"")).unwrap())
        .unwrap();
    assert_eq!(credential.leaf_key(), leaf_key);
}

#[test]
fn an_answer_without_attestation_is_not_one() {
    let case = Case::new(None);
    let authenticator = case.forge.seal(&case.forge.certificate(&[]));
    assert_eq!(
        case.pending.finish(&authenticator).unwrap_err(),
        ProtocolError::NoAttestation
    );
    let case = Case::new(None);
    let authenticator = case.forge.seal(&case.forge.certificate(&[]));
    assert_eq!(
        case.pending.finish_without_attestation(&authenticator),
        Ok(())
    );
}

#[test]
fn attestation_stands_in_the_first_entry_only() {
    let case = Case::new(None);
    let leaf = case.forge.identity.cert[0].to_vec();
    let data = forge::vec16(&token(b"").encode().unwrap());
    let second = (leaf.clone(), vec![(CMW_ATTESTATION, &data[..])]);
    for first in [Vec::new(), vec![(CMW_ATTESTATION, &data[..])]] {
        let entries = [(leaf.clone(), first), second.clone()];
        let certificate = forge::certificate(&case.forge.context(), &entries);
        let expected = ProtocolError::UnsolicitedExtension(CMW_ATTESTATION);
        for refused in case.finished(&certificate, None) {
            assert_eq!(refused, Some(expected.clone()));
        }
    }
}

#[test]
fn a_selection_stands_in_the_first_entry_only() {
    let offered = Parameters::client(vec![evidence_type()], true, CanAttest::No);
    let case = Case::new(Some(&offered));
    let leaf = case.forge.identity.cert[0].to_vec();
    let data = forge::vec16(&token(b"").encode().unwrap());
    let attestation = (CMW_ATTESTATION, &data[..]);
    let selection = (ATTESTATION_PARAMETERS, &[0xa2, 1, 1, 4, 0xf5][..]);
    let certificate = |first: &[(u16, &'static [u8])], second: &[(u16, &'static [u8])]| {
        let first = [&[attestation][..], first].concat();
        let entries = [(leaf.clone(), first), (leaf.clone(), second.to_vec())];
        forge::certificate(&case.forge.context(), &entries)
    };
    let good = certificate(&[selection], &[]);
    assert_eq!(case.finished(&good, Some(&offered)), [None, None]);
    let junk = (ATTESTATION_PARAMETERS, &b"junk"[..]);
    for (first, second) in [(&[][..], selection), (&[], junk), (&[selection], selection)] {
        let refused = case.finished(&certificate(first, &[second]), Some(&offered));
        let expected = ProtocolError::UnsolicitedExtension(ATTESTATION_PARAMETERS);
        assert_eq!(refused, [Some(expected.clone()), Some(expected)]);
    }
    let refused = case.finished(&certificate(&[junk], &[]), Some(&offered));
    assert_eq!(refused, [(); 2].map(|()| Some(ProtocolError::Malformed)));
}

#[test]
fn an_answer_that_need_not_attest_must_still_be_one_of_this_connection() {
    let finish = |answer: &dyn Fn(&mut Case) -> Vec<u8>| {
        let mut case = Case::new(None);
        let authenticator = answer(&mut case);
        case.pending.finish_without_attestation(&authenticator)
    };
    let plain = |case: &Case| case.forge.seal(&case.forge.certificate(&[]));
    let empty = |case: &Case| {
        let absent = forge::certificate(&case.forge.context(), &[]);
        forge::message(20, &case.forge.mac(&[&absent]))
    };
    assert_eq!(finish(&|case| plain(case)), Ok(()));
    assert_eq!(finish(&|case| empty(case)), Ok(()));
    let flipped = |mut authenticator: Vec<u8>| {
        *authenticator.last_mut().unwrap() ^= 1;
        authenticator
    };
    let refused = Err(ProtocolError::BadFinished);
    assert_eq!(finish(&|case| flipped(plain(case))), refused);
    assert_eq!(finish(&|case| flipped(empty(case))), refused);
    let elsewhere = |_: &mut Case| plain(&Case::new(None));
    let refused = Err(ProtocolError::ContextMismatch);
    assert_eq!(finish(&elsewhere), refused);
    let refused = Err(ProtocolError::BadFinished);
    assert_eq!(finish(&|_| empty(&Case::new(None))), refused);
    let other_key = |case: &mut Case| {
        case.forge.identity = identity(&providers()[0]);
        plain(case)
    };
    assert_eq!(finish(&other_key), Err(ProtocolError::KeyMismatch));
    let unasked = |case: &mut Case| case.forge.seal(&case.forge.certificate(&[(5, b"x")]));
    let refused = Err(ProtocolError::UnsolicitedExtension(5));
    assert_eq!(finish(&unasked), refused);
    let refused = Err(ProtocolError::Malformed);
    assert_eq!(finish(&|_| Vec::new()), refused);
}

#[test]
fn a_client_that_sent_a_certificate_answers_with_its_key() {
    let provider = &providers()[0];
    let (server, of_tls) = (identity(provider), identity(provider));
    for (identity, accepted) in [(of_tls.clone(), true), (identity(provider), false)] {
        let pair = Pair::with(
            provider.clone(),
            &server,
            Some(identity),
            |client, server| {
                crate::support::authenticate_client(client, server, &of_tls);
            },
        );
        assert_eq!(pair.server.handshake().peer_chain(), of_tls.cert);
        for attests in [true, false] {
            let (request, pending) =
                atls_core::exchange::request(&pair.server, provider, None).unwrap();
            let challenge = Challenge::receive(&pair.client, &request).unwrap();
            let authenticator = challenge.answer(&token(b"")).unwrap();
            let finished = if attests {
                pending.finish(&authenticator).map(drop)
            } else {
                pending.finish_without_attestation(&authenticator)
            };
            let expected = if accepted {
                Ok(())
            } else {
                Err(ProtocolError::KeyMismatch)
            };
            assert_eq!(finished, expected);
        }
    }
}

#[test]
fn an_opening_is_for_one_side_and_an_unused_context() {
    let provider = &providers()[0];
    let pair = pair(provider, &identity(provider));
    for (side, ours, other) in [
        (Side::Client, ends(&pair)[0].0, ends(&pair)[1].0),
        (Side::Server, ends(&pair)[1].0, ends(&pair)[0].0),
    ] {
        let opening = || UnsentRequest::new(side, provider, None).unwrap();
        assert!(opening().on(ours).is_ok());
        let refused = opening().on(other).unwrap_err();
        assert_eq!(refused, ProtocolError::WrongSide);
        // The peer, who has the bytes already, asks under our context before we are on the connection.
        let opening = opening();
        let context = atls_core::exchange::authenticator::context(opening.as_bytes());
        let kind = if side == Side::Client { 13 } else { 17 };
        let extensions = [(13, &[0, 2, 4, 3][..]), (CMW_ATTESTATION, b"")];
        let mirrored = forge::request(kind, context.unwrap().unwrap(), &extensions);
        assert!(Challenge::receive(ours, &mirrored).is_ok());
        let refused = opening.on(ours).unwrap_err();
        assert_eq!(refused, ProtocolError::ContextSpent);
        assert_eq!(refused.fault(), Fault::Peer);
    }
}

fn ends(pair: &Pair) -> [(&dyn Session, &dyn Session); 2] {
    [(&pair.client, &pair.server), (&pair.server, &pair.client)]
}
