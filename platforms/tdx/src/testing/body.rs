//! Reports in bytes.

use atls_formats::dcap::SgxReport;
use atls_formats::dcap::TdReport;
use atls_reference::Digest;

use super::platform::ForgedPlatform;
use crate::attributes;

pub(super) fn td_report() -> TdReport {
    TdReport {
        // ISVSVN 4 of major version 1.
        tee_tcb_svn: 0x0104_u128.to_le_bytes(),
        mrseam: [0x5e; 48].into(),
        mrsignerseam: [0; 48].into(),
        seam_attributes: 0,
        td_attributes: attributes::TD_SEPT_VE_DISABLE,
        xfam: 0xe7,
        mrtd: [0x7d; 48].into(),
        mrconfigid: [0; 48].into(),
        mrowner: [0; 48].into(),
        mrownerconfig: [0; 48].into(),
        rtmr: [0xa0, 0xa1, 0xa2, 0xa3].map(|byte| Digest::from([byte; 48])),
        report_data: [0; 64],
        td15: None,
        td15_extended: None,
    }
}

pub(super) fn sgx_report(platform: &ForgedPlatform) -> SgxReport {
    SgxReport {
        cpu_svn: [platform.svn; 16],
        flags: attributes::SGX_INIT | attributes::SGX_MODE64BIT,
        xfrm: 0xe7,
        misc_select: 0,
        mrenclave: [0xe0; 32].into(),
        mrsigner: [0xe1; 32].into(),
        isv_prod_id: 7,
        isv_svn: 3,
        isv_ext_prod_id: [0; 16].into(),
        isv_family_id: [0; 16].into(),
        config_id: [0; 64].into(),
        config_svn: 0,
        report_data: [0; 64],
    }
}

/// The Quoting Enclave's report over `covered`, 32 bytes.
pub(super) fn qe_report(platform: &ForgedPlatform, covered: &[u8]) -> [u8; 384] {
    let report = SgxReport {
        mrsigner: platform.qe_signer.into(),
        isv_prod_id: 1,
        isv_svn: platform.qe_svn,
        ..sgx_report(platform)
    };
    let mut bytes = report.encode();
    for (byte, value) in bytes.iter_mut().skip(48).zip(platform.qe_attributes) {
        *byte = value;
    }
    for (byte, value) in bytes.iter_mut().skip(320).zip(covered) {
        *byte = *value;
    }
    bytes
}
