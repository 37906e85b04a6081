//! From a valid authenticator to a decision: binding, keys, parameters, verifiers, policy.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Binding;
use atls_core::Bound;
use atls_core::BoxFuture;
use atls_core::Candidate;
use atls_core::ClaimsError;
use atls_core::ConceptualMessage;
use atls_core::ConfigError;
use atls_core::Evidence;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::ProtocolError;
use atls_core::RecordedAppraisal;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::RelyingPartyBuilder;
use atls_core::Stale;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::authenticator::Extension;
use atls_core::cmw::Cmw;
use atls_core::cmw::CmwError;
use atls_core::cmw::Indicator;
use atls_core::cmw::Label;
use atls_core::cmw::Type;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::exchange::Parameters;
use atls_core::exchange::Pending;
use atls_core::exchange::RefusalCode;
use atls_core::exchange::SendError;
use atls_core::exchange::UnsentRequest;
use atls_core::exchange::Verdicts;
use atls_core::pki_types::UnixTime;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use support::Pair;
use support::forge;
use support::forge::Forge;
use support::identity;
use support::providers;
use test_support::at;
use test_support::ready;

const NOW: u64 = 1_000_000;

// --- The exchange ------------------------------------------------------------------------------------------------------

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
                support::authenticate_client(client, server, &of_tls);
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
        let context = atls_core::authenticator::context(opening.as_bytes());
        let kind = if side == Side::Client { 13 } else { 17 };
        let extensions = [(13, &[0, 2, 4, 3][..]), (CMW_ATTESTATION, b"")];
        let mirrored = forge::request(kind, context.unwrap().unwrap(), &extensions);
        assert!(Challenge::receive(ours, &mirrored).is_ok());
        let refused = opening.on(ours).unwrap_err();
        assert_eq!(refused, ProtocolError::ContextSpent);
        assert_eq!(refused.fault(), Fault::Peer);
    }
}

#[test]
fn what_is_no_cmw_is_refused() {
    let cmw = token(b"").encode().unwrap();
    for (data, error) in [
        (Vec::new(), ProtocolError::Malformed),
        (vec![0, 0], ProtocolError::Malformed),
        (cmw.clone(), ProtocolError::Malformed),
        (
            [forge::vec16(&cmw), vec![0]].concat(),
            ProtocolError::Malformed,
        ),
        (
            forge::vec16(&[&cmw[..], &[0]].concat()),
            ProtocolError::Cmw(CmwError::Malformed),
        ),
        (forge::vec16(b"{}"), ProtocolError::Cmw(CmwError::Empty)),
        (
            forge::vec16(&[0x81; 60_000]),
            ProtocolError::Cmw(CmwError::Malformed),
        ),
    ] {
        let case = Case::new(None);
        let certificate = case.forge.certificate(&[(CMW_ATTESTATION, &data)]);
        assert_eq!(
            case.pending
                .finish(&case.forge.seal(&certificate))
                .unwrap_err(),
            error
        );
    }
}

#[test]
fn an_offer_of_attestation_is_empty() {
    let provider = &providers()[0];
    let pair = pair(provider, &identity(provider));
    let schemes = (13, &[0, 2, 4, 3][..]);
    let offering = forge::request(17, b"a", &[schemes, (CMW_ATTESTATION, b"")]);
    assert!(
        Challenge::receive(&pair.server, &offering)
            .unwrap()
            .to_attest()
            .is_some()
    );
    let filled = forge::request(17, b"b", &[schemes, (CMW_ATTESTATION, b"x")]);
    assert_eq!(
        Challenge::receive(&pair.server, &filled).unwrap_err(),
        ProtocolError::Malformed
    );
    // A peer that does not know the extension gets none, and nothing is attested to it.
    let plain = forge::request(17, b"c", &[schemes]);
    let challenge = Challenge::receive(&pair.server, &plain).unwrap();
    assert!(challenge.to_attest().is_none());
    let refused = challenge.answer(&token(b"")).unwrap_err();
    let expected = SendError::Extension(CMW_ATTESTATION);
    assert_eq!(refused, ProtocolError::Sending(expected));
}

