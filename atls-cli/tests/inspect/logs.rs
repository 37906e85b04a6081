//! Event logs, alone and in the Evidence of a TPM.

use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TcgLogWriter;
use atls_formats::tpm::TpmEvidence;

use crate::support::World;

#[test]
fn a_log_of_the_firmware_is_told_register_by_register() {
    let world = World::new();
    let log = log();
    world.write("log", log.bytes());
    let told = world.atls(&["inspect", "log"]).ends_with(0).out();
    assert!(told.starts_with("TCG event log, sha256"), "{told}");
    let value: String = log
        .value(4)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for part in [
        "PCR 0",
        "PCR 4",
        &value,
        "EV_S_CRTM_VERSION",
        "EV_EFI_ACTION",
        "Calling EFI Application",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn logs_of_evidence_are_told_within_it_and_broken_ones_as_bytes() {
    let world = World::new();
    for (log, part) in [
        (log().bytes().to_vec(), "EV_EFI_ACTION"),
        (vec![7; 20], "TCG event log"),
    ] {
        let evidence = TpmEvidence {
            tcg_log: Some(log),
            ima_log: Some(IMA.as_bytes().to_vec()),
            ..TpmEvidence::default()
        };
        world.write("evidence", evidence.encode().unwrap());
        let told = world.atls(&["inspect", "evidence"]).ends_with(0).out();
        assert!(told.contains(part) && told.contains("/usr/bin/x"), "{told}");
    }
}

#[test]
fn logs_of_systemd_and_of_the_kernel_are_told_by_themselves() {
    let world = World::new();
    world.write("systemd", systemd());
    let told = world.atls(&["inspect", "systemd"]).ends_with(0).out();
    assert!(told.starts_with("systemd log, sha256"), "{told}");
    assert!(
        told.contains("PCR 11") && told.contains("enter-initrd"),
        "{told}"
    );
    world.write("ima", IMA);
    let told = world.atls(&["inspect", "ima"]).ends_with(0).out();
    assert!(told.starts_with("IMA log"), "{told}");
    assert!(
        told.contains("PCR 10") && told.contains("/usr/bin/x"),
        "{told}"
    );
}

#[test]
fn what_a_log_says_does_not_reach_the_terminal_as_it_is() {
    let world = World::new();
    let text = b"\x1b[2Jcleared";
    let log = TcgLogWriter::new(HashAlgorithm::Sha256).measured(4, 0x8000_0007, text);
    world.write("log", log.bytes());
    let told = world.atls(&["inspect", "log"]).ends_with(0).out();
    assert!(!told.contains('\x1b'), "{told:?}");
}

#[test]
fn a_log_that_is_cut_is_no_log() {
    let world = World::new();
    let log = log();
    for length in 0..log.bytes().len() {
        if length % 7 == 0 {
            world.write("log", &log.bytes()[..length]);
            let told = world.atls(&["inspect", "log"]).out();
            assert!(!told.contains("PCR 4\n"), "{length}: {told}");
        }
    }
}

fn log() -> TcgLogWriter {
    TcgLogWriter::new(HashAlgorithm::Sha256)
        .measured(0, 8, b"F\0W\x001\0\0\0")
        .measured(4, 0x8000_0007, b"Calling EFI Application from Boot Option")
        .event(4, 0x8000_0003, &[7; 32], b"")
}

const IMA: &str = "10 0000000000000000000000000000000000000001 ima-ng sha256:0707070707070707070707070707070707070707070707070707070707070707 /usr/bin/x\n";

/// One record of systemd, which measured a phase of the boot.
fn systemd() -> String {
    let digest = HashAlgorithm::Sha256.digest(&[b"enter-initrd"]);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let record = serde_json::json!({
        "pcr": 11,
        "digests": [{ "hashAlg": "sha256", "digest": digest }],
        "content_type": "systemd",
        "content": { "string": "enter-initrd", "bootId": "x", "timestamp": 1, "eventType": "phase" },
    });
    format!("\u{1e}{record}\n")
}

#[test]
fn a_log_in_evidence_is_held_against_the_registers_that_were_quoted() {
    let world = World::new();
    let mut tpm = atls_tpm::testing::ForgedTpm::new();
    tpm.quoting(HashAlgorithm::Sha256, &[0, 4, 12]);
    let told = |tpm: &atls_tpm::testing::ForgedTpm| {
        world.write("evidence", tpm.evidence(&[7; 32]).encode().unwrap());
        world.atls(&["inspect", "evidence"]).ends_with(0).out()
    };
    let right = told(&tpm);
    for line in [
        "PCR 12  0000",
        "— nothing was measured into it",
        "these events lead to the quoted value",
        "restricted, sign",
        "ECDSA with sha256",
    ] {
        assert!(right.contains(line), "{line}: {right}");
    }
    assert!(!right.contains("do NOT lead"), "{right}");
    let other = atls_tpm::testing::ForgedTpm::log().measured(4, 4, b"one more");
    tpm.sent_log = Some(other.bytes().to_vec());
    let wrong = told(&tpm);
    assert!(wrong.contains("do NOT lead to the quoted value"), "{wrong}");
}
