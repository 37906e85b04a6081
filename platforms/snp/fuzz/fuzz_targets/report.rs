//! A report behind a good envelope with good certificates. Only the one that the forged chip signed may be accepted.
#![no_main]

mod appraise;

use atls_snp::CertTable;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|report: &[u8]| {
    appraise::refused(report, CertTable::new());
});
