//! Keys that an authority certified, as clouds do it, over a TPM in software that has template and certificate where clouds put them. Where
//! there is no `swtpm`, that is said; `ATLS_REQUIRE_SWTPM=1` makes it a failure.
#![cfg(unix)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::LocalAttester;
use atls_core::Origin;
use atls_core::RecordedAppraisal;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Public;
use atls_formats::tpm::PublicKey;
use atls_formats::tpm::TpmEvidence;
use atls_reference::Live;
use atls_reference::from_toml;
use atls_tpm::KeyAuthority;
use atls_tpm::KeyFile;
use atls_tpm::Measurement;
use atls_tpm::RootCertificate;
use atls_tpm::TpmAttester;
use atls_tpm::TpmClaims;
use atls_tpm::TpmError;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::testing::ForgedTpm;
use atls_tpm::testing::SwtpmProcess;
use rcgen::CertificateParams;
use rcgen::ExtendedKeyUsagePurpose;
use rustls::CipherSuite;

use support::Connection;
use support::ready;

#[test]
fn a_key_that_a_cloud_certified_is_trusted_and_its_machine_is_not_known() {
    let Some(machine) = Machine::started() else {
        return;
    };
    let appraised = machine.appraise(&machine.evidence(), later()).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
    assert_eq!(appraised.origin(), Origin::Device);
    // With the leaf, before the authorities.
    let ended = appraised.ear().expires_at().unwrap();
    assert_eq!(ended.as_secs(), 1_830_297_600);
    let claims: &TpmClaims = appraised.claims().unwrap();
    let digest: [u8; 32] = HashAlgorithm::Sha256
        .digest(&[&machine.certificate])
        .try_into()
        .unwrap();
    assert_eq!(claims.ak_certificate, Some(digest.into()));
    assert!(claims.key.starts_with("cloud "));
    // The template of the cloud, and not ours, made the key: a primary one of the endorsement hierarchy.
    assert!(claims.has_plain_counters);
    let (_, appraisal) = appraised.ear().submods().next().unwrap();
    let claim = |category| appraisal.vector().get(category).value();
    assert_eq!(claim(Category::InstanceIdentity), 0);
    assert_eq!(claim(Category::Hardware), 0);
}

#[test]
fn a_key_without_certificate_or_with_another_ones_is_unknown() {
    let (Some(machine), Some(other)) = (Machine::started(), Machine::started()) else {
        return;
    };
    let evidence = machine.evidence();
    let refused = |certificates: Option<Vec<u8>>| {
        let evidence = TpmEvidence {
            ak_certificates: certificates,
            ..evidence.clone()
        };
        machine.appraise(&evidence, later()).map(drop)
    };
    let unknown = Err(AppraisalError::UnknownKey);
    assert_eq!(refused(None), unknown);
    let mut theirs = machine.cloud.certify(&other.public, aik());
    theirs.extend(&machine.cloud.intermediate);
    assert_eq!(refused(Some(theirs)), unknown, "of another key");
    assert_eq!(
        refused(Some(machine.certificate.clone())),
        unknown,
        "no intermediate"
    );
    let mut elsewhere = other.cloud.certify(&machine.public, aik());
    elsewhere.extend(&other.cloud.intermediate);
    assert_eq!(refused(Some(elsewhere)), unknown, "of another cloud");
    for purposes in [vec![], vec![ExtendedKeyUsagePurpose::ServerAuth]] {
        let mut other = machine.cloud.certify(&machine.public, purposes);
        other.extend(&machine.cloud.intermediate);
        assert_eq!(refused(Some(other)), unknown, "for another purpose");
    }
    let ended = UnixTime::since_unix_epoch(Duration::from_secs(1_830_297_601));
    let late = machine.appraise(&evidence, ended).map(drop);
    assert_eq!(late, unknown, "after it ended");
    let early = UnixTime::since_unix_epoch(Duration::from_secs(1));
    let early = machine.appraise(&evidence, early).map(drop);
    assert_eq!(early, unknown, "before it begins");
}

#[test]
fn an_authority_of_tpms_in_software_makes_no_device() {
    let Some(machine) = Machine::started() else {
        return;
    };
    let root = RootCertificate::new(machine.cloud.root.clone()).unwrap();
    let mut authority = KeyAuthority::new("cloud", root);
    authority.software = true;
    let appraised = appraised_by(authority, &machine.evidence(), later()).unwrap();
    assert_eq!(appraised.origin(), Origin::Simulated);
}

#[test]
fn an_authority_is_for_keys_of_tpms_or_says_nothing() {
    let Some(machine) = Machine::started() else {
        return;
    };
    let mut evidence = machine.evidence();
    let mut appraise = |purposes| {
        let cloud = Cloud::of(purposes);
        let certificate = cloud.certify(&machine.public, aik());
        evidence.ak_certificates = Some([certificate, cloud.intermediate.clone()].concat());
        appraised_under(&cloud.root, &evidence, later()).map(drop)
    };
    assert_eq!(appraise(vec![]), Ok(()));
    assert_eq!(appraise(aik()), Ok(()));
    let unknown = Err(AppraisalError::UnknownKey);
    assert_eq!(appraise(vec![ExtendedKeyUsagePurpose::ServerAuth]), unknown);
}

