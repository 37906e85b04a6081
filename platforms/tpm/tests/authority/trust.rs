//! The keys that are trusted, and those that are not.

use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::LocalAttester;
use atls_core::Origin;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::pki_types::UnixTime;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TpmEvidence;
use atls_reference::from_toml;
use atls_tpm::KeyAuthority;
use atls_tpm::KeyFile;
use atls_tpm::RootCertificate;
use atls_tpm::TpmAttester;
use atls_tpm::TpmClaims;
use atls_tpm::TpmError;
use atls_tpm::TpmKeys;
use atls_tpm::testing::ForgedTpm;
use atls_tpm::testing::SwtpmProcess;
use rcgen::ExtendedKeyUsagePurpose;
use rustls::CipherSuite;
use test_support::Connection;

use crate::cloud::Cloud;
use crate::cloud::aik;
use crate::cloud::pem;
use crate::machine::CERTIFICATE;
use crate::machine::Machine;
use crate::machine::TEMPLATE;
use crate::machine::appraised_by;
use crate::machine::appraised_under;
use crate::machine::later;
use crate::machine::started;

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
    let connection = Connection::with_suite(CipherSuite::TLS13_AES_128_GCM_SHA256);
    let refused = without.attest(connection.to_attest()).map(drop);
    assert_eq!(refused, Err(TpmError::NothingAt(CERTIFICATE).into()));
}
