//! Credentials and their secrets.

use std::time::Duration;

use atls_core::pki_types::UnixTime;
use atls_reference::Live;
use atls_tpm::AttestationKeyError;
use atls_tpm::Credential;
use atls_tpm::Enroller;
use atls_tpm::EnrolmentError;
use atls_tpm::EnrolmentRequest;
use atls_tpm::KeyFile;
use atls_tpm::KeyFileError;
use atls_tpm::KeyTemplate;
use atls_tpm::TpmError;
use atls_tpm::TpmKeys;
use atls_tpm::TrustedKey;
use atls_tpm::testing::ForgedTpm;
use atls_tpm::testing::SwtpmProcess;

use crate::helpers::attester;
use crate::helpers::certified;
use crate::helpers::enroller;
use crate::helpers::later;
use crate::helpers::now;
use crate::helpers::started;
use crate::maker::Maker;

#[test]
fn a_tpm_is_enrolled_by_its_certificate() {
    let Some(tpm) = certified() else { return };
    let mut attester = attester(&tpm);
    let request = attester.enrolment_request().unwrap().unwrap();
    // As they come from another machine.
    let request = EnrolmentRequest::decode(&request.encode().unwrap()).unwrap();
    let (credential, pending) = enroller(&tpm).challenge(&request, now(&request)).unwrap();
    let credential = Credential::decode(&credential.encode().unwrap()).unwrap();
    let secret = attester.activate(&credential).unwrap();
    let key = pending.finish("web-1", &secret, now(&request)).unwrap();
    assert_eq!(key.public, attester.attestation_key().unwrap());
    assert!(key.ek_certificate.is_some());
    // And again, for nothing was left behind in the TPM.
    for _ in 0..3 {
        let (credential, _) = enroller(&tpm).challenge(&request, now(&request)).unwrap();
        assert!(attester.activate(&credential).is_ok());
    }
}

#[test]
fn a_credential_is_for_our_key_where_another_has_its_handle_after_a_reset() {
    let Some(tpm) = certified() else { return };
    let mut ours = attester(&tpm);
    let request = ours.enrolment_request().unwrap().unwrap();
    let (credential, pending) = enroller(&tpm).challenge(&request, now(&request)).unwrap();
    tpm.reset().unwrap();
    let mut theirs = attester(&tpm).with_key(KeyTemplate::RsaSsa2048);
    theirs.attestation_key().unwrap();
    let secret = ours.activate(&credential).unwrap();
    assert!(pending.finish("web-1", &secret, now(&request)).is_ok());
}

#[test]
fn a_credential_is_for_one_tpm_and_one_key() {
    let (Some(ours), Some(theirs)) = (certified(), certified()) else {
        return;
    };
    let (mut us, mut them) = (attester(&ours), attester(&theirs));
    let request = us.enrolment_request().unwrap().unwrap();
    let (credential, _) = enroller(&ours).challenge(&request, now(&request)).unwrap();
    assert!(matches!(them.activate(&credential), Err(TpmError::Said(_))));

    // Our certificate with a key that is not in our TPM.
    let mut claimed = request.clone();
    claimed.ak = them.attestation_key().unwrap().as_bytes().to_vec();
    let (credential, pending) = enroller(&ours).challenge(&claimed, now(&request)).unwrap();
    assert!(matches!(us.activate(&credential), Err(TpmError::Said(_))));
    let guessed = pending.finish("web-1", &[0; 32], now(&request)).map(drop);
    assert_eq!(guessed, Err(EnrolmentError::WrongSecret));
}

#[test]
fn an_altered_credential_is_refused_by_the_tpm() {
    let Some(tpm) = certified() else { return };
    let mut attester = attester(&tpm);
    let request = attester.enrolment_request().unwrap().unwrap();
    let (credential, _) = enroller(&tpm).challenge(&request, now(&request)).unwrap();
    for index in [2, 33, 34, credential.credential.len() - 1] {
        let mut other = credential.clone();
        other.credential[index] ^= 1;
        assert!(attester.activate(&other).is_err(), "{index}");
    }
    let mut other = credential;
    other.secret[200] ^= 1;
    assert!(attester.activate(&other).is_err());
}