#[test]
fn parameters_are_selected_of_what_was_offered() {
    let offered = Parameters::client(vec![evidence_type()], true, CanAttest::No);
    let case = Case::new(Some(&offered));
    let challenge = Challenge::receive(&case.pair.server, &case.forge.request).unwrap();
    assert_eq!(challenge.parameters(), Some(&offered));
    let authenticator = challenge.answer(&token(b"")).unwrap();
    let credential = case.pending.finish(&authenticator).unwrap();
    assert_eq!(credential.selection().unwrap().verdicts, Verdicts::Yes);
    // Without an offer there is no selection, and a selection is an error.
    let case = Case::new(None);
    let data = forge::vec16(&token(b"").encode().unwrap());
    let extensions = [
        (CMW_ATTESTATION, &data[..]),
        (ATTESTATION_PARAMETERS, &[0xa0][..]),
    ];
    let certificate = case.forge.certificate(&extensions);
    let refused = case
        .pending
        .finish(&case.forge.seal(&certificate))
        .unwrap_err();
    assert_eq!(
        refused,
        ProtocolError::UnsolicitedExtension(ATTESTATION_PARAMETERS)
    );
}

#[test]
fn a_malformed_selection_is_refused() {
    let offered = Parameters::client(vec![evidence_type()], true, CanAttest::No);
    let data = forge::vec16(&token(b"").encode().unwrap());
    for selection in [
        &b""[..],
        &[0xa0],
        &[0xa2, 1, 1, 4, 1],
        &[0xa2, 1, 2, 4, 0xf5],
        &[0xa2, 1, 1, 4, 0xf5, 0],
    ] {
        let case = Case::new(Some(&offered));
        let extensions = [
            (CMW_ATTESTATION, &data[..]),
            (ATTESTATION_PARAMETERS, selection),
        ];
        let certificate = case.forge.certificate(&extensions);
        let refused = case
            .pending
            .finish(&case.forge.seal(&certificate))
            .unwrap_err();
        let expected = [
            ProtocolError::Malformed,
            ProtocolError::UnsupportedParameters,
        ];
        assert!(expected.contains(&refused), "{selection:?}: {refused}");
    }
}

#[test]
fn a_format_that_the_peer_does_not_appraise_is_not_sent() {
    let offered = Parameters::client(vec!["other/type".parse().unwrap()], true, CanAttest::No);
    let case = Case::new(Some(&offered));
    let challenge = Challenge::receive(&case.pair.server, &case.forge.request).unwrap();
    let refused = challenge.answer(&token(b"")).unwrap_err();
    assert_eq!(refused, ProtocolError::Sending(SendError::Format));
}

#[test]
fn an_end_without_key_cannot_be_challenged() {
    let provider = &providers()[0];
    let pair = Pair::new(provider.clone(), &identity(provider), None);
    let (request, pending) = atls_core::exchange::request(&pair.server, provider, None).unwrap();
    let challenge = Challenge::receive(&pair.client, &request).unwrap();
    assert!(challenge.to_attest().is_none());
    assert_eq!(
        pending.finish(&challenge.decline().unwrap()).unwrap_err(),
        ProtocolError::Declined
    );
}

// --- The decision ------------------------------------------------------------------------------------------------------

#[test]
fn a_good_peer_is_accepted_with_all_that_is_known() {
    let (credential, leaf_key) = credential(&token(b"good"));
    let peer = decide(device(), credential).unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert_eq!(peer.binding(), Binding::Connection);
    assert_eq!(peer.leaf_key(), leaf_key);
    assert_eq!(peer.items().len(), 1);
    assert_eq!(peer.items()[0].media_type(), &evidence_type());
    assert_eq!(peer.claims(), Ok(&"claims of good".to_owned()));
    assert_eq!(peer.claims::<u8>(), Err(ClaimsError::Absent));
    assert_eq!(
        (peer.appraised_at(), peer.expires_at()),
        (at(NOW), at(NOW + 3600))
    );
    assert!(!peer.is_expired(at(NOW + 3599)) && peer.is_expired(at(NOW + 3600)));
}