#[test]
fn certificates_are_whole_and_few() {
    let Some(machine) = Machine::started() else {
        return;
    };
    let evidence = machine.evidence();
    let chain = evidence.ak_certificates.clone().unwrap();
    let refused = |certificates: Vec<u8>| {
        let evidence = TpmEvidence {
            ak_certificates: Some(certificates),
            ..evidence.clone()
        };
        machine.appraise(&evidence, later()).is_err()
    };
    assert!(!refused(chain.clone()));
    for length in 0..chain.len() {
        assert!(refused(chain[..length].to_vec()), "{length}");
    }
    assert!(refused([&chain[..], &[0]].concat()));
    assert!(refused(
        [&chain[..], &machine.cloud.intermediate.repeat(7)].concat()
    ));
    for index in (0..machine.certificate.len()).step_by(5) {
        let mut altered = chain.clone();
        altered[index] ^= 1;
        assert!(refused(altered), "{index}");
    }
}

#[test]
fn a_quote_is_still_signed_by_the_certified_key() {
    let Some(machine) = Machine::started() else {
        return;
    };
    let forged = ForgedTpm::new();
    let evidence = machine.evidence();
    let stolen = TpmEvidence {
        ak: evidence.ak.clone(),
        ak_certificates: evidence.ak_certificates,
        ..forged.evidence(b"nonce")
    };
    let refused = machine.appraise(&stolen, later()).map(drop);
    assert_eq!(refused, Err(AppraisalError::BadSignature));
}

