//! What a quote says: the TD's report, the enclave's report.

use atls_reference::Digest;
use dcap_qvl::quote::EnclaveReport;
use dcap_qvl::quote::Report;
use dcap_qvl::quote::TDReport10;
use dcap_qvl::quote::TDReport15;
use dcap_qvl::quote::TDReport15Ex;

use crate::error::QuoteError;

/// The TD's report, as the quote's body has it (Intel TDX DCAP Quoting Library API, "TD Quote Body"; Intel TDX Module
/// ABI, `TDREPORT_STRUCT`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TdReport {
    /// `TEE_TCB_SVN`: the TDX module that launched the TD; 0 is its minor, 1 its major version.
    pub tee_tcb_svn: [u8; 16],
    /// `MRSEAM`: the TDX module.
    pub mrseam: Digest<48>,
    /// `MRSIGNERSEAM`: who signed it; zero for Intel.
    pub mrsignerseam: Digest<48>,
    /// `SEAMATTRIBUTES`.
    pub seam_attributes: u64,
    /// `TDATTRIBUTES`; see [`attributes`](crate::attributes).
    pub td_attributes: u64,
    /// `XFAM`: the extended features of the processor that the TD may use, as `XCR0` and `IA32_XSS` number them.
    pub xfam: u64,
    /// `MRTD`: what was in the TD when it started: its firmware.
    pub mrtd: Digest<48>,
    /// `MRCONFIGID`: chosen by the host at launch, for configuration.
    pub mrconfigid: Digest<48>,
    /// `MROWNER`: chosen by the host at launch, for the owner.
    pub mrowner: Digest<48>,
    /// `MROWNERCONFIG`: chosen by the host at launch, for the owner's configuration.
    pub mrownerconfig: Digest<48>,
    /// `RTMR0` to `RTMR3`: by convention firmware configuration, boot loader and kernel, command line and initial
    /// file system, applications.
    pub rtmr: [Digest<48>; 4],
    /// `REPORTDATA`: SHA-512 of the binder.
    pub report_data: [u8; 64],
    /// What bodies of TDX 1.5 add.
    pub td15: Option<Td15>,
    /// What extended bodies add.
    pub td15_extended: Option<Td15Extended>,
}

/// What bodies of TDX 1.5 add.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Td15 {
    /// `TEE_TCB_SVN_2`: the TDX module that runs the TD now.
    pub tee_tcb_svn_2: [u8; 16],
    /// `MRSERVICETD`: the service TDs that are bound to the TD, such as one that migrates it.
    pub mrservicetd: Digest<48>,
}

/// What extended bodies of TDX 1.5 add, as far as it decides anything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Td15Extended {
    /// Identifies the TD for as long as it lives.
    pub td_id: Digest<32>,
    /// The service TDs that were bound when the TD was made.
    pub initial_service_td: Digest<48>,
    /// The service TDs that are bound now.
    pub current_service_td: Digest<48>,
}

/// An enclave's report (Intel SDM volume 3D, "REPORT" structure, `REPORTBODY`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SgxReport {
    /// `CPUSVN`.
    pub cpu_svn: [u8; 16],
    /// `ATTRIBUTES.FLAGS`; see [`attributes`](crate::attributes).
    pub flags: u64,
    /// `ATTRIBUTES.XFRM`.
    pub xfrm: u64,
    /// `MISCSELECT`.
    pub misc_select: u32,
    /// `MRENCLAVE`: the enclave.
    pub mrenclave: Digest<32>,
    /// `MRSIGNER`: who signed it.
    pub mrsigner: Digest<32>,
    /// `ISVPRODID`.
    pub isv_prod_id: u16,
    /// `ISVSVN`.
    pub isv_svn: u16,
    /// `ISVEXTPRODID`, zero without Key Separation and Sharing.
    pub isv_ext_prod_id: Digest<16>,
    /// `ISVFAMILYID`, zero without Key Separation and Sharing.
    pub isv_family_id: Digest<16>,
    /// `CONFIGID`: chosen by whoever starts the enclave, zero without Key Separation and Sharing.
    pub config_id: Digest<64>,
    /// `CONFIGSVN`.
    pub config_svn: u16,
    /// `REPORTDATA`: SHA-512 of the binder.
    pub report_data: [u8; 64],
}

#[cfg(feature = "testing")]
impl Td15 {
    /// Run by this TDX module, without service TDs.
    pub fn new(tee_tcb_svn_2: [u8; 16]) -> Self {
        Self {
            tee_tcb_svn_2,
            mrservicetd: [0; 48].into(),
        }
    }
}

#[cfg(feature = "testing")]
impl Td15Extended {
    /// Without service TDs.
    pub fn new() -> Self {
        Self {
            td_id: [0x1d; 32].into(),
            initial_service_td: [0; 48].into(),
            current_service_td: [0; 48].into(),
        }
    }
}

#[cfg(feature = "testing")]
impl Default for Td15Extended {
    fn default() -> Self {
        Self::new()
    }
}

impl TdReport {
    /// `None` for an enclave's.
    pub(crate) fn of(report: &Report) -> Option<Self> {
        match report {
            Report::SgxEnclave(_) => None,
            Report::TD10(report) => Some(report.into()),
            Report::TD15(report) => Some(report.into()),
            Report::TD15Ex(report) => Some(report.into()),
        }
    }
}

impl From<&TDReport10> for TdReport {
    fn from(report: &TDReport10) -> Self {
        Self {
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
}

impl From<&TDReport15> for TdReport {
    fn from(report: &TDReport15) -> Self {
        Self {
            td15: Some(Td15 {
                tee_tcb_svn_2: report.tee_tcb_svn2,
                mrservicetd: report.mr_service_td.into(),
            }),
            ..Self::from(&report.base)
        }
    }
}

impl From<&TDReport15Ex> for TdReport {
    fn from(report: &TDReport15Ex) -> Self {
        Self {
            td15_extended: Some(Td15Extended {
                td_id: report.td_id.into(),
                initial_service_td: report.init_service_td_hash.into(),
                current_service_td: report.cur_service_td_hash.into(),
            }),
            ..Self::from(&report.base)
        }
    }
}

impl TryFrom<&EnclaveReport> for SgxReport {
    type Error = QuoteError;

    fn try_from(report: &EnclaveReport) -> Result<Self, QuoteError> {
        // Named by the SDM, reserved for the DCAP library.
        Ok(Self {
            cpu_svn: report.cpu_svn,
            flags: u64::from_le_bytes(part(&report.attributes, 0)?),
            xfrm: u64::from_le_bytes(part(&report.attributes, 8)?),
            misc_select: report.misc_select,
            mrenclave: report.mr_enclave.into(),
            mrsigner: report.mr_signer.into(),
            isv_prod_id: report.isv_prod_id,
            isv_svn: report.isv_svn,
            isv_ext_prod_id: part::<16>(&report.reserved1, 12)?.into(),
            isv_family_id: part::<16>(&report.reserved4, 44)?.into(),
            config_id: part::<64>(&report.reserved3, 32)?.into(),
            config_svn: u16::from_le_bytes(part(&report.reserved4, 0)?),
            report_data: report.report_data,
        })
    }
}

fn part<const N: usize>(octets: &[u8], at: usize) -> Result<[u8; N], QuoteError> {
    octets
        .get(at..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or(QuoteError::Malformed("body"))
}
