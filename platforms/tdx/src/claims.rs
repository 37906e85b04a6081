//! The claims that handlers see: `peer.claims::<TdxClaims>()`, `peer.claims::<SgxClaims>()`.

use std::fmt;

use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Event;
use atls_formats::dcap::SgxReport;
use atls_formats::dcap::TdReport;
use atls_reference::Digest;
use dcap_qvl::PckCertFlag;
use dcap_qvl::QuoteClaims;
use dcap_qvl::intel::PckExtension;

use crate::error::QuoteError;
use crate::policy::TcbStatus;
use crate::tcb;
use crate::tcb::PartTcb;
use crate::time;

/// A TD whose quote was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TdxClaims {
    /// The name of the image in the policy that the TD measures as.
    pub image: Option<String>,
    /// The measurements and attributes of the TD.
    pub report: TdReport,
    /// The platform under it.
    pub platform: PlatformClaims,
    /// The events of its log, where it sent one; they lead to the RTMRs in [`report`](Self::report).
    pub events: Vec<Event>,
}

/// An enclave whose quote was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SgxClaims {
    /// The name in the policy that the enclave is known by.
    pub enclave: Option<String>,
    /// The measurements and attributes of the enclave.
    pub report: SgxReport,
    /// The platform under it.
    pub platform: PlatformClaims,
}

/// The platform, as Intel's certificate and TCB Info describe it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlatformClaims {
    /// Intel's rating; `None` where it was not looked up, because no policy can accept the TD.
    pub tcb_status: Option<TcbStatus>,
    /// Intel's security advisories that apply: `INTEL-SA-…`.
    pub advisories: Vec<String>,
    /// The lower `tcbEvaluationDataNumber` of TCB Info and QE Identity.
    pub tcb_evaluation_data_number: Option<u32>,
    /// The date of the oldest level that fits the platform, its TDX module or its Quoting Enclave.
    pub tcb_date: Option<UnixTime>,
    /// Each part of the platform: its level, and how far it is behind. Empty where the collateral was not verified.
    pub parts: Vec<PartTcb>,
    /// Intel's rating by its early issue, where that is at hand and newer than the issue in force. It warns of a refusal to come,
    /// and decides nothing.
    pub early: Option<EarlyTcb>,
    /// Family, model, stepping, platform type and custom SKU.
    pub fmspc: Digest<6>,
    /// Provisioning ID: identifies the processor. Personal data; do not log it.
    pub ppid: Digest<16>,
    /// Identifies the platform; absent where a single package is its own platform. Personal data.
    pub platform_instance_id: Option<Digest<16>>,
    /// Packages may be added; absent in certificates of the Processor CA, as are the next two.
    pub dynamic_platform: Option<bool>,
    /// Intel keeps the platform's root keys.
    pub cached_keys: Option<bool>,
    /// Hyper-threading is on.
    pub smt: Option<bool>,
    /// The end of the first piece of collateral or certificate. Where [`tcb_status`](Self::tcb_status) is `None`, the
    /// collateral was not verified, and this is its own statement.
    pub collateral_expires_at: UnixTime,
    /// Whether that end is past, and the policy's grace period covers it.
    pub collateral_is_stale: bool,
}

/// The rating that a platform will have when Intel's early issue becomes the standard one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EarlyTcb {
    /// The number that will become the standard one: the lower of both documents.
    pub tcb_evaluation_data_number: u32,
    /// The status of the platform then.
    pub tcb_status: TcbStatus,
    /// Intel's security advisories that will apply.
    pub advisories: Vec<String>,
    /// The date of the oldest level that will fit a part.
    pub tcb_date: Option<UnixTime>,
    /// Each part of the platform, and how far it will be behind.
    pub parts: Vec<PartTcb>,
}

impl EarlyTcb {
    pub(crate) fn new(number: u32, parts: Vec<PartTcb>) -> Self {
        Self {
            tcb_evaluation_data_number: number,
            tcb_status: tcb::worst(&parts),
            advisories: tcb::advisories(&parts),
            tcb_date: tcb::oldest(&parts),
            parts,
        }
    }
}

