//! Evidence with a log, reports, and the seeds of the fuzzers.

use std::fs;
use std::path::PathBuf;

use atls_formats::Digest;
use atls_formats::dcap::EventLog;
use atls_formats::dcap::EventLogWriter;
use atls_formats::dcap::Quote;
use atls_formats::dcap::Report;
use atls_formats::dcap::Td15;
use atls_formats::dcap::Td15Extended;
use atls_formats::dcap::TdReport;
use atls_formats::dcap::TdxEvidence;
use atls_formats::dcap::Tee;
use proptest::prelude::*;

use crate::quotes::plain;
use crate::quotes::quote;
use crate::quotes::reports;
use crate::quotes::sgx;
use crate::quotes::td;

#[test]
fn evidence_with_a_log_survives() {
    let evidence = TdxEvidence {
        quote: vec![7; 300],
        event_log: vec![8; 70],
    };
    let bytes = evidence.clone().encode().unwrap();
    assert_eq!(TdxEvidence::decode(&bytes).unwrap(), evidence);
    for length in 0..bytes.len() {
        assert!(TdxEvidence::decode(&bytes[..length]).is_err(), "{length}");
    }
    assert!(TdxEvidence::decode(&[&bytes[..], &[0]].concat()).is_err());
    // Of one part, and of three.
    assert!(TdxEvidence::decode(&[0x81, 0x40]).is_err());
    assert!(TdxEvidence::decode(&[0x83, 0x40, 0x40, 0x40]).is_err());
}

/// The seeds of the fuzz targets are still what the targets expect.
#[test]
fn seeds_are_read() {
    for (name, tee) in [
        ("sgx", Tee::Sgx),
        ("version-4", Tee::Tdx),
        ("version-5", Tee::Tdx),
        ("version-5-extended", Tee::Tdx),
    ] {
        let bytes = fs::read(folder("quote").join(name)).unwrap();
        assert!(Quote::decode(&bytes, tee).is_ok(), "{name}");
    }
    let bytes = fs::read(folder("event_log").join("log")).unwrap();
    assert_eq!(bytes, log().bytes());
}

proptest! {
    #[test]
    fn td_reports_survive(
        registers in any::<[[u8; 16]; 12]>(),
        numbers in any::<[u64; 3]>(),
        is_15 in any::<bool>(),
        is_extended in any::<bool>(),
    ) {
        let wide = |at: usize| {
            let bytes: [u8; 48] = registers[at].repeat(3).try_into().unwrap();
            Digest::from(bytes)
        };
        let report = TdReport {
            tee_tcb_svn: registers[0],
            mrseam: wide(1),
            mrsignerseam: wide(2),
            seam_attributes: numbers[0],
            td_attributes: numbers[1],
            xfam: numbers[2],
            mrtd: wide(3),
            mrconfigid: wide(4),
            mrowner: wide(5),
            mrownerconfig: wide(6),
            rtmr: [wide(7), wide(8), wide(9), wide(10)],
            td15: is_15.then(|| Td15 { tee_tcb_svn_2: registers[3], mrservicetd: wide(11) }),
            td15_extended: (is_15 && is_extended).then(|| Td15Extended {
                initial_service_td: wide(4),
                current_service_td: wide(8),
                ..Td15Extended::new([7; 32])
            }),
            ..td(false)
        };
        let report = Report::Td(report);
        let bytes = quote(&report);
        prop_assert_eq!(Quote::decode(&bytes, Tee::Tdx).unwrap().report, report);
    }

    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        version in 0..7_u8,
        kind in 0..6_u8,
    ) {
        for tee in [Tee::Sgx, Tee::Tdx] {
            prop_assert!(Quote::decode(&bytes, tee).is_err());
            for report in reports() {
                let mut altered = quote(&report);
                (altered[0], altered[48]) = (version, kind);
                altered.truncate(altered.len() - bytes.len());
                altered.extend(&bytes);
                drop(Quote::decode(&altered, tee));
            }
        }
        drop(TdxEvidence::decode(&bytes));
        if let Ok(log) = EventLog::open(&bytes) {
            prop_assert!(log.without_filling().ok().is_none_or(|log| bytes.starts_with(log)));
        }
    }
}

#[test]
#[ignore = "writes the seeds anew"]
fn make_seeds() {
    for (name, report) in [
        ("sgx", Report::Sgx(sgx())),
        ("version-4", Report::Td(plain())),
        ("version-5", Report::Td(td(false))),
        ("version-5-extended", Report::Td(td(true))),
    ] {
        fs::create_dir_all(folder("quote")).unwrap();
        fs::write(folder("quote").join(name), quote(&report)).unwrap();
    }
    fs::create_dir_all(folder("event_log")).unwrap();
    fs::write(folder("event_log").join("log"), log().bytes()).unwrap();
}

fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../fuzz/seeds/{target}"))
}

fn log() -> EventLogWriter {
    EventLogWriter::new()
        .measured(0, 0x8000_0001, b"variable")
        .event(1, 0x8000_0003, &[7; 48], b"describes a loaded image")
        .measured(2, 13, b"kernel_cmdline: quiet")
}
