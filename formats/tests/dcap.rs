//! Quotes of DCAP: written and read again, cut, altered.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::PathBuf;

use atls_formats::Digest;
use atls_formats::dcap::EventLog;
use atls_formats::dcap::EventLogWriter;
use atls_formats::dcap::Quote;
use atls_formats::dcap::QuoteToSign;
use atls_formats::dcap::Report;
use atls_formats::dcap::SgxReport;
use atls_formats::dcap::SignatureData;
use atls_formats::dcap::Td15;
use atls_formats::dcap::Td15Extended;
use atls_formats::dcap::TdReport;
use atls_formats::dcap::TdxEvidence;
use atls_formats::dcap::Tee;
use atls_formats::dcap::report_data;
use proptest::prelude::*;
use test_support::Connection;

#[test]
fn report_data_is_sha512_of_the_value() {
    for connection in [Connection::new(), Connection::sha384()] {
        let bound = connection.bound();
        let sha512 = test_support::sha512(bound.as_bytes());
        assert_eq!(report_data(bound).bytes()[..], sha512);
    }
}

#[test]
fn every_version_and_body_is_read_as_it_was_written() {
    for report in reports() {
        let bytes = quote(&report);
        let read = Quote::decode(&bytes, tee(&report)).unwrap();
        assert_eq!(read.report, report);
        assert_eq!(read.tee(), tee(&report));
        assert_eq!(read.report.report_data(), &[0x64; 64]);
        assert_eq!(read.bytes, bytes);
        assert_eq!(read.signed, QuoteToSign::over(&report).unwrap().bytes());
        assert_eq!(read.signature, &[1; 64]);
        assert_eq!(read.attestation_key, &[2; 64]);
        assert_eq!(read.qe, sgx());
        assert_eq!(read.qe_report, &sgx().encode());
        assert_eq!(read.qe_signature, &[4; 64]);
        assert_eq!(read.qe_authentication, &[5; 32]);
        assert_eq!(read.chain, chain());
    }
}

#[test]
fn the_other_technology_is_refused() {
    for report in reports() {
        let other = match tee(&report) {
            Tee::Sgx => Tee::Tdx,
            Tee::Tdx => Tee::Sgx,
        };
        let refused = Quote::decode(&quote(&report), other).unwrap_err();
        assert_eq!(refused.part, "version or TEE type");
    }
}

#[test]
fn extended_fields_alone_are_no_report() {
    let report = TdReport {
        td15: None,
        ..td(true)
    };
    assert!(QuoteToSign::over(&Report::Td(report)).is_none());
}

#[test]
fn truncations_are_refused_at_every_length() {
    for report in reports() {
        let bytes = quote(&report);
        for length in 0..bytes.len() {
            let refused = Quote::decode(&bytes[..length], tee(&report));
            assert!(refused.is_err(), "{length}");
        }
    }
}

/// Zeros may follow a quote, up to 16 KiB in all; nothing else.
#[test]
fn only_zeros_may_follow() {
    for report in reports() {
        let bytes = quote(&report);
        let padded = |length: usize, last: u8| {
            let mut padded = bytes.clone();
            padded.resize(length, 0);
            padded.push(last);
            Quote::decode(&padded, tee(&report)).map(|quote| quote.bytes.to_vec())
        };
        assert_eq!(padded(8_000, 0).unwrap(), bytes);
        let refused = padded(8_000, 1).unwrap_err();
        assert_eq!(refused.part, "bytes after the quote");
        assert_eq!(padded(16 * 1024, 0).unwrap_err().part, "longer than 16 KiB");
    }
}

/// Bytes that belong to no field have one accepted value, apart from the reserved bytes that the signature covers.
#[test]
fn an_altered_byte_is_refused_or_read() {
    for report in reports() {
        let bytes = quote(&report);
        let good = Quote::decode(&bytes, tee(&report)).unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0x20;
            let Ok(read) = Quote::decode(&altered, tee(&report)) else {
                continue;
            };
            let same = read.signed == good.signed
                && read.signature == good.signature
                && read.attestation_key == good.attestation_key
                && read.qe_report == good.qe_report
                && read.qe_signature == good.qe_signature
                && read.qe_authentication == good.qe_authentication
                && read.chain == good.chain;
            assert!(!same, "byte {at}");
        }
    }
}

#[test]
fn the_header_is_that_of_intels_quoting_enclave() {
    let bytes = quote(&Report::Td(td(false)));
    for (at, part) in [
        (2, "attestation key type"),
        (12, "QE vendor"),
        (27, "QE vendor"),
    ] {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        let refused = Quote::decode(&altered, Tee::Tdx).unwrap_err();
        assert_eq!(refused.part, part);
    }
}

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
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/corpus/{target}"))
}

fn log() -> EventLogWriter {
    EventLogWriter::new()
        .measured(0, 0x8000_0001, b"variable")
        .event(1, 0x8000_0003, &[7; 48], b"describes a loaded image")
        .measured(2, 13, b"kernel_cmdline: quiet")
}

fn tee(report: &Report) -> Tee {
    match report {
        Report::Sgx(_) => Tee::Sgx,
        Report::Td(_) => Tee::Tdx,
    }
}

fn reports() -> [Report; 4] {
    [
        Report::Sgx(sgx()),
        Report::Td(plain()),
        Report::Td(td(false)),
        Report::Td(td(true)),
    ]
}

fn plain() -> TdReport {
    TdReport {
        td15: None,
        ..td(false)
    }
}

/// Of TDX 1.5, with or without the extended fields.
fn td(is_extended: bool) -> TdReport {
    TdReport {
        tee_tcb_svn: [0x51; 16],
        mrseam: [0x52; 48].into(),
        mrsignerseam: [0x53; 48].into(),
        seam_attributes: 0x54,
        td_attributes: 0x5500,
        xfam: 0x56,
        mrtd: [0x57; 48].into(),
        mrconfigid: [0x58; 48].into(),
        mrowner: [0x59; 48].into(),
        mrownerconfig: [0x5a; 48].into(),
        rtmr: [[0x5b; 48], [0x5c; 48], [0x5d; 48], [0x5e; 48]].map(Digest::from),
        report_data: [0x64; 64],
        td15: Some(Td15::new([0x5f; 16])),
        td15_extended: is_extended.then(|| Td15Extended::new([0x60; 32])),
    }
}

fn sgx() -> SgxReport {
    SgxReport {
        cpu_svn: [0x31; 16],
        flags: 0x32,
        xfrm: 0x33,
        misc_select: 0x34,
        mrenclave: [0x35; 32].into(),
        mrsigner: [0x36; 32].into(),
        isv_prod_id: 0x37,
        isv_svn: 0x38,
        isv_ext_prod_id: [0x39; 16].into(),
        isv_family_id: [0x3a; 16].into(),
        config_id: [0x3b; 64].into(),
        config_svn: 0x3c,
        report_data: [0x64; 64],
    }
}

fn chain() -> Vec<Vec<u8>> {
    vec![vec![0x30; 100], vec![0x31; 48], vec![0x32; 3]]
}

fn quote(report: &Report) -> Vec<u8> {
    let data = SignatureData {
        signature: &[1; 64],
        attestation_key: &[2; 64],
        qe_report: &sgx().encode(),
        qe_signature: &[4; 64],
        qe_authentication: &[5; 32],
        chain: &chain(),
    };
    let quote = QuoteToSign::over(report).unwrap();
    quote.with_signature(&data).unwrap()
}