#[test]
fn an_authority_is_written_read_and_kept_by_enrolment() {
    let cloud = Cloud::new();
    let pem = pem(&cloud.root);
    let read = |root: &str, name: &str| {
        from_toml::<TpmKeys>(&format!(
            "version = 1\n[[tpm-keys.authority]]\nname = \"{name}\"\nroot = \"\"\"{root}\"\"\"\n"
        ))
    };
    let keys = read(&pem, "cloud").unwrap();
    assert_eq!(keys.authorities[0].root.as_bytes(), cloud.root.as_ref());
    assert!(read(&pem, " ").is_err());
    assert!(read("certificate", "cloud").is_err());
    assert!(read("3082", "cloud").is_err());
    assert!(from_toml::<TpmKeys>("version = 1\n[tpm-keys]\n").is_err());

    let folder = std::env::temp_dir().join(format!("atls-authority-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("keys.toml");
    let table = "version = 1\n[[tpm-keys.authority]]\nname = \"cloud\"\n";
    let software = "software = true\n";
    std::fs::write(
        &path,
        format!("{table}root = \"\"\"{pem}\"\"\"\n{software}"),
    )
    .unwrap();
    let mut added = ForgedTpm::new().trusted("web-1");
    added.reset_count = Some(7);
    KeyFile::at(&path).add(added.clone()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let mut authorities = keys.authorities;
    authorities[0].software = true;
    let expected = TpmKeys::new(vec![added]).with_authorities(authorities);
    assert_eq!(from_toml::<TpmKeys>(&text).unwrap(), expected);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_index_where_nothing_is_is_told() {
    let Some(tpm) = started(SwtpmProcess::start()) else {
        return;
    };
    let attester = || TpmAttester::over(tpm.device()).unwrap();
    let refused = attester().with_template_at(TEMPLATE).attestation_key();
    assert_eq!(refused.map(drop), Err(TpmError::NothingAt(TEMPLATE)));
    let mut without = attester().with_ak_certificate_at(CERTIFICATE, []);
    let connection = Connection::new(CipherSuite::TLS13_AES_128_GCM_SHA256);
    let refused = without.attest(connection.request()).map(drop);
    assert_eq!(refused, Err(TpmError::NothingAt(CERTIFICATE).into()));
}

/// A virtual machine of a cloud: its TPM has the cloud's template, and the certificate of the key that it makes.
struct Machine {
    tpm: SwtpmProcess,
    cloud: Cloud,
    public: Public,
    certificate: Vec<u8>,
}

impl Machine {
    fn started() -> Option<Self> {
        let tpm = started(SwtpmProcess::start())?;
        tpm.measure(4, HashAlgorithm::Sha256, b"kernel").unwrap();
        let mut template = ForgedTpm::new().public;
        if let PublicKey::Ecc { x, y, .. } = &mut template.key {
            (*x, *y) = (vec![1; 32], Vec::new());
        }
        tpm.store(TEMPLATE, &template.encode().unwrap()).unwrap();
        let attester = TpmAttester::over(tpm.device()).unwrap();
        let key = attester
            .with_template_at(TEMPLATE)
            .attestation_key()
            .unwrap();
        let public = Public::decode(key.as_bytes()).unwrap();
        let cloud = Cloud::new();
        let certificate = cloud.certify(&public, aik());
        // Behind it the index is filled up.
        let stored = [&certificate[..], &[0xff; 100]].concat();
        tpm.store(CERTIFICATE, &stored).unwrap();
        Some(Self {
            tpm,
            cloud,
            public,
            certificate,
        })
    }

    fn evidence(&self) -> TpmEvidence {
        let intermediate = CertificateDer::from(self.cloud.intermediate.clone());
        let mut attester = TpmAttester::over(self.tpm.device())
            .unwrap()
            .with_template_at(TEMPLATE)
            .with_ak_certificate_at(CERTIFICATE, [intermediate]);
        let connection = Connection::new(CipherSuite::TLS13_AES_128_GCM_SHA256);
        let cmw = attester.attest(connection.request()).unwrap();
        TpmEvidence::decode(cmw.items().first().unwrap().value()).unwrap()
    }

    fn appraise(
        &self,
        evidence: &TpmEvidence,
        at: UnixTime,
    ) -> Result<RecordedAppraisal, AppraisalError> {
        appraised_under(&self.cloud.root, evidence, at)
    }
}

fn appraised_under(
    root: &CertificateDer<'static>,
    evidence: &TpmEvidence,
    at: UnixTime,
) -> Result<RecordedAppraisal, AppraisalError> {
    let root = RootCertificate::new(root.clone()).unwrap();
    appraised_by(KeyAuthority::new("cloud", root), evidence, at)
}

fn appraised_by(
    authority: KeyAuthority,
    evidence: &TpmEvidence,
    at: UnixTime,
) -> Result<RecordedAppraisal, AppraisalError> {
    let keys = TpmKeys::new(Vec::new()).with_authorities(vec![authority]);
    let bank = HashAlgorithm::Sha256;
    let value = bank.digest(&[&[0; 32], &bank.digest(&[b"kernel"])]);
    let register = (support::pcr(4), Measurement::new(&value).unwrap());
    let policy = TpmPolicy::new(vec![TpmImage::measured("kernel", [register])]);
    let verifier = TpmVerifier::new(
        Arc::new(Live::fixed(policy).unwrap()),
        Arc::new(Live::fixed(keys).unwrap()),
        &rustls::crypto::ring::default_provider(),
    );
    let evidence = evidence.clone().encode().unwrap();
    ready(verifier.appraise_recorded(&evidence, at))
}

/// A root, and an authority below it that certifies keys.
struct Cloud {
    root: CertificateDer<'static>,
    intermediate: Vec<u8>,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Cloud {
    fn new() -> Self {
        // As that of Google Cloud: for endorsement keys, by its own certificate.
        Self::of(vec![ExtendedKeyUsagePurpose::Other(vec![2, 23, 133, 8, 1])])
    }

    fn of(purposes: Vec<ExtendedKeyUsagePurpose>) -> Self {
        let authority = |name: &str| {
            let mut params = CertificateParams::default();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            params
                .distinguished_name
                .push(rcgen::DnType::CommonName, name);
            (params, rcgen::KeyPair::generate().unwrap())
        };
        let (params, key) = authority("root");
        let root = params.self_signed(&key).unwrap().der().clone();
        let issuer = rcgen::Issuer::new(params, key);
        let (mut params, key) = authority("intermediate");
        params.extended_key_usages = purposes;
        let intermediate = params.signed_by(&key, &issuer).unwrap();
        Self {
            root,
            intermediate: intermediate.der().to_vec(),
            issuer: rcgen::Issuer::new(params, key),
        }
    }

    fn certify(&self, public: &Public, purposes: Vec<ExtendedKeyUsagePurpose>) -> Vec<u8> {
        let key = Point(public.subject_public_key().unwrap());
        let mut params = CertificateParams::default();
        params.extended_key_usages = purposes;
        params.not_after = rcgen::date_time_ymd(2028, 1, 1);
        params.signed_by(&key, &self.issuer).unwrap().der().to_vec()
    }
}

struct Point(Vec<u8>);

impl rcgen::PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

/// `tcg-kp-AIKCertificate`
fn aik() -> Vec<ExtendedKeyUsagePurpose> {
    vec![ExtendedKeyUsagePurpose::Other(vec![2, 23, 133, 8, 3])]
}

fn pem(certificate: &[u8]) -> String {
    use base64::Engine;
    let body = base64::prelude::BASE64_STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

fn later() -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000))
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

/// Where Google Cloud has a template of ECC, and the certificate of its key.
const TEMPLATE: u32 = 0x01c1_0003;
const CERTIFICATE: u32 = 0x01c1_0002;
