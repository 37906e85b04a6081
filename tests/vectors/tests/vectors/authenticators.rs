//! Authenticators.

use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use atls_core::exchange::Pending;
use rustls::crypto::CryptoProvider;
use vectors::Hex;
use vectors::authenticators;
use vectors::authenticators::Answer;
use vectors::authenticators::Case;
use vectors::scenario::Refused;

use crate::ends;
use crate::load;
use crate::reason;

#[test]
fn every_authenticator_verifies_in_both_roles() {
    let page: authenticators::Page = load("authenticators.json");
    for provider in ends::providers() {
        for case in &page.cases {
            let finish = || pending(&provider, case).finish(&case.authenticator);
            match case.answer {
                Answer::Attests => {
                    let credential = finish().unwrap_or_else(|e| panic!("{}: {e}", case.name));
                    let binder = case.binder.as_ref().unwrap();
                    assert_eq!(Hex::from(credential.bound().as_bytes()), *binder);
                    let cmw = credential.cmw().encode().unwrap();
                    assert_eq!(Hex(cmw), *case.cmw.as_ref().unwrap());
                    assert_eq!(credential.selection().is_some(), case.selection.is_some());
                    let held = reason::of_evidence(credential.cmw(), credential.bound());
                    assert_eq!(held, "accepted", "{}", case.name);
                }
                Answer::Declines => {
                    assert_eq!(
                        finish().unwrap_err(),
                        ProtocolError::Declined,
                        "{}",
                        case.name
                    );
                }
                Answer::Plain => {
                    let without = pending(&provider, case);
                    let without = without.finish_without_attestation(&case.authenticator);
                    assert_eq!(without, Ok(()), "{}", case.name);
                    assert_eq!(finish().unwrap_err(), ProtocolError::NoAttestation);
                }
            }
        }
    }
}

/// Ed25519 signs the same message alike each time.
#[test]
fn the_project_makes_the_authenticators_byte_by_byte_where_the_scheme_allows() {
    let page: authenticators::Page = load("authenticators.json");
    let mut made = 0;
    for provider in ends::providers() {
        let same = page
            .cases
            .iter()
            .filter(|case| case.key == "ed25519" && case.name != "two certificates");
        for case in same {
            let (secret, sender) = (&case.exporter_secret, case.sender);
            let end = ends::answerer(&provider, &case.suite, secret, sender, &case.key);
            let challenge = Challenge::receive(&end, &case.request).unwrap();
            let answer = match case.answer {
                Answer::Attests => {
                    challenge.answer(&Cmw::decode(case.cmw.as_ref().unwrap()).unwrap())
                }
                Answer::Declines => challenge.decline(),
                Answer::Plain => challenge.answer_without_attestation(),
            };
            assert_eq!(Hex(answer.unwrap()), case.authenticator, "{}", case.name);
            made += 1;
        }
    }
    assert!(made >= 48, "{made}");
}

/// The recorded signature is not made again, but what the project signs with that key is accepted like it.
#[test]
fn the_project_signs_with_every_key_what_it_accepts() {
    let page: authenticators::Page = load("authenticators.json");
    for provider in ends::providers() {
        for case in page
            .cases
            .iter()
            .filter(|case| case.answer == Answer::Attests)
        {
            let (secret, sender) = (&case.exporter_secret, case.sender);
            let end = ends::answerer(&provider, &case.suite, secret, sender, &case.key);
            let challenge = Challenge::receive(&end, &case.request).unwrap();
            let cmw = Cmw::decode(case.cmw.as_ref().unwrap()).unwrap();
            let answer = challenge.answer(&cmw).unwrap();
            let credential = pending(&provider, case).finish(&answer).unwrap();
            let binder = case.binder.as_ref().unwrap();
            assert_eq!(
                Hex::from(credential.bound().as_bytes()),
                *binder,
                "{}",
                case.name
            );
        }
    }
}

#[test]
fn every_other_authenticator_is_refused_for_its_reason() {
    let page: authenticators::Page = load("authenticators.json");
    refuse_all(&page.refused);
}

pub(crate) fn refuse_all(cases: &[Refused]) {
    assert!(!cases.is_empty());
    for provider in ends::providers() {
        for case in cases {
            let key = case.handshake_key.as_deref();
            let (secret, sender) = (&case.exporter_secret, case.sender);
            let asker = ends::asker(&provider, &case.suite, secret, sender, key);
            let pending = ends::asked(&provider, &asker, &case.request);
            let found = match pending.finish(&case.authenticator) {
                Ok(credential) => reason::of_evidence(credential.cmw(), credential.bound()),
                Err(error) => reason::of_protocol(&error),
            };
            assert_eq!(found, case.reason, "{}", case.name);
        }
    }
}

fn pending(provider: &CryptoProvider, case: &Case) -> Pending {
    let (secret, sender) = (&case.exporter_secret, case.sender);
    let asker = ends::asker(provider, &case.suite, secret, sender, Some(&case.key));
    ends::asked(provider, &asker, &case.request)
}