/// The TCB of a platform that the library gives no claims about.
pub(crate) struct PartialTcb {
    pub(crate) status: Option<TcbStatus>,
    pub(crate) parts: Vec<PartTcb>,
    /// The end of the collateral.
    pub(crate) expires_at: UnixTime,
}

impl PlatformClaims {
    /// By the library's status and by those of the parts, whichever is worse.
    pub(crate) fn from_library(
        claims: &QuoteClaims,
        parts: Vec<PartTcb>,
    ) -> Result<Self, QuoteError> {
        let pck = &claims.platform.pck;
        let library = TcbStatus::from_library(claims.tcb.status);
        let status = tcb::worst(&parts).beside(library);
        let mut advisories = tcb::advisories(&parts);
        for advisory in &claims.tcb.advisory_ids {
            if !advisories.contains(advisory) {
                advisories.push(advisory.clone());
            }
        }
        Ok(Self {
            tcb_status: Some(status),
            advisories,
            tcb_evaluation_data_number: Some(claims.tcb.eval_data_number),
            tcb_date: tcb::oldest(&parts),
            parts,
            early: None,
            fmspc: pck.fmspc.into(),
            ppid: ppid(&pck.ppid)?,
            platform_instance_id: pck.platform_instance_id.map(Digest::from),
            dynamic_platform: flag(pck.dynamic_platform),
            cached_keys: flag(pck.cached_keys),
            smt: flag(pck.smt_enabled),
            collateral_expires_at: time::seconds(claims.earliest_expiration_date),
            collateral_is_stale: false,
        })
    }

    /// For a platform that Intel's collateral has no level for, or that was not looked up there.
    pub(crate) fn from_certificate(
        pck: &PckExtension,
        tcb: PartialTcb,
    ) -> Result<Self, QuoteError> {
        let instance: Option<[u8; 16]> = match &pck.platform_instance_id {
            None => None,
            Some(id) => Some(
                id.as_slice()
                    .try_into()
                    .map_err(|_| QuoteError::PCK_CERTIFICATE)?,
            ),
        };
        Ok(Self {
            tcb_status: tcb.status,
            advisories: Vec::new(),
            tcb_evaluation_data_number: None,
            tcb_date: None,
            parts: tcb.parts,
            early: None,
            fmspc: pck.fmspc.into(),
            ppid: ppid(&pck.ppid)?,
            platform_instance_id: instance.map(Digest::from),
            dynamic_platform: pck.dynamic_platform,
            cached_keys: pck.cached_keys,
            smt: pck.smt_enabled,
            collateral_expires_at: tcb.expires_at,
            collateral_is_stale: false,
        })
    }
}

/// Without the values that identify a machine.
impl fmt::Debug for PlatformClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformClaims")
            .field("tcb_status", &self.tcb_status)
            .field("advisories", &self.advisories)
            .field(
                "tcb_evaluation_data_number",
                &self.tcb_evaluation_data_number,
            )
            .field("tcb_date", &self.tcb_date)
            .field("parts", &self.parts)
            .field("early", &self.early)
            .field("fmspc", &self.fmspc)
            .field("dynamic_platform", &self.dynamic_platform)
            .field("cached_keys", &self.cached_keys)
            .field("smt", &self.smt)
            .field("collateral_expires_at", &self.collateral_expires_at)
            .field("collateral_is_stale", &self.collateral_is_stale)
            .finish_non_exhaustive()
    }
}

fn ppid(bytes: &[u8]) -> Result<Digest<16>, QuoteError> {
    let bytes: [u8; 16] = bytes.try_into().map_err(|_| QuoteError::PCK_CERTIFICATE)?;
    Ok(bytes.into())
}

fn flag(flag: PckCertFlag) -> Option<bool> {
    match flag {
        PckCertFlag::False => Some(false),
        PckCertFlag::True => Some(true),
        PckCertFlag::Undefined => None,
    }
}
