//! The appraisal of what a peer sent: formats, collections, passports.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Binding;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::Stale;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Label;
use atls_core::cmw::Type;
use atls_core::ear::Tier;
use atls_core::exchange::RefusalCode;
use atls_core::policy::ClaimsError;
use rustls::SignatureScheme;
use test_support::at;
use test_support::ready;

use crate::ends::NOW;
use crate::ends::Scripted;
use crate::ends::appraise;
use crate::ends::credential;
use crate::ends::device;
use crate::ends::evidence_type;
use crate::ends::result_type;
use crate::ends::token;

#[test]
fn a_good_peer_is_accepted_with_all_that_is_known() {
    let (credential, leaf_key) = credential(&token(b"good"));
    let peer = appraise(device(), credential).unwrap();
    assert_eq!(peer.status(), Tier::Affirming);
    assert_eq!(peer.binding(), Binding::Connection);
    assert_eq!(peer.leaf_key(), leaf_key);
    let scheme = SignatureScheme::ECDSA_NISTP256_SHA256;
    assert_eq!(peer.tls().leaf_scheme(), Ok(scheme));
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
        let peer = appraise(device(), credential).unwrap();
        assert_eq!(peer.claims::<String>(), Err(ClaimsError::Ambiguous));
        let mut all: Vec<&String> = peer.all_claims().collect();
        all.sort();
        assert_eq!(all, ["claims of fine", "claims of good"]);
        assert_eq!(peer.claims::<u8>(), Err(ClaimsError::Absent));
    }
}

#[test]
fn evidence_about_another_connection_or_key_is_refused() {
    let refused = appraise(device(), credential(&token(b"unbound")).0).unwrap_err();
    assert_eq!(refused, Refusal::Appraisal(AppraisalError::NotBound));
    let refused = appraise(device(), credential(&token(b"other key")).0).unwrap_err();
    assert_eq!(refused, Refusal::KeyMismatch);
    assert_eq!(refused.fault(), Fault::Peer);
}

/// A verifier that keeps proofs has a fault of its own: the peer did nothing wrong.
#[test]
fn a_proof_of_another_connection_is_refused() {
    let refused = appraise(device(), credential(&token(b"stashed")).0).unwrap_err();
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
            appraise(device(), credential(&cmw).0).unwrap_err(),
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
        assert_eq!(appraise(device(), credential(&cmw).0).unwrap_err(), refusal);
    }
    let cmw = vec![good(), (Label::from("gpu"), token(b"warning"))];
    let cmw = Cmw::collection(None, cmw).unwrap();
    let refused = appraise(device(), credential(&cmw).0).unwrap_err();
    assert_eq!(refused.status(), Some(Tier::Warning));
    let cmw = Cmw::collection(None, vec![good(), (Label::from("gpu"), token(b"good"))]).unwrap();
    assert_eq!(
        appraise(device(), credential(&cmw).0).unwrap().items()[1].label(),
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
    let refused = appraise(device(), credential(&endorsement()).0).unwrap_err();
    assert_eq!(refused, Refusal::NothingToAppraise);
    let members = vec![
        (Label::Integer(0), endorsement()),
        (Label::Integer(1), token(b"endorsed")),
    ];
    let cmw = Cmw::collection(None, members).unwrap();
    let peer = appraise(device(), credential(&cmw).0).unwrap();
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
        let refused = appraise(device(), credential(&token(word)).0).unwrap_err();
        assert_eq!(refused.fault(), fault);
        assert_eq!(refused, refusal);
        let code = match fault {
            Fault::Peer => RefusalCode::NotAccepted,
            _ => RefusalCode::Unavailable,
        };
        assert_eq!(refused.code(), code);
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
        let refused = appraise(passports(), credential(&present(word)).0).unwrap_err();
        assert_eq!(refused, refusal);
        assert_eq!(refused.fault(), Fault::Peer);
        assert_eq!(refused.code(), RefusalCode::NotAccepted);
    }
    // But keys that could not be fetched are not.
    let refused = appraise(passports(), credential(&present(b"unreachable")).0).unwrap_err();
    assert_eq!(refused.fault(), Fault::Verifier);
}
