//! The seeds of the fuzz targets: the targets read them, and an ignored test makes them again.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use atls_formats::tpm::Attest;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::ImaLog;
use atls_formats::tpm::Public;
use atls_formats::tpm::Replay;
use atls_formats::tpm::Signature;
use atls_formats::tpm::SystemdLog;
use atls_formats::tpm::TcgLog;
use atls_formats::tpm::TpmEvidence;
use atls_tpm::Credential;
use atls_tpm::EnrolmentRequest;
use atls_tpm::testing::ForgedTpm;

#[test]
fn seeds_are_what_the_targets_read() {
    let read = |target: &str, name: &str| fs::read(seed(target, name)).unwrap();
    for name in ["forged", "whole"] {
        let evidence = TpmEvidence::decode(&read("tpm", name)).unwrap();
        assert!(Attest::decode(&evidence.attest).is_ok());
        assert!(Public::decode(&evidence.ak).is_ok());
        assert!(Signature::decode(&evidence.signature).is_ok());
        let log = evidence.tcg_log.unwrap();
        assert!(TcgLog::decode(&log, BANK).is_ok());
    }
    let whole = TpmEvidence::decode(&read("tpm", "whole")).unwrap();
    assert!(ImaLog::decode(&whole.ima_log.unwrap()).is_ok());
    let log = SystemdLog::decode(&whole.systemd_log.unwrap(), BANK).unwrap();
    let mut after = Replay::of(BANK, 11);
    after.extend(&BANK.digest(&[b"enter-initrd"]));
    assert!(
        log.replay(Replay::of(BANK, 11), 11, after.value())
            .is_some()
    );
    assert!(whole.ak_certificates.is_some());

    assert!(EnrolmentRequest::decode(&read("tpm_enrolment", "request")).is_ok());
    assert!(Credential::decode(&read("tpm_enrolment", "credential")).is_ok());
}

#[test]
#[ignore = "writes the seeds anew"]
fn seeds_are_made() {
    let write = |target: &str, name: &str, bytes: Vec<u8>| {
        let path = seed(target, name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let mut forged = ForgedTpm::new();
    write(
        "tpm",
        "forged",
        forged.evidence(&[0x5a; 32]).encode().unwrap(),
    );

    let digest = BANK.digest(&[b"enter-initrd"]);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let record = format!(
        "\u{1e}{{\"pcr\":11,\"digests\":[{{\"hashAlg\":\"sha256\",\"digest\":\"{digest}\"}}],\
         \"content\":{{\"string\":\"enter-initrd\",\"eventType\":\"phase\"}}}}\n"
    );
    let (sha1, file) = ("09".repeat(20), "01".repeat(32));
    forged.systemd_log = Some(record.into_bytes());
    forged.ima_log = Some(format!("10 {sha1} ima-sig sha256:{file} /init 03\n").into_bytes());
    let whole = TpmEvidence {
        // As long as it says, and no certificate: nothing that the target looks at.
        ak_certificates: Some([&[0x30, 0x82, 1, 0][..], &[0; 256]].concat()),
        ..forged.evidence(&[0x5a; 32])
    };
    write("tpm", "whole", whole.encode().unwrap());

    let request = EnrolmentRequest {
        ak: forged.public.encode().unwrap(),
        ek_certificate: vec![0x30; 200],
    };
    write("tpm_enrolment", "request", request.encode().unwrap());
    let credential = Credential {
        credential: vec![1; 68],
        secret: vec![2; 256],
    };
    write("tpm_enrolment", "credential", credential.encode().unwrap());
}

fn seed(target: &str, name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/seeds")
        .join(target)
        .join(name)
}

const BANK: HashAlgorithm = HashAlgorithm::Sha256;
