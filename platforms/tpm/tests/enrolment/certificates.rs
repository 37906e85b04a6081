//! Certificates of endorsement keys.

use std::time::Duration;

use atls_core::pki_types::CertificateRevocationListDer;
use atls_core::pki_types::UnixTime;
use atls_tpm::Credential;
use atls_tpm::Enroller;
use atls_tpm::EnrolmentError;
use atls_tpm::EnrolmentRequest;
use atls_tpm::TpmError;
use atls_tpm::testing::SwtpmProcess;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::KeyUsagePurpose;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::helpers::attester;
use crate::helpers::certified;
use crate::helpers::enroller;
use crate::helpers::issuers;
use crate::helpers::later;
use crate::helpers::now;
use crate::helpers::started;
use crate::maker::EK_PURPOSE;
use crate::maker::EndorsementKey;
use crate::maker::Maker;
use crate::maker::maker_among_alternative_names;

#[test]
fn another_makers_root_or_time_is_refused() {
    let (Some(ours), Some(theirs)) = (certified(), certified()) else {
        return;
    };
    let request = attester(&ours).enrolment_request().unwrap().unwrap();
    let refused = |enroller: &Enroller, at| enroller.challenge(&request, at).map(drop);
    let chain = Err(EnrolmentError::Chain);
    assert_eq!(refused(&enroller(&theirs), now(&request)), chain);
    let long_ago = UnixTime::since_unix_epoch(Duration::from_secs(1_000_000_000));
    assert_eq!(refused(&enroller(&ours), long_ago), chain);
    let [root, _] = issuers(&ours);
    let provider = rustls::crypto::ring::default_provider();
    let without_intermediate = Enroller::new([root], &provider);
    assert_eq!(refused(&without_intermediate, now(&request)), chain);
    let mut altered = request.clone();
    altered.ek_certificate[300] ^= 1;
    let altered = enroller(&ours).challenge(&altered, now(&request)).map(drop);
    assert_eq!(altered, chain);
}

/// Any certificate of a maker's or a company's authority, such as one of a TLS server.
#[test]
fn a_certificate_that_is_not_of_an_endorsement_key_is_refused() {
    let Some(tpm) = certified() else { return };
    let request = attester(&tpm).enrolment_request().unwrap().unwrap();
    let (_, certificate) = X509Certificate::from_der(&request.ek_certificate).unwrap();
    let key = &certificate.public_key().subject_public_key.data;
    let key = EndorsementKey(key.to_vec(), &rcgen::PKCS_RSA_SHA256);
    let encipher = [KeyUsagePurpose::KeyEncipherment];
    let purpose = [EK_PURPOSE.clone()];
    let enrolled = |usages: &[KeyUsagePurpose], purposes: &[ExtendedKeyUsagePurpose], maker| {
        let authority = Maker::new();
        let mut params = rcgen::CertificateParams::default();
        params.key_usages = usages.to_vec();
        params.extended_key_usages = purposes.to_vec();
        if maker {
            params
                .custom_extensions
                .push(maker_among_alternative_names());
        }
        let mut request = request.clone();
        request.ek_certificate = authority.certify(&params, &key);
        authority.enroller().challenge(&request, later()).map(drop)
    };
    assert_eq!(enrolled(&encipher, &purpose, false), Ok(()));
    assert_eq!(enrolled(&encipher, &[], true), Ok(()));
    let refused = Err(EnrolmentError::EndorsementKey);
    assert_eq!(enrolled(&encipher, &[], false), refused);
    let signs = [KeyUsagePurpose::DigitalSignature];
    for usages in [&[][..], &signs] {
        assert_eq!(enrolled(usages, &purpose, true), refused);
        assert_eq!(enrolled(usages, &[], true), refused);
    }
}

#[test]
fn a_certificate_that_the_owner_alone_reads_is_read_by_his_password() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let certificate = Maker::new().certify_ecc(&tpm);
    // Longer than one reading.
    let filled = [&certificate[..], &[0xff; 700]].concat();
    tpm.store_for_owner(0x01c0_000a, &filled).unwrap();
    let request = attester(&tpm).enrolment_request().unwrap().unwrap();
    assert_eq!(request.ek_certificate, certificate);
    let mut other = attester(&tpm).with_owner_password(b"wrong".to_vec());
    let refused = other.enrolment_request().map(drop);
    assert!(
        matches!(refused, Err(TpmError::WrongAuth(_))),
        "{refused:?}"
    );
}

