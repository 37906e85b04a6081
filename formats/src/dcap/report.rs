//! The reports that quotes carry: of a TD, of an enclave.

use super::error::CutShort;
use super::error::QuoteFormatError;
use super::reader::Reader;
use crate::Debugging;
use crate::Digest;

/// The body of a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_enums,
    clippy::large_enum_variant,
    reason = "the two that DCAP serves, and one of them for a quote"
)]
pub enum Report {
    /// The report of an enclave.
    Sgx(SgxReport),
    /// The report of a trust domain.
    Td(TdReport),
}

impl Report {
    /// The enclave's report, `None` for a TD's.
    pub fn as_sgx(&self) -> Option<&SgxReport> {
        match self {
            Self::Sgx(report) => Some(report),
            Self::Td(_) => None,
        }
    }

    /// The TD's report, `None` for an enclave's.
    pub fn as_td(&self) -> Option<&TdReport> {
        match self {
            Self::Sgx(_) => None,
            Self::Td(report) => Some(report),
        }
    }

    /// `REPORTDATA`.
    pub fn report_data(&self) -> &[u8; 64] {
        match self {
            Self::Sgx(report) => &report.report_data,
            Self::Td(report) => &report.report_data,
        }
    }
}

/// The TD's report, as the quote's body has it (Intel TDX DCAP Quoting Library API, "TD Quote Body"; Intel TDX Module
/// ABI, `TDREPORT_STRUCT`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "Intel fixed the layout; whoever writes a report fills it"
)]
pub struct TdReport {
    /// `TEE_TCB_SVN`: the TDX module that launched the TD; 0 is its minor, 1 its major version.
    pub tee_tcb_svn: [u8; 16],
    /// `MRSEAM`: the TDX module.
    pub mrseam: Digest<48>,
    /// `MRSIGNERSEAM`: the signer of the TDX module; zero for Intel.
    pub mrsignerseam: Digest<48>,
    /// `SEAMATTRIBUTES`.
    pub seam_attributes: u64,
    /// `TDATTRIBUTES`, a bit each.
    pub td_attributes: u64,
    /// `XFAM`: the extended features of the processor that the TD may use, as `XCR0` and `IA32_XSS` number them.
    pub xfam: u64,
    /// `MRTD`: the contents of the TD at its start, which are its firmware.
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
    /// `REPORTDATA`: see [`report_data`](super::report_data).
    pub report_data: [u8; 64],
    /// The fields that bodies of TDX 1.5 add.
    pub td15: Option<Td15>,
    /// The fields that extended bodies add; only beside those of TDX 1.5.
    pub td15_extended: Option<Td15Extended>,
}

/// The fields that bodies of TDX 1.5 add.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "Intel fixed the layout; whoever writes a report fills it"
)]
pub struct Td15 {
    /// `TEE_TCB_SVN_2`: the TDX module that runs the TD now.
    pub tee_tcb_svn_2: [u8; 16],
    /// `MRSERVICETD`: the service TDs that are bound to the TD, such as one that migrates it.
    pub mrservicetd: Digest<48>,
}

/// The fields that extended bodies of TDX 1.5 add, as far as they decide anything.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "Intel fixed the layout; whoever writes a report fills it"
)]
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
#[allow(
    clippy::exhaustive_structs,
    reason = "Intel fixed the layout; whoever writes a report fills it"
)]
pub struct SgxReport {
    /// `CPUSVN`.
    pub cpu_svn: [u8; 16],
    /// `ATTRIBUTES.FLAGS`, a bit each.
    pub flags: u64,
    /// `ATTRIBUTES.XFRM`.
    pub xfrm: u64,
    /// `MISCSELECT`.
    pub misc_select: u32,
    /// `MRENCLAVE`: the enclave.
    pub mrenclave: Digest<32>,
    /// `MRSIGNER`: the signer of the enclave.
    pub mrsigner: Digest<32>,
    /// `ISVPRODID`.
    pub isv_prod_id: u16,
    /// `ISVSVN`.
    pub isv_svn: u16,
    /// `ISVEXTPRODID`, zero without Key Separation and Sharing.
    pub isv_ext_prod_id: Digest<16>,
    /// `ISVFAMILYID`, zero without Key Separation and Sharing.
    pub isv_family_id: Digest<16>,
    /// `CONFIGID`: chosen where the enclave is started, zero without Key Separation and Sharing.
    pub config_id: Digest<64>,
    /// `CONFIGSVN`.
    pub config_svn: u16,
    /// `REPORTDATA`: see [`report_data`](super::report_data).
    pub report_data: [u8; 64],
}

