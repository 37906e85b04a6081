//! Time, policy and configuration.

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::ConceptualMessage;
use atls_core::ConfigError;
use atls_core::Evidence;
use atls_core::Fault;
use atls_core::Origin;
use atls_core::PolicyViolation;
use atls_core::RecordedAppraisal;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::RelyingPartyBuilder;
use atls_core::StandardPolicy;
use atls_core::cmw::Cmw;
use atls_core::ear::Appraisal;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::Tier;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::Challenge;
use atls_core::exchange::authenticator::Extension;
use atls_core::policy::Candidate;
use test_support::at;

use crate::ends::NOW;
use crate::ends::Scripted;
use crate::ends::appraise;
use crate::ends::credential;
use crate::ends::device;
use crate::ends::evidence_type;
use crate::ends::pair;
use crate::ends::token;
use crate::support::identity;
use crate::support::providers;

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
        let appraised = appraise(device(), credential(&token(word)).0);
        assert_eq!(
            appraised.is_ok(),
            accepted,
            "{}",
            String::from_utf8_lossy(word)
        );
        if let Err(refused) = appraised {
            assert_eq!(refused, Refusal::Expired(Fault::Verifier));
        }
    }
    let peer = appraise(device(), credential(&token(b"exp 100000")).0).unwrap();
    assert_eq!(
        peer.expires_at(),
        at(NOW + 3600),
        "the maximum age bounds a generous issuer"
    );
    let short = device().max_age(Duration::from_secs(5));
    assert_eq!(
        appraise(short, credential(&token(b"good")).0)
            .unwrap()
            .expires_at(),
        at(NOW + 5)
    );
}

#[test]
fn the_standard_policy_wants_affirming_from_a_device() {
    let refused = appraise(device(), credential(&token(b"simulated")).0).unwrap_err();
    assert_eq!(refused, Refusal::Policy(PolicyViolation::Simulated));
    for (word, status) in [
        (&b"warning"[..], Tier::Warning),
        (b"none", Tier::None),
        (b"contraindicated", Tier::Contraindicated),
    ] {
        let refused = appraise(device(), credential(&token(word)).0).unwrap_err();
        assert_eq!(refused.status(), Some(status));
    }
}

#[test]
fn what_loosens_the_standard_policy_loosens_only_that() {
    let warning = || device().standard_policy(StandardPolicy::new().accept_warning());
    assert!(appraise(warning(), credential(&token(b"warning")).0).is_ok());
    for word in [&b"none"[..], b"contraindicated", b"simulated"] {
        assert!(appraise(warning(), credential(&token(word)).0).is_err());
    }
    let simulated = || device().standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    assert!(appraise(simulated(), credential(&token(b"simulated")).0).is_ok());
    for word in [&b"warning"[..], b"none", b"contraindicated", b"unbound"] {
        assert!(appraise(simulated(), credential(&token(word)).0).is_err());
    }
}

#[test]
fn further_policies_only_narrow() {
    let never = |_: &Candidate| Err(PolicyViolation::custom("never"));
    let refused = appraise(device().policy(never), credential(&token(b"good")).0).unwrap_err();
    assert_eq!(refused, Refusal::Policy(PolicyViolation::custom("never")));
    let always = |_: &Candidate| Ok(());
    let refused = appraise(device().policy(always), credential(&token(b"warning")).0).unwrap_err();
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
    let matched = crate::support::matched(to_attest.bound());
    let appraised = Appraised::bound_to_connection(ear.clone(), Origin::Device, matched)
        .with_attested_key(leaf_key.clone())
        .with_claims(SERIAL);
    let recorded = RecordedAppraisal::new(ear, Origin::Device, SERIAL).with_claims(SERIAL);
    printed += &format!("{appraised:?} {recorded:?}");

    let credential = pending.finish(&challenge.answer(&cmw).unwrap()).unwrap();
    printed += &format!("{credential:?}");
    let peer = appraise(device(), credential).unwrap();
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