#[test]
fn a_tpm_with_an_ecc_endorsement_key_is_enrolled() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let maker = Maker::new();
    tpm.store(0x01c0_000a, &maker.certify_ecc(&tpm)).unwrap();
    let mut attester = attester(&tpm);
    let request = attester.enrolment_request().unwrap().unwrap();
    // Another ephemeral key each time.
    for _ in 0..8 {
        let (credential, pending) = maker.enroller().challenge(&request, later()).unwrap();
        let secret = attester.activate(&credential).unwrap();
        let key = pending.finish("web-1", &secret, later()).unwrap();
        assert_eq!(key.public, attester.attestation_key().unwrap());
    }
    let (credential, _) = maker.enroller().challenge(&request, later()).unwrap();
    for index in [2, 40, credential.secret.len() - 1] {
        let mut other = credential.clone();
        other.secret[index] ^= 1;
        assert!(attester.activate(&other).is_err(), "{index}");
    }
}

#[test]
fn a_secret_that_comes_too_late_is_refused() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let maker = Maker::new();
    tpm.store(0x01c0_000a, &maker.certify_ecc(&tpm)).unwrap();
    let mut attester = attester(&tpm);
    let request = attester.enrolment_request().unwrap().unwrap();
    let after =
        |seconds: u64| UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000 + seconds));
    let mut finish = |enroller: Enroller, seconds| {
        let (credential, pending) = enroller.challenge(&request, later()).unwrap();
        let secret = attester.activate(&credential).unwrap();
        pending.finish("web-1", &secret, after(seconds)).map(drop)
    };
    assert_eq!(finish(maker.enroller(), 600), Ok(()));
    let expired = Err(EnrolmentError::Expired);
    assert_eq!(finish(maker.enroller(), 601), expired);
    let patient = |seconds| maker.enroller().with_patience(Duration::from_secs(seconds));
    assert_eq!(finish(patient(3_600), 601), Ok(()));
    assert_eq!(finish(patient(0), 1), expired);
}

#[test]
fn a_key_that_signs_anything_is_not_enrolled() {
    let Some(tpm) = certified() else { return };
    let mut request = attester(&tpm).enrolment_request().unwrap().unwrap();
    let mut forged = ForgedTpm::new();
    forged.public.attributes.0 &= !atls_formats::tpm::Attributes::RESTRICTED;
    request.ak = forged.public.encode().unwrap();
    let refused = enroller(&tpm).challenge(&request, now(&request)).map(drop);
    let expected = EnrolmentError::Key(AttestationKeyError::Unrestricted);
    assert_eq!(refused, Err(expected));
}

/// Whether the file was put in force, once it stood still.
fn looked_at_twice(live: &Live<TpmKeys>) -> bool {
    assert!(!live.reload_if_changed().unwrap());
    live.reload_if_changed().unwrap()
}

#[test]
fn a_file_of_keys_grows_and_is_read_again_while_running() {
    let folder = std::env::temp_dir().join(format!("atls-keys-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("keys.toml");
    let file = KeyFile::at(&path);
    let first = ForgedTpm::new().trusted("first \"one\"\n\\");
    file.add(first.clone()).unwrap();
    let live = Live::<TpmKeys>::open(&path).unwrap();
    assert_eq!(live.current().keys, std::slice::from_ref(&first));

    let second = ForgedTpm::new()
        .trusted("second")
        .enrolled_by([7; 32].into())
        .certified_by([8; 32].into());
    file.add(second.clone()).unwrap();
    assert!(looked_at_twice(&live));
    assert_eq!(live.current().keys, [first.clone(), second]);

    let software = TrustedKey::software("software", ForgedTpm::new().trusted("a").public);
    file.add(software.clone()).unwrap();
    assert!(looked_at_twice(&live));
    assert_eq!(live.current().keys.last(), Some(&software));

    let twice = TrustedKey::provided("another name", first.public);
    assert!(matches!(file.add(twice), Err(KeyFileError::Table(_))));
    std::fs::write(&path, "version = 1\n[tpm]\n").unwrap();
    let added = file.add(ForgedTpm::new().trusted("third"));
    assert!(
        matches!(added, Err(KeyFileError::Table(_))),
        "another table"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
