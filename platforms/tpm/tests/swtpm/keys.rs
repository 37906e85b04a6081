//! Keys, their handles, and resets.

use std::os::unix::fs::PermissionsExt;

use atls_core::ear::Tier;
use atls_tpm::KeyTemplate;
use atls_tpm::TpmAttester;
use atls_tpm::TpmError;
use atls_tpm::testing::SwtpmProcess;

use crate::helpers::affirmed;
use crate::helpers::appraise;
use crate::helpers::attester;
use crate::helpers::measure;
use crate::helpers::started;

#[test]
fn a_quote_is_affirmed_for_each_kind_of_key_and_socket() {
    let Some(unix) = started(SwtpmProcess::start()) else {
        return;
    };
    let tcp = SwtpmProcess::start_over_tcp().unwrap();
    for tpm in [&unix, &tcp] {
        for template in TEMPLATES {
            tpm.reset().unwrap();
            measure(tpm, b"kernel");
            let mut attester = attester(tpm.device()).with_key(template);
            let claims = affirmed(&mut attester);
            assert!(claims.has_plain_counters, "a primary key");
            assert_eq!(claims.banks[0].values.len(), 8);
        }
    }
}

#[test]
fn a_key_is_the_same_after_a_reset_and_after_a_loss_of_power() {
    let Some(mut tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    for template in TEMPLATES {
        let key = || attester(tpm.device()).with_key(template).attestation_key();
        let before = key().unwrap();
        tpm.reset().unwrap();
        assert_eq!(key().unwrap(), before);
    }
    let before = attester(tpm.device()).attestation_key().unwrap();
    tpm.kill().unwrap();
    tpm.restart().unwrap();
    let after = attester(tpm.device()).attestation_key().unwrap();
    assert_eq!(after, before);
}

#[test]
fn a_state_is_in_a_private_folder_and_goes_with_its_process() {
    let Some(mut tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let folder = tpm.folder().to_owned();
    let mode = std::fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    // In the group of this process: what ends that ends it too.
    let id = |process: &str, field: usize| {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields.split_whitespace().nth(field).unwrap().to_owned()
    };
    let swtpm = tpm.id().unwrap().to_string();
    assert_eq!(id(&swtpm, 1), std::process::id().to_string(), "parent");
    assert_eq!(id(&swtpm, 2), id("self", 2), "group");
    tpm.kill().unwrap();
    assert_eq!(tpm.id(), None);
    drop(tpm);
    assert!(!folder.exists());
}

#[test]
fn a_persistent_key_is_made_once_and_found_again() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let kept = |template| {
        attester(tpm.device())
            .with_key(template)
            .with_persistent_key(0x8100_0123)
    };
    let made = kept(KeyTemplate::RsaPss2048).attestation_key().unwrap();
    tpm.reset().unwrap();
    // The template does not matter: there is a key already.
    let found = kept(KeyTemplate::EcdsaP256).attestation_key().unwrap();
    assert_eq!(found, made);
    measure(&tpm, b"kernel");
    affirmed(&mut kept(KeyTemplate::EcdsaP256));
}

/// A TPM has room for three keys: one that is not given back is missed soon.
#[test]
fn keys_are_given_back() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    for _ in 0..5 {
        attester(tpm.device()).attestation_key().unwrap();
        let kept = attester(tpm.device()).with_persistent_key(0x8100_0123);
        drop(kept);
    }
    let mut held: Vec<_> = (0..4).map(|_| attester(tpm.device())).collect();
    let keys: Vec<_> = held.iter_mut().map(TpmAttester::attestation_key).collect();
    assert_eq!(keys[2].as_ref().err(), None);
    assert_eq!(keys[3].as_ref().err(), Some(&TpmError::NoRoom));
}

#[test]
fn a_tpm_that_was_reset_is_quoted_anew() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    measure(&tpm, b"kernel");
    let mut attester = attester(tpm.device());
    let before = affirmed(&mut attester);
    tpm.reset().unwrap();
    let (status, after) = appraise(&mut attester);
    assert_eq!(status, Tier::Contraindicated, "nothing is measured");
    assert_eq!(after.clock.reset_count, before.clock.reset_count + 1);
    measure(&tpm, b"kernel");
    affirmed(&mut attester);
}

#[test]
fn a_handle_that_another_key_has_after_a_reset_is_not_quoted_by() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    measure(&tpm, b"kernel");
    let mut ours = attester(tpm.device());
    affirmed(&mut ours);
    tpm.reset().unwrap();
    measure(&tpm, b"kernel");
    let mut theirs = attester(tpm.device()).with_key(KeyTemplate::RsaSsa2048);
    theirs.attestation_key().unwrap();
    affirmed(&mut ours);
    affirmed(&mut theirs);
}

const TEMPLATES: [KeyTemplate; 3] = [
    KeyTemplate::EcdsaP256,
    KeyTemplate::RsaPss2048,
    KeyTemplate::RsaSsa2048,
];