impl TdReport {
    /// Reads a body; its length says which of the three it is.
    pub(super) fn decode(body: &[u8]) -> Result<Self, QuoteFormatError> {
        let mut reader = Reader::of(body);
        let report = Self::fields(&mut reader, body.len())?;
        match reader.rest {
            [] => Ok(report),
            _ => Err(QuoteFormatError::of("body size")),
        }
    }

    fn fields(reader: &mut Reader<'_>, size: usize) -> Result<Self, CutShort> {
        Ok(Self {
            tee_tcb_svn: reader.array()?,
            mrseam: reader.array()?.into(),
            mrsignerseam: reader.array()?.into(),
            seam_attributes: reader.u64()?,
            td_attributes: reader.u64()?,
            xfam: reader.u64()?,
            mrtd: reader.array()?.into(),
            mrconfigid: reader.array()?.into(),
            mrowner: reader.array()?.into(),
            mrownerconfig: reader.array()?.into(),
            rtmr: [
                reader.array()?.into(),
                reader.array()?.into(),
                reader.array()?.into(),
                reader.array()?.into(),
            ],
            report_data: reader.array()?,
            td15: match size {
                TD_REPORT => None,
                _ => Some(Td15 {
                    tee_tcb_svn_2: reader.array()?,
                    mrservicetd: reader.array()?.into(),
                }),
            },
            td15_extended: match size {
                TD_REPORT_15_EXTENDED => Some(Td15Extended::fields(reader)?),
                _ => None,
            },
        })
    }

    /// The body of a quote over it. Fields that have no name here are zero.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = [
            &self.tee_tcb_svn[..],
            self.mrseam.as_ref(),
            self.mrsignerseam.as_ref(),
            &self.seam_attributes.to_le_bytes(),
            &self.td_attributes.to_le_bytes(),
            &self.xfam.to_le_bytes(),
            self.mrtd.as_ref(),
            self.mrconfigid.as_ref(),
            self.mrowner.as_ref(),
            self.mrownerconfig.as_ref(),
        ]
        .concat();
        for register in &self.rtmr {
            bytes.extend(register.as_ref());
        }
        bytes.extend(self.report_data);
        if let Some(td) = &self.td15 {
            bytes.extend(td.tee_tcb_svn_2);
            bytes.extend(td.mrservicetd.as_ref());
        }
        if let Some(td) = &self.td15_extended {
            bytes.push(0);
            bytes.extend(td.td_id.as_ref());
            bytes.extend([0; DEVICE_INFORMATION]);
            bytes.extend(td.initial_service_td.as_ref());
            bytes.extend([0; INITIAL_STATE]);
            bytes.extend(td.current_service_td.as_ref());
            bytes.extend([0; SERVICE_TD_ATTRIBUTES]);
        }
        bytes
    }

    /// The service TDs that the TD is bound to, zero for none.
    pub fn service_tds(&self) -> impl Iterator<Item = &Digest<48>> {
        let bound = self.td15.iter().map(|td| &td.mrservicetd);
        let extended = self.td15_extended.iter();
        bound.chain(extended.flat_map(|td| [&td.initial_service_td, &td.current_service_td]))
    }

    /// Whether the host may see into the TD, by its [attributes](debugging).
    pub fn debugging(&self) -> Debugging {
        debugging(self.td_attributes)
    }
}

/// Whether the host may see into a TD of these attributes (`TDATTRIBUTES`): any bit of the first byte, `TUD`, says so. Bit 29,
/// `MIGRATABLE`, does too: the host binds the TD to the service TD that gets the keys to move it, and no measurement of the TD covers
/// which one.
pub fn debugging(td_attributes: u64) -> Debugging {
    match td_attributes & (UNDER_DEBUG | MIGRATABLE) {
        0 => Debugging::Denied,
        _ => Debugging::Allowed,
    }
}

impl Td15 {
    /// A TD that this TDX module runs, without service TDs.
    pub fn new(tee_tcb_svn_2: [u8; 16]) -> Self {
        Self {
            tee_tcb_svn_2,
            mrservicetd: [0; 48].into(),
        }
    }
}

