//! The attester over a forged configfs-tsm: what it asks for, what it passes on, and what it refuses.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use atls_cca::CcaAttester;
use atls_cca::testing::ForgedCca;
use atls_core::AttestError;
use atls_core::LocalAttester;
use atls_formats::psa::CCA_TOKEN;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::CcaToken;
use atls_formats::psa::realm_challenge;
use atls_tsm::Attribute;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use test_support::Connection;

#[test]
fn the_token_carries_the_challenge_of_the_connection_whole() {
    for connection in [Connection::new(), Connection::sha384()] {
        let mut attester = ForgedCca::new().attester();
        assert_eq!(attester.media_types()[0].to_string(), CCA_TOKEN);
        assert!(!attester.names_leaf_key());
        let token = CcaToken::decode(&connection.evidence(&mut attester)).unwrap();
        let realm = CcaRealm::of(token.realm()).unwrap();
        assert_eq!(
            realm.challenge,
            *realm_challenge(connection.bound()).bytes()
        );
    }
}

#[test]
fn another_machine_is_no_realm() {
    let forged = ForgedCca::new();
    let other = FakeConfigFs::new(Provider::TdxGuest, |_| Forged::default());
    assert!(CcaAttester::over(Tsm::over(other)).unwrap().is_none());
    let unknown = forged.configfs().with_provider_name("riscv_cove_guest");
    assert!(CcaAttester::over(Tsm::over(unknown)).unwrap().is_none());
    let none = forged.configfs().without_provider();
    assert!(CcaAttester::over(Tsm::over(none)).unwrap().is_none());
    let denied = forged.configfs();
    denied.fail_at(Attribute::Entry, 13);
    let refused = CcaAttester::over(Tsm::over(denied)).map(drop);
    assert!(matches!(refused, Err(AttestError::Device(_))));
}

/// Somebody else in the realm has a value of his own attested, through our entry.
#[test]
fn a_race_for_the_token_is_never_attested() {
    let forged = ForgedCca::new();
    let connection = Connection::new();
    let expected = *realm_challenge(connection.bound()).bytes();
    for races in 0..5 {
        let configfs = Arc::new(forged.configfs());
        let attester = CcaAttester::over(Tsm::over(configfs.clone())).unwrap();
        let made_before = configfs.made();
        configfs.inject_races(races);
        match connection.attest(&mut attester.unwrap()) {
            Ok(cmw) => {
                assert!(races < 3, "{races}");
                let token = CcaToken::decode(cmw.items()[0].value()).unwrap();
                assert_eq!(CcaRealm::of(token.realm()).unwrap().challenge, expected);
                assert_eq!(configfs.made() - made_before, races + 1);
            }
            Err(error) => {
                assert!(races >= 3, "{races}");
                assert!(matches!(error, AttestError::Device(_)));
            }
        }
        assert_eq!(configfs.entries(), 0);
    }
}

#[test]
fn a_device_that_answers_about_something_else_attests_nothing() {
    let forged = ForgedCca::new();
    let good = forged.token(&[7; 64]);
    for outblob in [
        good.clone(),
        good[..good.len() - 1].to_vec(),
        forged.realm_token(&[7; 64]),
        b"token".to_vec(),
    ] {
        let configfs = FakeConfigFs::new(Provider::ArmCcaGuest, move |_| Forged {
            outblob: outblob.clone(),
            auxblob: Vec::new(),
        });
        let mut attester = CcaAttester::over(Tsm::over(configfs)).unwrap().unwrap();
        let refused = Connection::new().attest(&mut attester).map(drop);
        assert!(
            matches!(refused, Err(AttestError::Device(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn errors_of_the_kernel_reach_the_caller_and_a_busy_one_as_busy() {
    for (errno, is_busy) in [(16, true), (5, false), (22, false)] {
        let configfs = FakeConfigFs::failing(Provider::ArmCcaGuest, move |_, _| Err(errno));
        let mut attester = CcaAttester::over(Tsm::over(configfs)).unwrap().unwrap();
        let refused = Connection::new().attest(&mut attester).unwrap_err();
        assert_eq!(refused == AttestError::Busy, is_busy, "{refused:?}");
    }
}
