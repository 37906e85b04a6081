//! Evidence without a device: well-formed, and signed by nobody.

use atls_formats::dcap::QuoteToSign;
use atls_formats::dcap::Report;
use atls_formats::dcap::SignatureData;
use atls_formats::dcap::TdReport;

/// A TDX quote of version 4 with this report data of 64 bytes. Its signature is zero.
pub fn td_quote(report_data: &[u8]) -> Vec<u8> {
    let report = TdReport {
        tee_tcb_svn: [0; 16],
        mrseam: [0; 48].into(),
        mrsignerseam: [0; 48].into(),
        seam_attributes: 0,
        td_attributes: 0,
        xfam: 0,
        mrtd: [0; 48].into(),
        mrconfigid: [0; 48].into(),
        mrowner: [0; 48].into(),
        mrownerconfig: [0; 48].into(),
        rtmr: [[0; 48].into(); 4],
        report_data: report_data.try_into().unwrap(),
        td15: None,
        td15_extended: None,
    };
    let data = SignatureData {
        signature: &[0; 64],
        attestation_key: &[0; 64],
        qe_report: &[0; 384],
        qe_signature: &[0; 64],
        qe_authentication: &[0; 32],
        chain: &[vec![1], vec![2], vec![3]],
    };
    let quote = QuoteToSign::over(&Report::Td(report)).unwrap();
    quote.with_signature(&data).unwrap()
}

/// A SEV-SNP report of version 3 with this report data of 64 bytes, of a guest that cannot be debugged. Its signature is zero.
pub fn snp_report(report_data: &[u8]) -> Vec<u8> {
    let mut report = vec![0; 1184];
    report[0] = 3;
    report[0x0a] = 3;
    report[0x34] = 1;
    report[0x50..0x90].copy_from_slice(report_data);
    report[0x188..0x18b].copy_from_slice(&[0x19, 1, 1]);
    report
}
