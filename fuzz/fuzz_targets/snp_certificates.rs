//! Certificates and a revocation list behind a good report. Only those that the forged root signed may be accepted.
#![no_main]

use atls_fuzz::snp;
use atls_snp::CertTable;
use atls_snp::CertificateKind;

atls_fuzz::target!(|bytes: &[u8]| {
    let report = snp::report();
    for kind in [
        CertificateKind::Vcek,
        CertificateKind::Ask,
        CertificateKind::Ark,
        CertificateKind::Crl,
    ] {
        let _ = snp::appraised(&report, CertTable::new().with(kind, bytes));
    }
});
