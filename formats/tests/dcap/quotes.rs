//! Quotes and reports of random values.

use atls_formats::Digest;
use atls_formats::dcap::QuoteToSign;
use atls_formats::dcap::Report;
use atls_formats::dcap::SgxReport;
use atls_formats::dcap::SignatureData;
use atls_formats::dcap::Td15;
use atls_formats::dcap::Td15Extended;
use atls_formats::dcap::TdReport;
use atls_formats::dcap::Tee;

pub(crate) fn tee(report: &Report) -> Tee {
    match report {
        Report::Sgx(_) => Tee::Sgx,
        Report::Td(_) => Tee::Tdx,
    }
}

pub(crate) fn reports() -> [Report; 4] {
    [
        Report::Sgx(sgx()),
        Report::Td(plain()),
        Report::Td(td(false)),
        Report::Td(td(true)),
    ]
}

pub(crate) fn plain() -> TdReport {
    TdReport {
        td15: None,
        ..td(false)
    }
}

/// Of TDX 1.5, with or without the extended fields.
pub(crate) fn td(is_extended: bool) -> TdReport {
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

pub(crate) fn sgx() -> SgxReport {
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

pub(crate) fn chain() -> Vec<Vec<u8>> {
    vec![vec![0x30; 100], vec![0x31; 48], vec![0x32; 3]]
}

pub(crate) fn quote(report: &Report) -> Vec<u8> {
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
