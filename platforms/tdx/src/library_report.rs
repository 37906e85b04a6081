//! Reports as the DCAP library read them, in the types of this project, so that both readings can be compared.

use atls_formats::dcap::Report;
use atls_formats::dcap::SgxReport;
use atls_formats::dcap::Td15;
use atls_formats::dcap::Td15Extended;
use atls_formats::dcap::TdReport;
use dcap_qvl::quote;
use dcap_qvl::quote::EnclaveReport;
use dcap_qvl::quote::TDReport10;
use dcap_qvl::quote::TDReport15;
use dcap_qvl::quote::TDReport15Ex;

pub(crate) fn of(report: &quote::Report) -> Report {
    match report {
        quote::Report::SgxEnclave(report) => Report::Sgx(of_enclave(report)),
        quote::Report::TD10(report) => Report::Td(of_td(report)),
        quote::Report::TD15(report) => Report::Td(of_td15(report)),
        quote::Report::TD15Ex(report) => Report::Td(of_td15_extended(report)),
    }
}

/// Where the library has one field of reserved bytes, this project has the fields of Key Separation and Sharing in it.
pub(crate) fn of_enclave(report: &EnclaveReport) -> SgxReport {
    SgxReport {
        cpu_svn: report.cpu_svn,
        flags: u64::from_le_bytes(part::<16, 0, 8>(&report.attributes)),
        xfrm: u64::from_le_bytes(part::<16, 8, 8>(&report.attributes)),
        misc_select: report.misc_select,
        mrenclave: report.mr_enclave.into(),
        mrsigner: report.mr_signer.into(),
        isv_prod_id: report.isv_prod_id,
        isv_svn: report.isv_svn,
        isv_ext_prod_id: part::<28, 12, 16>(&report.reserved1).into(),
        isv_family_id: part::<60, 44, 16>(&report.reserved4).into(),
        config_id: part::<96, 32, 64>(&report.reserved3).into(),
        config_svn: u16::from_le_bytes(part::<60, 0, 2>(&report.reserved4)),
        report_data: report.report_data,
    }
}

fn of_td(report: &TDReport10) -> TdReport {
    TdReport {
        tee_tcb_svn: report.tee_tcb_svn,
        mrseam: report.mr_seam.into(),
        mrsignerseam: report.mr_signer_seam.into(),
        seam_attributes: u64::from_le_bytes(report.seam_attributes),
        td_attributes: u64::from_le_bytes(report.td_attributes),
        xfam: u64::from_le_bytes(report.xfam),
        mrtd: report.mr_td.into(),
        mrconfigid: report.mr_config_id.into(),
        mrowner: report.mr_owner.into(),
        mrownerconfig: report.mr_owner_config.into(),
        rtmr: [
            report.rt_mr0.into(),
            report.rt_mr1.into(),
            report.rt_mr2.into(),
            report.rt_mr3.into(),
        ],
        report_data: report.report_data,
        td15: None,
        td15_extended: None,
    }
}

fn of_td15(report: &TDReport15) -> TdReport {
    TdReport {
        td15: Some(Td15 {
            tee_tcb_svn_2: report.tee_tcb_svn2,
            mrservicetd: report.mr_service_td.into(),
        }),
        ..of_td(&report.base)
    }
}

fn of_td15_extended(report: &TDReport15Ex) -> TdReport {
    TdReport {
        td15_extended: Some(Td15Extended {
            td_id: report.td_id.into(),
            initial_service_td: report.init_service_td_hash.into(),
            current_service_td: report.cur_service_td_hash.into(),
        }),
        ..of_td15(&report.base)
    }
}

/// `N` bytes from `AT` on; all zero where a field were shorter, which no caller's is.
fn part<const L: usize, const AT: usize, const N: usize>(field: &[u8; L]) -> [u8; N] {
    let mut bytes = [0; N];
    for (byte, value) in bytes.iter_mut().zip(field.iter().skip(AT)) {
        *byte = *value;
    }
    bytes
}
