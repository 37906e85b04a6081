//! Enrolment of a TPM in software, whose endorsement key an authority of its own certifies. Where there is no `swtpm`, that is said;
//! `ATLS_REQUIRE_SWTPM=1` makes it a failure.
#![cfg(unix)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::io;
use std::sync::LazyLock;
use std::time::Duration;

use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::CertificateRevocationListDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;
use atls_reference::Live;
use atls_tpm::AttestationKeyError;
use atls_tpm::Credential;
use atls_tpm::Enroller;
use atls_tpm::EnrolmentError;
use atls_tpm::EnrolmentRequest;
use atls_tpm::KeyFile;
use atls_tpm::KeyFileError;
use atls_tpm::KeyTemplate;
use atls_tpm::TpmAttester;
use atls_tpm::TpmError;
use atls_tpm::TpmKeys;
use atls_tpm::TrustedKey;
use atls_tpm::testing::ForgedTpm;
use atls_tpm::testing::SwtpmProcess;
use rcgen::ExtendedKeyUsagePurpose;
use rcgen::KeyUsagePurpose;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

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

/// A root of its own, which certifies keys itself.
struct Maker {
    root: CertificateDer<'static>,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Maker {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let name = key.serialize_der()[40..48].escape_ascii().to_string();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = params.self_signed(&key).unwrap().der().clone();
        Self {
            root,
            issuer: rcgen::Issuer::new(params, key),
        }
    }

    fn enroller(&self) -> Enroller {
        let provider = rustls::crypto::ring::default_provider();
        Enroller::new([self.root.clone()], &provider)
    }

    fn certify(&self, params: &rcgen::CertificateParams, key: &EndorsementKey) -> Vec<u8> {
        params.signed_by(key, &self.issuer).unwrap().der().to_vec()
    }

    /// The certificate of this TPM's endorsement key of ECC.
    fn certify_ecc(&self, tpm: &SwtpmProcess) -> Vec<u8> {
        let point = tpm.ecc_endorsement_key().unwrap().subject_public_key();
        let key = EndorsementKey(point.unwrap(), &rcgen::PKCS_ECDSA_P256_SHA256);
        let mut params = rcgen::CertificateParams::default();
        params.key_usages = vec![KeyUsagePurpose::KeyAgreement];
        params.extended_key_usages = vec![EK_PURPOSE.clone()];
        self.certify(&params, &key)
    }

    /// A list with the certificate of this number, good for some years.
    fn revoking(&self, serial: &[u8]) -> Vec<u8> {
        let revoked = rcgen::RevokedCertParams {
            serial_number: rcgen::SerialNumber::from_slice(serial),
            revocation_time: rcgen::date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = rcgen::CertificateRevocationListParams {
            this_update: rcgen::date_time_ymd(2024, 1, 1),
            next_update: rcgen::date_time_ymd(2028, 1, 1),
            crl_number: rcgen::SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().der().to_vec()
    }
}

struct EndorsementKey(Vec<u8>, &'static rcgen::SignatureAlgorithm);

impl rcgen::PublicKeyData for EndorsementKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        self.1
    }
}

static EK_PURPOSE: LazyLock<ExtendedKeyUsagePurpose> =
    LazyLock::new(|| ExtendedKeyUsagePurpose::Other(vec![2, 23, 133, 8, 1]));

/// `subjectAltName` with a directory name whose one attribute is `tcg-at-tpmManufacturer`.
fn maker_among_alternative_names() -> rcgen::CustomExtension {
    let name = [
        &[0x30, 0x1c, 0xa4, 0x1a, 0x30, 0x18, 0x31, 0x16, 0x30, 0x14][..],
        &[0x06, 0x05, 0x67, 0x81, 0x05, 0x02, 0x01],
        &[0x0c, 0x0b],
        b"id:00001014",
    ]
    .concat();
    rcgen::CustomExtension::from_oid_content(&[2, 5, 29, 17], name)
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

#[test]
fn a_tpm_without_a_certificate_has_no_request() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    assert_eq!(attester(&tpm).enrolment_request(), Ok(None));
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
    assert!(live.reload_if_changed().unwrap());
    assert_eq!(live.current().keys, [first.clone(), second]);

    let software = TrustedKey::software("software", ForgedTpm::new().trusted("a").public);
    file.add(software.clone()).unwrap();
    assert!(live.reload_if_changed().unwrap());
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

fn certified() -> Option<SwtpmProcess> {
    started(SwtpmProcess::certified())
}

fn attester(tpm: &SwtpmProcess) -> TpmAttester {
    TpmAttester::over(tpm.device()).unwrap()
}

fn enroller(tpm: &SwtpmProcess) -> Enroller {
    let [root, issuer] = issuers(tpm);
    let provider = rustls::crypto::ring::default_provider();
    Enroller::new([root], &provider).with_intermediates([issuer])
}

fn issuers(tpm: &SwtpmProcess) -> [CertificateDer<'static>; 2] {
    let der = |pem: Vec<u8>| CertificateDer::from_pem_slice(&pem).unwrap();
    tpm.issuers().unwrap().map(der)
}

/// Within the years that `rcgen` gives a certificate.
fn later() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000))
}

/// A minute after its authority made the certificate.
fn now(request: &EnrolmentRequest) -> UnixTime {
    let (_, certificate) = X509Certificate::from_der(&request.ek_certificate).unwrap();
    let made = certificate.validity().not_before.timestamp();
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(made).unwrap() + 60))
}

fn started(tpm: io::Result<SwtpmProcess>) -> Option<SwtpmProcess> {
    match tpm {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let required = std::env::var_os("ATLS_REQUIRE_SWTPM").is_some();
            assert!(!required, "no swtpm on this machine");
            println!("SKIPPED: no swtpm on this machine");
            None
        }
        tpm => Some(tpm.unwrap()),
    }
}
