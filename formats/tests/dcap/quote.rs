//! Quotes: written, read, cut and altered.

use atls_formats::dcap::Quote;
use atls_formats::dcap::QuoteToSign;
use atls_formats::dcap::Report;
use atls_formats::dcap::TdReport;
use atls_formats::dcap::Tee;
use atls_formats::dcap::report_data;
use test_support::Connection;

use crate::quotes::chain;
use crate::quotes::quote;
use crate::quotes::reports;
use crate::quotes::sgx;
use crate::quotes::td;
use crate::quotes::tee;

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