impl Td15Extended {
    /// A TD without service TDs.
    pub fn new(td_id: [u8; 32]) -> Self {
        Self {
            td_id: td_id.into(),
            initial_service_td: [0; 48].into(),
            current_service_td: [0; 48].into(),
        }
    }

    fn fields(reader: &mut Reader<'_>) -> Result<Self, CutShort> {
        let _vm_index = reader.take(1)?;
        let td_id = reader.array()?.into();
        let _device_information = reader.take(DEVICE_INFORMATION)?;
        let initial_service_td = reader.array()?.into();
        let _initial_state = reader.take(INITIAL_STATE)?;
        let current_service_td = reader.array()?.into();
        let _service_td_attributes = reader.take(SERVICE_TD_ATTRIBUTES)?;
        Ok(Self {
            td_id,
            initial_service_td,
            current_service_td,
        })
    }
}

impl SgxReport {
    /// Reads a body, or the report of a Quoting Enclave.
    pub(super) fn decode(body: &[u8]) -> Result<Self, CutShort> {
        let mut reader = Reader::of(body);
        let cpu_svn = reader.array()?;
        let misc_select = reader.u32()?;
        let _reserved = reader.take(12)?;
        let isv_ext_prod_id = reader.array()?.into();
        let flags = reader.u64()?;
        let xfrm = reader.u64()?;
        let mrenclave = reader.array()?.into();
        let _reserved = reader.take(32)?;
        let mrsigner = reader.array()?.into();
        let _reserved = reader.take(32)?;
        let config_id = reader.array()?.into();
        let isv_prod_id = reader.u16()?;
        let isv_svn = reader.u16()?;
        let config_svn = reader.u16()?;
        let _reserved = reader.take(42)?;
        Ok(Self {
            cpu_svn,
            flags,
            xfrm,
            misc_select,
            mrenclave,
            mrsigner,
            isv_prod_id,
            isv_svn,
            isv_ext_prod_id,
            isv_family_id: reader.array()?.into(),
            config_id,
            config_svn,
            report_data: reader.array()?,
        })
    }

    /// `REPORTBODY`. Reserved fields are zero.
    pub fn encode(&self) -> [u8; SGX_REPORT] {
        let fields = [
            &self.cpu_svn[..],
            &self.misc_select.to_le_bytes(),
            &[0; 12],
            self.isv_ext_prod_id.as_ref(),
            &self.flags.to_le_bytes(),
            &self.xfrm.to_le_bytes(),
            self.mrenclave.as_ref(),
            &[0; 32],
            self.mrsigner.as_ref(),
            &[0; 32],
            self.config_id.as_ref(),
            &self.isv_prod_id.to_le_bytes(),
            &self.isv_svn.to_le_bytes(),
            &self.config_svn.to_le_bytes(),
            &[0; 42],
            self.isv_family_id.as_ref(),
            &self.report_data,
        ];
        let mut bytes = [0; SGX_REPORT];
        for (byte, value) in bytes.iter_mut().zip(fields.concat()) {
            *byte = value;
        }
        bytes
    }
}

/// `REPORTBODY` of an enclave, bytes.
pub(super) const SGX_REPORT: usize = 384;
/// TD Quote Body for TDX 1.0, bytes.
pub(super) const TD_REPORT: usize = 584;
/// TD Quote Body for TDX 1.5, bytes.
pub(super) const TD_REPORT_15: usize = 648;
/// TD Quote Body for TDX 1.5 with the extended fields, bytes.
pub(super) const TD_REPORT_15_EXTENDED: usize = 885;

/// `TDATTRIBUTES` (348551, "ATTRIBUTES"), bits 7 to 0.
const UNDER_DEBUG: u64 = 0xff;
/// `TDATTRIBUTES`, bit 29.
const MIGRATABLE: u64 = 1 << 29;
/// Digest of the device information, bytes.
const DEVICE_INFORMATION: usize = 48;
/// Service TD attributes, CPUSVN, TEE_TCB_SVN and FMSPC as the TD was made, bytes.
const INITIAL_STATE: usize = 8 + 16 + 16 + 12;
/// Bytes.
const SERVICE_TD_ATTRIBUTES: usize = 8;