/// The peer chooses how many items it sends, and their order.
#[test]
fn claims_of_several_items_do_not_stand_for_one_another() {
    for [one, two] in [["good", "fine"], ["fine", "good"]] {
        let items = vec![
            ("a".into(), token(one.as_bytes())),
            ("b".into(), token(two.as_bytes())),
        ];
        let (credential, _) = credential(&Cmw::collection(None, items).unwrap());
        let peer = decide(device(), credential).unwrap();
        assert_eq!(peer.claims::<String>(), Err(ClaimsError::Ambiguous));
        let mut all: Vec<&String> = peer.all_claims().collect();
        all.sort();
        assert_eq!(all, ["claims of fine", "claims of good"]);
        assert_eq!(peer.claims::<u8>(), Err(ClaimsError::Absent));
    }
}

#[test]
fn evidence_about_another_connection_or_key_is_refused() {
    let refused = decide(device(), credential(&token(b"unbound")).0).unwrap_err();
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::NotBound));
    let refused = decide(device(), credential(&token(b"other key")).0).unwrap_err();
    assert_eq!(refused, Refusal::KeyMismatch);
    assert_eq!(refused.fault(), Fault::Peer);
}

/// A verifier that keeps proofs has a fault of its own: the peer did nothing wrong.
#[test]
fn a_proof_of_another_connection_is_refused() {
    let refused = decide(device(), credential(&token(b"stashed")).0).unwrap_err();
    assert_eq!(refused.fault(), Fault::Local);
    assert_eq!(refused.code(), RefusalCode::Unavailable);
}

#[test]
fn only_formats_with_a_verifier_are_accepted() {
    for cmw in [
        Cmw::evidence("other/type".parse().unwrap(), b"good".to_vec()),
        Cmw::evidence(
            "test/evidence; profile=other".parse().unwrap(),
            b"good".to_vec(),
        ),
        Cmw::record(Type::ContentFormat(263), b"good".to_vec(), None),
        Cmw::tag(60_000, b"good".to_vec()),
    ] {
        assert_eq!(
            decide(device(), credential(&cmw).0).unwrap_err(),
            Refusal::NoVerifier
        );
    }
}

#[test]
fn results_are_not_evidence_and_evidence_is_no_result() {
    let labelled = |media_type: MediaType, bits| {
        let indicator = Some(Indicator::from_bits(bits).unwrap());
        credential(&Cmw::record(
            Type::Media(media_type),
            b"good".to_vec(),
            indicator,
        ))
        .0
    };
    let with_passports = device().verifier(Arc::new(Scripted::passports()));
    let party = with_passports.build().unwrap();
    for (media_type, bits) in [
        (evidence_type(), 8),
        (evidence_type(), 12),
        (evidence_type(), 6),
        (result_type(), 4),
        (result_type(), 16),
    ] {
        let refused = ready(party.appraise(labelled(media_type, bits), at(NOW))).unwrap_err();
        assert_eq!(refused, Refusal::WrongLabel, "{bits}");
    }
    assert!(ready(party.appraise(labelled(evidence_type(), 4), at(NOW))).is_ok());
    assert!(ready(party.appraise(labelled(result_type(), 8), at(NOW))).is_ok());
}

#[test]
fn a_collection_is_as_good_as_its_worst_member() {
    let good = || (Label::from("cpu"), token(b"good"));
    for (other, refusal) in [
        (
            token(b"unbound"),
            Refusal::Appraisal(AppraisalError::NotBound),
        ),
        (token(b"other key"), Refusal::KeyMismatch),
        (
            token(b"simulated"),
            Refusal::Policy(PolicyViolation::Simulated),
        ),
        (Cmw::tag(60_000, Vec::new()), Refusal::NoVerifier),
    ] {
        let cmw = Cmw::collection(None, vec![good(), (Label::from("gpu"), other)]).unwrap();
        assert_eq!(decide(device(), credential(&cmw).0).unwrap_err(), refusal);
    }
    let cmw = vec![good(), (Label::from("gpu"), token(b"warning"))];
    let cmw = Cmw::collection(None, cmw).unwrap();
    let refused = decide(device(), credential(&cmw).0).unwrap_err();
    assert_eq!(refused.status(), Some(Tier::Warning));
    let cmw = Cmw::collection(None, vec![good(), (Label::from("gpu"), token(b"good"))]).unwrap();
    assert_eq!(
        decide(device(), credential(&cmw).0).unwrap().items()[1].label(),
        "gpu"
    );
}