#[test]
fn a_certificate_of_an_ecc_key_is_of_one_that_agrees_on_keys() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let maker = Maker::new();
    let ak = attester(&tpm)
        .attestation_key()
        .unwrap()
        .as_bytes()
        .to_vec();
    let point = tpm.ecc_endorsement_key().unwrap().subject_public_key();
    let good = EndorsementKey(point.unwrap(), &rcgen::PKCS_ECDSA_P256_SHA256);
    let enrolled = |usage: KeyUsagePurpose, key: &EndorsementKey| {
        let mut params = rcgen::CertificateParams::default();
        params.key_usages = vec![usage];
        params.extended_key_usages = vec![EK_PURPOSE.clone()];
        let ek_certificate = maker.certify(&params, key);
        let request = EnrolmentRequest {
            ak: ak.clone(),
            ek_certificate,
        };
        maker.enroller().challenge(&request, later()).map(drop)
    };
    assert_eq!(enrolled(KeyUsagePurpose::KeyAgreement, &good), Ok(()));
    let refused = Err(EnrolmentError::EndorsementKey);
    let encipher = KeyUsagePurpose::KeyEncipherment;
    assert_eq!(enrolled(encipher, &good), refused);
    // A point that is not on the curve, a compressed one, and one of another curve.
    let mut elsewhere = EndorsementKey(good.0.clone(), good.1);
    elsewhere.0[64] ^= 1;
    let compressed = EndorsementKey([&[2][..], &good.0[1..33]].concat(), good.1);
    let p384 = EndorsementKey(good.0.clone(), &rcgen::PKCS_ECDSA_P384_SHA384);
    for key in [elsewhere, compressed, p384] {
        assert_eq!(enrolled(KeyUsagePurpose::KeyAgreement, &key), refused);
    }
}

#[test]
fn a_revoked_certificate_is_refused_and_so_is_one_that_no_list_is_about() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let (maker, other) = (Maker::new(), Maker::new());
    let ek_certificate = maker.certify_ecc(&tpm);
    let (_, certificate) = X509Certificate::from_der(&ek_certificate).unwrap();
    let serial = certificate.raw_serial().to_vec();
    let request = EnrolmentRequest {
        ak: attester(&tpm)
            .attestation_key()
            .unwrap()
            .as_bytes()
            .to_vec(),
        ek_certificate: ek_certificate.clone(),
    };
    let enrolled = |lists: Vec<Vec<u8>>, at| {
        let lists = lists.into_iter().map(CertificateRevocationListDer::from);
        let enroller = maker.enroller().with_revocation_lists(lists).unwrap();
        enroller.challenge(&request, at).map(drop)
    };
    let unknown = Err(EnrolmentError::RevocationUnknown);
    assert_eq!(enrolled(vec![], later()), Ok(()), "nothing is asked");
    assert_eq!(enrolled(vec![maker.revoking(b"another")], later()), Ok(()));
    let revoked = enrolled(vec![maker.revoking(&serial)], later());
    assert_eq!(revoked, Err(EnrolmentError::Revoked));
    assert_eq!(enrolled(vec![other.revoking(b"another")], later()), unknown);
    let outdated = UnixTime::since_unix_epoch(Duration::from_secs(1_900_000_000));
    assert_eq!(
        enrolled(vec![maker.revoking(b"another")], outdated),
        unknown
    );
    // A list that somebody else signed.
    let mut forged = maker.revoking(b"another");
    let last = forged.len() - 1;
    forged[last] ^= 1;
    assert_eq!(enrolled(vec![forged], later()), Err(EnrolmentError::Chain));
    let no_list = [CertificateRevocationListDer::from(b"list".to_vec())];
    let refused = maker.enroller().with_revocation_lists(no_list).map(drop);
    assert!(matches!(refused, Err(EnrolmentError::Local(_))));
}

#[test]
fn a_tpm_without_a_certificate_activates_nothing() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let credential = Credential {
        credential: vec![0; 68],
        secret: vec![0; 256],
    };
    let refused = attester(&tpm).activate(&credential).map(drop);
    assert_eq!(refused, Err(TpmError::NoEndorsementCertificate));
}

#[test]
fn a_tpm_without_a_certificate_has_no_request() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    assert_eq!(attester(&tpm).enrolment_request(), Ok(None));
}
