//! Our replay of firmware's logs beside those of `uefi-eventlog` and `eventlog-rs`, over logs that real machines wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::Replay;
use atls_formats::tpm::TcgLog;
use eventlog_rs::Eventlog;
use eventlog_rs::EventlogEntry;
use fallible_iterator::FallibleIterator;
use tpmless_tpm2::DigestAlgorithm;

/// It keeps the registers itself, and stops at an event whose payload it cannot parse: two logs are not read by it.
#[test]
fn uefi_eventlog_computes_the_same_registers() {
    let (mut compared, mut unread) = (0, Vec::new());
    for (name, log) in logs() {
        let mut parser = uefi_eventlog::Parser::new(&log[..]);
        if parser.by_ref().count().is_err() {
            unread.push(name);
            continue;
        }
        let theirs = parser.pcrs();
        for (bank, algorithm) in [
            (HashAlgorithm::Sha256, DigestAlgorithm::Sha256),
            (HashAlgorithm::Sha384, DigestAlgorithm::Sha384),
        ] {
            let Ok(ours) = TcgLog::decode(&log, bank) else {
                continue;
            };
            for pcr in 0..24 {
                let (replay, events) = ours.extended(pcr);
                if events.is_empty() {
                    continue;
                }
                let theirs = theirs.pcr_algo_value(pcr.into(), algorithm).unwrap();
                assert_eq!(replay.value(), theirs, "{name} {bank} {pcr}");
                compared += 1;
            }
        }
    }
    unread.sort();
    assert_eq!(unread, ["arch-linux-workstation", "sb-cert"]);
    assert_eq!(compared, 109);
}

/// It replays SHA-384 alone, as registers of TDX, and by the first digest of each event. So its events are compared, and replayed here.
#[test]
fn eventlog_rs_reads_the_same_events() {
    let mut compared = 0;
    for (name, log) in logs() {
        let theirs = Eventlog::try_from(log.clone()).unwrap().log;
        for bank in [HashAlgorithm::Sha256, HashAlgorithm::Sha384] {
            let Ok(ours) = TcgLog::decode(&log, bank) else {
                continue;
            };
            for (pcr, theirs) in by_register(&theirs) {
                let (replay, events) = ours.extended(pcr);
                assert_eq!(events.len(), theirs.len(), "{name} {bank} {pcr}");
                let mut replayed = Replay::of(bank, pcr);
                for (ours, theirs) in events.iter().zip(theirs) {
                    let digest = digest(theirs, bank);
                    assert_eq!(ours.digest, digest, "{name} {bank} {pcr}");
                    assert_eq!(ours.claimed_type, theirs.event_type_id);
                    assert_eq!(ours.claimed_payload, theirs.event_desc);
                    replayed.extend(digest);
                }
                assert_eq!(replay.value(), replayed.value(), "{name} {bank} {pcr}");
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 126);
}

fn by_register(events: &[EventlogEntry]) -> BTreeMap<u8, Vec<&EventlogEntry>> {
    let mut registers: BTreeMap<u8, Vec<_>> = BTreeMap::new();
    for event in events {
        let pcr = u8::try_from(event.target_measurement_registry).unwrap();
        registers.entry(pcr).or_default().push(event);
    }
    registers
}

fn digest(event: &EventlogEntry, bank: HashAlgorithm) -> &[u8] {
    let name = match bank {
        HashAlgorithm::Sha256 => "TPM_ALG_SHA256",
        _ => "TPM_ALG_SHA384",
    };
    let mut digests = event.digests.iter();
    &digests
        .find(|digest| digest.algorithm == name)
        .unwrap()
        .digest
}

fn logs() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/data/event-logs");
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let logs = entries.filter(|path| path.extension().is_some_and(|is| is == "bin"));
    let logs: Vec<_> = logs
        .map(|path| {
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect();
    assert_eq!(logs.len(), 8);
    logs
}