#[test]
fn endorsements_alone_attest_nothing() {
    let endorsement = || {
        Cmw::record(
            Type::Media(evidence_type()),
            b"good".to_vec(),
            Some(Indicator::ENDORSEMENTS),
        )
    };
    let refused = decide(device(), credential(&endorsement()).0).unwrap_err();
    assert_eq!(refused, Refusal::NothingToAppraise);
    let members = vec![
        (Label::Integer(0), endorsement()),
        (Label::Integer(1), token(b"endorsed")),
    ];
    let cmw = Cmw::collection(None, members).unwrap();
    let peer = decide(device(), credential(&cmw).0).unwrap();
    assert_eq!(
        peer.items().len(),
        1,
        "an endorsement is no item of its own"
    );
}

#[test]
fn a_verifier_that_fails_refuses_and_says_whose_fault_it_was() {
    for (word, refusal, fault) in [
        (
            &b"unreachable"[..],
            Refusal::Appraisal(AppraisalError::Unreachable),
            Fault::Verifier,
        ),
        (
            b"stale",
            Refusal::Appraisal(AppraisalError::StaleCollateral(Stale::undated("list"))),
            Fault::Verifier,
        ),
        (
            b"timeless",
            Refusal::Appraisal(AppraisalError::Local("no time")),
            Fault::Local,
        ),
        (
            b"malformed",
            Refusal::Appraisal(AppraisalError::Malformed),
            Fault::Peer,
        ),
        (
            b"expired",
            Refusal::Appraisal(AppraisalError::Expired),
            Fault::Peer,
        ),
        (
            b"bad result",
            Refusal::BadResult(Fault::Verifier),
            Fault::Verifier,
        ),
        (
            b"old result",
            Refusal::Expired(Fault::Verifier),
            Fault::Verifier,
        ),
    ] {
        let refused = decide(device(), credential(&token(word)).0).unwrap_err();
        assert_eq!(refused.fault(), fault);
        assert_eq!(refused, refusal);
        let told = match fault {
            Fault::Peer => RefusalCode::NotAccepted,
            _ => RefusalCode::Unavailable,
        };
        assert_eq!(refused.code(), told);
    }
}

#[test]
fn a_passport_that_cannot_be_used_is_the_fault_of_who_presents_it() {
    let passports = || RelyingParty::builder().verifier(Arc::new(Scripted::passports()));
    let present = |word: &[u8]| Cmw::attestation_results(result_type(), word.to_vec());
    for (word, refusal) in [
        (&b"bad result"[..], Refusal::BadResult(Fault::Peer)),
        (b"old result", Refusal::Expired(Fault::Peer)),
        (b"exp -1", Refusal::Expired(Fault::Peer)),
        (b"iat 61", Refusal::Expired(Fault::Peer)),
    ] {
        let refused = decide(passports(), credential(&present(word)).0).unwrap_err();
        assert_eq!(refused, refusal);
        assert_eq!(refused.fault(), Fault::Peer);
        assert_eq!(refused.code(), RefusalCode::NotAccepted);
    }
    // But keys that could not be fetched are not.
    let refused = decide(passports(), credential(&present(b"unreachable")).0).unwrap_err();
    assert_eq!(refused.fault(), Fault::Verifier);
}

#[test]
fn what_is_wrong_with_a_result_is_not_said_of_the_evidence() {
    for error in [
        EarError::Algorithm,
        EarError::BadSignature,
        EarError::Issuer,
        EarError::Malformed,
        EarError::MissingSubmod,
        EarError::Nonce,
        EarError::Profile,
        EarError::TooLarge,
        EarError::UnknownKey,
    ] {
        assert_eq!(AppraisalError::from(error), AppraisalError::BadResult);
    }
    for error in [EarError::Expired, EarError::Future] {
        assert_eq!(AppraisalError::from(error), AppraisalError::ResultExpired);
    }
}

