//! Reports in octets.

use atls_reference::Digest;

use super::ForgeError;
use super::ForgedPlatform;
use crate::attributes;
use crate::report::SgxReport;
use crate::report::TdReport;

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
        rtmr: [0xa0, 0xa1, 0xa2, 0xa3].map(|octet| Digest::from([octet; 48])),
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

/// Header and body of a quote over it.
pub(super) fn signed_td(report: &TdReport) -> Result<Vec<u8>, ForgeError> {
    let (version, kind) = match (&report.td15, &report.td15_extended) {
        (None, None) => (4, None),
        (Some(_), None) => (5, Some(3_u16)),
        (Some(_), Some(_)) => (5, Some(4_u16)),
        (None, Some(_)) => return Err(ForgeError),
    };
    let body = td_body(report);
    let mut octets = header(version, 0x81);
    if let Some(kind) = kind {
        octets.extend(kind.to_le_bytes());
        let length = u32::try_from(body.len()).map_err(|_| ForgeError)?;
        octets.extend(length.to_le_bytes());
    }
    octets.extend(body);
    Ok(octets)
}

pub(super) fn signed_enclave(report: &SgxReport) -> Vec<u8> {
    let mut octets = header(3, 0);
    octets.extend(enclave_body(report));
    octets
}

/// The Quoting Enclave's report over `covered`, 32 octets.
pub(super) fn qe_report(platform: &ForgedPlatform, covered: &[u8]) -> Vec<u8> {
    let mut octets = enclave_body(&SgxReport {
        mrsigner: platform.qe_signer.into(),
        isv_prod_id: 1,
        isv_svn: platform.qe_svn,
        ..sgx_report(platform)
    });
    for (octet, value) in octets.iter_mut().skip(48).zip(platform.qe_attributes) {
        *octet = value;
    }
    for (octet, value) in octets.iter_mut().skip(320).zip(covered) {
        *octet = *value;
    }
    octets
}

fn header(version: u16, tee: u32) -> Vec<u8> {
    [
        &version.to_le_bytes()[..],
        &2_u16.to_le_bytes(),
        &tee.to_le_bytes(),
        &[0; 4],
        &dcap_qvl::INTEL_QE_VENDOR_ID,
        &[0; 20],
    ]
    .concat()
}

fn td_body(report: &TdReport) -> Vec<u8> {
    let mut octets = [
        &report.tee_tcb_svn[..],
        report.mrseam.as_ref(),
        report.mrsignerseam.as_ref(),
        &report.seam_attributes.to_le_bytes(),
        &report.td_attributes.to_le_bytes(),
        &report.xfam.to_le_bytes(),
        report.mrtd.as_ref(),
        report.mrconfigid.as_ref(),
        report.mrowner.as_ref(),
        report.mrownerconfig.as_ref(),
    ]
    .concat();
    for register in &report.rtmr {
        octets.extend(register.as_ref());
    }
    octets.extend(report.report_data);
    if let Some(td) = &report.td15 {
        octets.extend(td.tee_tcb_svn_2);
        octets.extend(td.mrservicetd.as_ref());
    }
    if let Some(td) = &report.td15_extended {
        octets.push(0);
        octets.extend(td.td_id.as_ref());
        octets.extend([0; 48]);
        octets.extend(td.initial_service_td.as_ref());
        octets.extend([0; 8 + 16 + 16 + 12]);
        octets.extend(td.current_service_td.as_ref());
        octets.extend([0; 8]);
    }
    octets
}

fn enclave_body(report: &SgxReport) -> Vec<u8> {
    [
        &report.cpu_svn[..],
        &report.misc_select.to_le_bytes(),
        &[0; 12],
        report.isv_ext_prod_id.as_ref(),
        &report.flags.to_le_bytes(),
        &report.xfrm.to_le_bytes(),
        report.mrenclave.as_ref(),
        &[0; 32],
        report.mrsigner.as_ref(),
        &[0; 32],
        report.config_id.as_ref(),
        &report.isv_prod_id.to_le_bytes(),
        &report.isv_svn.to_le_bytes(),
        &report.config_svn.to_le_bytes(),
        &[0; 42],
        report.isv_family_id.as_ref(),
        &report.report_data,
    ]
    .concat()
}
