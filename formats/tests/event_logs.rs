//! Logs of firmware that real machines wrote, replayed to the registers that `tpm2_eventlog` computes from them.
//!
//! `formats/compare` compares them with the crates `uefi-eventlog` and `eventlog-rs` too. They are no dev-dependencies: the first needs
//! OpenSSL, which this project bans, and both need crates that nobody maintains (`atty`, by `env_logger` 0.7 and 0.8).
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;

use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TcgLog;

#[test]
fn genuine_logs_lead_to_the_registers_that_others_compute() {
    let mut compared = 0;
    for Register {
        name,
        bank,
        pcr,
        value,
    } in registers()
    {
        let log = log(&name);
        let log = TcgLog::decode(&log, bank).unwrap();
        let replayed = log.replay(pcr, &value);
        assert!(replayed.is_some(), "{name} {bank} {pcr}");
        assert!(!replayed.unwrap().is_empty(), "{name} {bank} {pcr}");
        let mut other = value;
        other[0] ^= 1;
        assert_eq!(log.replay(pcr, &other), None, "{name} {bank} {pcr}");
        compared += 1;
    }
    assert_eq!(compared, 126);
}

/// Files, images and tables are not in a log, and what is told about them nothing hashes.
#[test]
fn what_firmware_and_boot_loader_measured_is_confirmed_where_it_is_in_the_log() {
    for (name, confirmed, all) in [
        ("arch-linux-workstation", 19, 24),
        ("cos-101-amd-sev", 40, 48),
        ("moklisttrusted", 78, 96),
        ("rhel8-uefi", 26, 82),
        ("sb-cert", 9, 14),
        ("sd-boot-fedora37", 24, 27),
        ("ubuntu-2104-no-secure-boot", 92, 105),
        ("ubuntu-2404-amd-sevsnp", 96, 116),
    ] {
        let log = log(name);
        let log = TcgLog::decode(&log, HashAlgorithm::Sha256).unwrap();
        let events: Vec<_> = (0..24).flat_map(|pcr| log.extended(pcr).1).collect();
        let measured = events.iter().filter(|event| event.measured.is_some());
        assert_eq!((measured.count(), events.len()), (confirmed, all), "{name}");
    }
}

#[test]
fn the_command_line_of_a_kernel_is_confirmed() {
    for (name, begins) in [
        ("cos-101-amd-sev", "/syslinux/vmlinuz.A"),
        ("moklisttrusted", "(hd0,gpt2)/vmlinuz-5.14.0"),
        ("rhel8-uefi", "(hd0,gpt2)/boot/vmlinuz-4.18.0"),
        ("ubuntu-2104-no-secure-boot", "/boot/vmlinuz-5.11.0"),
        ("ubuntu-2404-amd-sevsnp", "/vmlinuz-6.8.0"),
    ] {
        let log = log(name);
        let log = TcgLog::decode(&log, HashAlgorithm::Sha256).unwrap();
        let (_, events) = log.extended(8);
        let mut measured = events.iter().filter_map(|event| event.measured);
        let is_there = measured.any(|bytes| bytes.starts_with(begins.as_bytes()));
        assert!(is_there, "{name}");
    }
}

#[test]
fn secure_boot_is_seen_where_it_was_on() {
    for (name, is_on) in [
        ("arch-linux-workstation", false),
        ("cos-101-amd-sev", true),
        ("moklisttrusted", true),
        ("rhel8-uefi", true),
        ("sb-cert", true),
        ("sd-boot-fedora37", false),
        ("ubuntu-2104-no-secure-boot", false),
        ("ubuntu-2404-amd-sevsnp", false),
    ] {
        let log = log(name);
        let log = TcgLog::decode(&log, HashAlgorithm::Sha256).unwrap();
        let (_, events) = log.extended(7);
        assert_eq!(events[0].shows_secure_boot(), is_on, "{name}");
    }
}

#[test]
fn a_cut_genuine_log_is_refused_or_explains_less() {
    let whole = log("sd-boot-fedora37");
    let registers: Vec<_> = registers()
        .into_iter()
        .filter(|register| register.name == "sd-boot-fedora37")
        .collect();
    for length in 0..whole.len() {
        let Ok(cut) = TcgLog::decode(&whole[..length], HashAlgorithm::Sha256) else {
            continue;
        };
        let explains = |register: &Register| cut.replay(register.pcr, &register.value).is_some();
        assert!(!registers.iter().all(explains), "{length}");
    }
}

struct Register {
    name: String,
    bank: HashAlgorithm,
    pcr: u8,
    value: Vec<u8>,
}

fn registers() -> Vec<Register> {
    let text = std::fs::read_to_string(folder().join("registers")).unwrap();
    text.lines().map(register).collect()
}

fn register(line: &str) -> Register {
    let words: Vec<_> = line.split(' ').collect();
    let banks = [HashAlgorithm::Sha256, HashAlgorithm::Sha384];
    let mut banks = banks.into_iter();
    let pairs = (0..words[3].len()).step_by(2);
    let byte = |at: usize| u8::from_str_radix(&words[3][at..at + 2], 16).unwrap();
    Register {
        name: words[0].to_owned(),
        bank: banks.find(|bank| bank.to_string() == words[1]).unwrap(),
        pcr: words[2].parse().unwrap(),
        value: pairs.map(byte).collect(),
    }
}

fn log(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.bin"))).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/event-logs")
}