#[test]
fn results_out_of_time_are_refused() {
    for (word, accepted) in [
        (&b"iat -3599"[..], true),
        (b"iat -3600", false),
        (b"iat 60", true),
        (b"iat 61", false),
        (b"exp 1", true),
        (b"exp 0", false),
        (b"exp -1", false),
    ] {
        let decided = decide(device(), credential(&token(word)).0);
        assert_eq!(
            decided.is_ok(),
            accepted,
            "{}",
            String::from_utf8_lossy(word)
        );
        if let Err(refused) = decided {
            assert_eq!(refused, Refusal::Expired(Fault::Verifier));
        }
    }
    let peer = decide(device(), credential(&token(b"exp 100000")).0).unwrap();
    assert_eq!(
        peer.expires_at(),
        at(NOW + 3600),
        "the maximum age bounds a generous issuer"
    );
    let short = device().max_age(Duration::from_secs(5));
    assert_eq!(
        decide(short, credential(&token(b"good")).0)
            .unwrap()
            .expires_at(),
        at(NOW + 5)
    );
}

#[test]
fn the_standard_policy_wants_affirming_from_a_device() {
    let refused = decide(device(), credential(&token(b"simulated")).0).unwrap_err();
    assert_eq!(refused, Refusal::Policy(PolicyViolation::Simulated));
    for (word, status) in [
        (&b"warning"[..], Tier::Warning),
        (b"none", Tier::None),
        (b"contraindicated", Tier::Contraindicated),
    ] {
        let refused = decide(device(), credential(&token(word)).0).unwrap_err();
        assert_eq!(refused.status(), Some(status));
    }
}

#[test]
fn what_loosens_the_standard_policy_loosens_only_that() {
    let warning = || device().standard_policy(StandardPolicy::new().accept_warning());
    assert!(decide(warning(), credential(&token(b"warning")).0).is_ok());
    for word in [&b"none"[..], b"contraindicated", b"simulated"] {
        assert!(decide(warning(), credential(&token(word)).0).is_err());
    }
    let simulated = || device().standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    assert!(decide(simulated(), credential(&token(b"simulated")).0).is_ok());
    for word in [&b"warning"[..], b"none", b"contraindicated", b"unbound"] {
        assert!(decide(simulated(), credential(&token(word)).0).is_err());
    }
}

#[test]
fn further_policies_only_narrow() {
    let never = |_: &Candidate| Err(PolicyViolation::custom("never"));
    let refused = decide(device().policy(never), credential(&token(b"good")).0).unwrap_err();
    assert_eq!(refused, Refusal::Policy(PolicyViolation::custom("never")));
    let always = |_: &Candidate| Ok(());
    let refused = decide(device().policy(always), credential(&token(b"warning")).0).unwrap_err();
    assert_eq!(refused.status(), Some(Tier::Warning));
}

#[test]
fn configurations_that_could_not_work_are_refused() {
    let builder = RelyingParty::builder;
    let refused = |builder: RelyingPartyBuilder| builder.build().unwrap_err();
    assert_eq!(refused(builder()), ConfigError::NoVerifier);
    let twice = device().verifier(Arc::new(Scripted::evidence()));
    assert_eq!(
        refused(twice),
        ConfigError::AmbiguousVerifier(evidence_type())
    );
    let idle = Scripted {
        media_types: Vec::new(),
        conceptual_message: ConceptualMessage::Evidence,
    };
    assert_eq!(
        refused(builder().verifier(Arc::new(idle))),
        ConfigError::IdleVerifier
    );
    assert_eq!(
        refused(device().max_age(Duration::from_millis(999))),
        ConfigError::NoMaxAge
    );
}

// --- What is printed -------------------------------------------------------------------------------------------------

