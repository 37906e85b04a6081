//! A report behind a good envelope with good certificates: never accepted unless the forged chip signed it, which no
//! input can make it do.
#![no_main]

mod appraise;

use atls_snp::CertTable;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|report: &[u8]| {
    appraise::refused(report, CertTable::new());
});
