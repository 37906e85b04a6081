//! Certificates and a revocation list behind a good report. Only those that the forged root signed may be accepted.
#![no_main]

mod appraise;

use atls_snp::CertTable;
use atls_snp::CertificateKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let report = appraise::report();
    for kind in [
        CertificateKind::Vcek,
        CertificateKind::Ask,
        CertificateKind::Ark,
        CertificateKind::Crl,
    ] {
        let _ = appraise::appraised(&report, CertTable::new().with(kind, bytes));
    }
});