#[test]
fn evidence_and_identifiers_are_not_printed() {
    const SERIAL: &str = "device serial 4711";
    let provider = &providers()[0];
    let pair = pair(provider, &identity(provider));
    let part = Appraisal::new(TrustVector::new()).with_extension("serial", SERIAL.into());
    let ear = Ear::local(VerifierId::new("test", "1"), at(NOW), "device", part);

    let (request, pending) = atls_core::exchange::request(&pair.client, provider, None).unwrap();
    let challenge = Challenge::receive(&pair.server, &request).unwrap();
    let to_attest = challenge.to_attest().unwrap();
    let leaf_key = to_attest.leaf_key().to_vec();
    let mut printed = format!("{pending:?} {challenge:?} {to_attest:?}");
    printed += &format!("{:?} {ear:?}", to_attest.to_owned());

    let words = format!("good {SERIAL}");
    let cmw = Cmw::collection(None, vec![(SERIAL.into(), token(words.as_bytes()))]).unwrap();
    printed += &format!("{cmw:?} {:?}", cmw.items());
    let extension = Extension {
        code: CMW_ATTESTATION,
        data: SERIAL.as_bytes().to_vec(),
    };
    let (media_type, bytes) = (evidence_type(), words.as_bytes());
    let evidence = Evidence::new(&media_type, bytes, to_attest.bound());
    printed += &format!("{extension:?} {evidence:?}");
    let matched = support::matched(to_attest.bound());
    let appraised = Appraised::bound_to_connection(ear.clone(), Origin::Device, matched)
        .with_attested_key(leaf_key.clone())
        .with_claims(SERIAL);
    let recorded = RecordedAppraisal::new(ear, Origin::Device, SERIAL).with_claims(SERIAL);
    printed += &format!("{appraised:?} {recorded:?}");

    let credential = pending.finish(&challenge.answer(&cmw).unwrap()).unwrap();
    printed += &format!("{credential:?}");
    let peer = decide(device(), credential).unwrap();
    printed += &format!("{peer:?} {:?}", *peer);

    let decimal = |bytes: &[u8]| format!("{bytes:?}").trim_matches(['[', ']']).to_owned();
    let hex = |bytes: &[u8]| bytes.iter().map(|o| format!("{o:02x}")).collect::<String>();
    let key = &leaf_key[leaf_key.len() - 16..];
    for secret in [
        SERIAL.to_owned(),
        decimal(SERIAL.as_bytes()),
        hex(SERIAL.as_bytes()),
        decimal(key),
        hex(key),
    ] {
        assert!(
            !printed.to_lowercase().contains(&secret),
            "{secret} in {printed}"
        );
    }
}

// --- Helpers -------------------------------------------------------------------------------------------------------------

/// A verifier that does as the Evidence says, so that each test can say what is found.
struct Scripted {
    media_types: Vec<MediaType>,
    conceptual_message: ConceptualMessage,
}

impl Scripted {
    fn evidence() -> Self {
        Self {
            media_types: vec![evidence_type()],
            conceptual_message: ConceptualMessage::Evidence,
        }
    }

    fn passports() -> Self {
        Self {
            media_types: vec![result_type()],
            conceptual_message: ConceptualMessage::AttestationResults,
        }
    }

    fn act(evidence: &Evidence<'_>, now: UnixTime) -> Result<Appraised, AppraisalError> {
        let word = std::str::from_utf8(evidence.bytes()).unwrap();
        let (word, number) = word.split_once(' ').unwrap_or((word, ""));
        let seconds = || {
            now.as_secs()
                .checked_add_signed(number.parse().unwrap())
                .unwrap()
        };
        let claim = match word {
            "warning" => 32,
            "none" => 0,
            "contraindicated" => 99,
            _ => 2,
        };
        let vector = TrustVector::new().with(Category::Hardware, TrustClaim::new(claim));
        let issued_at = if word == "iat" { at(seconds()) } else { now };
        let mut ear = Ear::local(
            VerifierId::new("test", "1"),
            issued_at,
            "device",
            Appraisal::new(vector),
        );
        if word == "exp" {
            ear = ear.with_expiry(at(seconds()));
        }
        let origin = if word == "simulated" {
            Origin::Simulated
        } else {
            Origin::Device
        };
        let matched = match word {
            "stashed" => support::matched(&another()),
            _ => support::matched(evidence.bound()),
        };
        let appraised = Appraised::bound_to_connection(ear, origin, matched)
            .with_claims(format!("claims of {word}"));
        match word {
            "unbound" => Err(AppraisalError::NotBound),
            "unreachable" => Err(AppraisalError::Unreachable),
            "bad" => Err(AppraisalError::BadResult),
            "old" => Err(AppraisalError::ResultExpired),
            "expired" => Err(AppraisalError::Expired),
            "stale" => Err(AppraisalError::StaleCollateral(Stale::undated("list"))),
            "timeless" => Err(AppraisalError::Local("no time")),
            "malformed" => Err(AppraisalError::Malformed),
            "endorsed" => {
                assert_eq!(evidence.endorsements().len(), 1);
                Ok(appraised)
            }
            "other" => Ok(appraised.with_attested_key(b"another key".to_vec())),
            _ => Ok(appraised),
        }
    }
}

