//! The reader of formats and the DCAP library read the same fields.
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use atls_formats::dcap::Quote;
use atls_tdx::SgxReport;
use atls_tdx::TdReport;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use dcap_qvl::quote::Quote as LibraryQuote;
use support::NOW;
use support::REPORT_DATA;
use support::extended;
use support::td15;

#[test]
fn bodies_of_tds_are_read_as_by_the_library() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let plain = TdReport {
        seam_attributes: 0x0102_0304_0506_0708,
        mrsignerseam: [0x51; 48].into(),
        mrconfigid: [0x52; 48].into(),
        mrowner: [0x53; 48].into(),
        mrownerconfig: [0x54; 48].into(),
        ..platform.td_report()
    };
    for report in [plain.clone(), td15(&plain), extended(&plain)] {
        let bytes = platform.tdx_quote(&report, &REPORT_DATA).unwrap();
        let ours = Quote::decode(&bytes, Tee::Tdx).unwrap();
        let ours = ours.report.as_td().unwrap();
        let library = LibraryQuote::parse(&bytes).unwrap().report;
        let td = library.as_td10().unwrap();
        assert_eq!(td.tee_tcb_svn, ours.tee_tcb_svn);
        assert_eq!(td.seam_attributes, ours.seam_attributes.to_le_bytes());
        assert_eq!(td.td_attributes, ours.td_attributes.to_le_bytes());
        assert_eq!(td.xfam, ours.xfam.to_le_bytes());
        assert_eq!(td.report_data, ours.report_data);
        for (library, ours) in [
            (&td.mr_seam, &ours.mrseam),
            (&td.mr_signer_seam, &ours.mrsignerseam),
            (&td.mr_td, &ours.mrtd),
            (&td.mr_config_id, &ours.mrconfigid),
            (&td.mr_owner, &ours.mrowner),
            (&td.mr_owner_config, &ours.mrownerconfig),
            (&td.rt_mr0, &ours.rtmr[0]),
            (&td.rt_mr1, &ours.rtmr[1]),
            (&td.rt_mr2, &ours.rtmr[2]),
            (&td.rt_mr3, &ours.rtmr[3]),
        ] {
            assert_eq!(library, ours.as_bytes());
        }
        let library_td15 = library.as_td15();
        assert_eq!(library_td15.is_some(), ours.td15.is_some());
        if let (Some(td), Some(ours)) = (library_td15, &ours.td15) {
            assert_eq!(td.tee_tcb_svn2, ours.tee_tcb_svn_2);
            assert_eq!(&td.mr_service_td, ours.mrservicetd.as_bytes());
        }
        if let Some(ours) = &ours.td15_extended {
            let dcap_qvl::quote::Report::TD15Ex(td) = &library else {
                panic!("the library reads no extended body")
            };
            assert_eq!(&td.td_id, ours.td_id.as_bytes());
            let hashes = [&td.init_service_td_hash, &td.cur_service_td_hash];
            let read = [&ours.initial_service_td, &ours.current_service_td];
            assert_eq!(hashes, read.map(|hash| hash.as_bytes()));
        }
    }
}

#[test]
fn enclaves_are_read_as_by_the_library() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = SgxReport {
        misc_select: 0x0102_0304,
        config_id: [0x61; 64].into(),
        ..platform.sgx_report()
    };
    let bytes = platform.sgx_quote(&report, &REPORT_DATA).unwrap();
    let ours = Quote::decode(&bytes, Tee::Sgx).unwrap();
    let ours = ours.report.as_sgx().unwrap();
    let library = LibraryQuote::parse(&bytes).unwrap().report;
    let enclave = library.as_sgx().unwrap();
    assert_eq!(enclave.cpu_svn, ours.cpu_svn);
    assert_eq!(enclave.misc_select, ours.misc_select);
    let attributes = [ours.flags.to_le_bytes(), ours.xfrm.to_le_bytes()].concat();
    assert_eq!(enclave.attributes[..], attributes);
    assert_eq!(&enclave.mr_enclave, ours.mrenclave.as_bytes());
    assert_eq!(&enclave.mr_signer, ours.mrsigner.as_bytes());
    assert_eq!(enclave.isv_prod_id, ours.isv_prod_id);
    assert_eq!(enclave.isv_svn, ours.isv_svn);
    assert_eq!(enclave.report_data, ours.report_data);
}
