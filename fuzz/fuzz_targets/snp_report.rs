//! A report behind a good envelope with good certificates. Only the one that the forged chip signed may be accepted.
#![no_main]

use atls_fuzz::snp;
use atls_snp::CertTable;

atls_fuzz::target!(|report: &[u8]| {
    snp::refused(report, CertTable::new());
});