impl Verifier for Scripted {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn conceptual_message(&self) -> ConceptualMessage {
        self.conceptual_message
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move { Self::act(evidence, now) })
    }
}

/// The value of a key that is nobody's here.
fn another() -> Bound {
    let request = OwnedAttestRequest::for_key(&*identity(&providers()[0]).key).unwrap();
    request.as_request().bound().clone()
}

fn evidence_type() -> MediaType {
    "test/evidence".parse().unwrap()
}

fn result_type() -> MediaType {
    "test/result".parse().unwrap()
}

fn token(word: &[u8]) -> Cmw {
    Cmw::evidence(evidence_type(), word.to_vec())
}

/// A relying party with the standard policy.
fn device() -> RelyingPartyBuilder {
    RelyingParty::builder().verifier(Arc::new(Scripted::evidence()))
}

fn decide(party: RelyingPartyBuilder, credential: Credential) -> Result<PeerAttestation, Refusal> {
    ready(party.build().unwrap().appraise(credential, at(NOW)))
}

/// What a server that sent this CMW is credited with, and its key.
fn credential(cmw: &Cmw) -> (Credential, Vec<u8>) {
    let case = Case::new(None);
    let authenticator = attesting(&case.forge, cmw);
    let credential = case.pending.finish(&authenticator).unwrap();
    let leaf_key = credential.leaf_key().to_vec();
    (credential, leaf_key)
}

fn attesting(forge: &Forge, cmw: &Cmw) -> Vec<u8> {
    let data = forge::vec16(&cmw.encode().unwrap());
    forge.seal(&forge.certificate(&[(CMW_ATTESTATION, &data)]))
}

/// A client that asks, and what forges the server's answer.
struct Case {
    pending: Pending,
    forge: Forge,
    pair: Arc<Pair>,
    server: Arc<CertifiedKey>,
}

impl Case {
    fn new(parameters: Option<&Parameters>) -> Self {
        let provider = providers()[0].clone();
        let server = identity(&provider);
        Self::over(Arc::new(pair(&provider, &server)), server, parameters)
    }

    fn over(pair: Arc<Pair>, server: Arc<CertifiedKey>, parameters: Option<&Parameters>) -> Self {
        let (request, pending) =
            atls_core::exchange::request(&pair.client, &providers()[0], parameters).unwrap();
        let forge = Forge::new(&pair.server, Side::Server, &server, &request);
        Self {
            pending,
            forge,
            pair,
            server,
        }
    }

    fn again(&self, parameters: Option<&Parameters>) -> Self {
        Self::over(self.pair.clone(), self.server.clone(), parameters)
    }

    /// The errors of both ways to finish, given this Certificate under the context of two further requests.
    fn finished(
        &self,
        certificate: &[u8],
        parameters: Option<&Parameters>,
    ) -> [Option<ProtocolError>; 2] {
        let seal = |case: &Self| {
            let certificate = replace_context(certificate, &self.forge, &case.forge);
            case.forge.seal(&certificate)
        };
        let (attesting, plain) = (self.again(parameters), self.again(parameters));
        let (first, second) = (seal(&attesting), seal(&plain));
        [
            attesting.pending.finish(&first).err(),
            plain.pending.finish_without_attestation(&second).err(),
        ]
    }
}

fn replace_context(certificate: &[u8], from: &Forge, to: &Forge) -> Vec<u8> {
    let mut replaced = certificate.to_vec();
    assert_eq!(&replaced[5..37], from.context());
    replaced[5..37].copy_from_slice(&to.context());
    replaced
}

fn pair(provider: &CryptoProvider, server: &Arc<CertifiedKey>) -> Pair {
    Pair::new(provider.clone(), server, Some(identity(provider)))
}

fn ends(pair: &Pair) -> [(&dyn Session, &dyn Session); 2] {
    [(&pair.client, &pair.server), (&pair.server, &pair.client)]
}
