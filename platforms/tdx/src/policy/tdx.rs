//! The table `[tdx]`.

use atls_reference::Digest;
use atls_reference::Table;
use atls_reference::corim::Corim;
use serde::Deserialize;
use serde::Serialize;

use super::Advisories;
use super::Pin;
use super::TcbPolicy;
use super::TcbStatus;
use super::corim;
use super::yes;

/// Which TDs are known, on which platforms.
///
/// ```
/// # use atls_tdx::TdxPolicy;
/// let policy: TdxPolicy = atls_reference::from_toml(r#"
///     version = 1
///
///     [tdx]
///     accept-tcb = ["UpToDate"]
///     accept-advisories = []
///     min-tcb-evaluation-data-number = 18
///
///     [[tdx.image]]
///     name = "payments 1.4.2"
///     mrtd = "91eb2b44d141d4ece09f0c75c2c53d247a3c68edd7fafe8a3520c942a604a407de03ae6dc5f87f27428b2538873118b7"
///     rtmr1 = "4d8d1a1c8a4dc5f0d5e8ad2b2d4f8b2c1f0d0e0c0b0a090807060504030201004d8d1a1c8a4dc5f0d5e8ad2b2d4f8b2c"
///     rtmr2 = "1f0d0e0c0b0a090807060504030201004d8d1a1c8a4dc5f0d5e8ad2b2d4f8b2c4d8d1a1c8a4dc5f0d5e8ad2b2d4f8b2c"
/// "#)?;
/// # Ok::<(), atls_reference::ReferenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a policy is written out in full, and a new field must be decided about"
)]
pub struct TdxPolicy {
    /// Required: the TCB statuses that are good enough, such as `["UpToDate"]`. Others that are known make a warning.
    pub accept_tcb: Vec<TcbStatus>,
    /// Required: the advisories that may apply, or `"any-known"`.
    pub accept_advisories: Advisories,
    /// Required where `accept-tcb` names a status that is out of date: for how many days after the date of its level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out_of_date_grace_days: Option<u32>,
    /// For how many days collateral serves after it expired, 0 to 30; 0 where left out. Meanwhile revocations go unseen.
    #[serde(default)]
    pub collateral_grace_days: u32,
    /// The lowest `tcbEvaluationDataNumber` that collateral may have; 0 where left out. It never goes backwards within
    /// the life of a verifier.
    #[serde(default)]
    pub min_tcb_evaluation_data_number: u32,
    /// Whether the host can see into the TD; `false` where left out. **Gives up all confidentiality.**
    #[serde(default)]
    pub allow_debug: bool,
    /// Whether the TD may use performance counters; `false` where left out.
    #[serde(default)]
    pub allow_perfmon: bool,
    /// Whether packages may be added to the platform after it registered; `true` where left out, as every cloud's are.
    #[serde(default = "yes")]
    pub allow_dynamic_platform: bool,
    /// Whether Intel keeps the platform's root keys; `true` where left out, as for every platform that registered.
    #[serde(default = "yes")]
    pub allow_cached_keys: bool,
    /// Whether hyper-threading may be on; `true` where left out, as in every cloud.
    #[serde(default = "yes")]
    pub allow_smt: bool,
    /// Further bits of `XFAM` than [`attributes::TD_XFAM`](crate::attributes::TD_XFAM); none where left out.
    #[serde(default)]
    pub allow_xfam: u64,
    /// `MRSERVICETD` of service TDs that may be bound, beside none; empty where left out.
    #[serde(default)]
    pub service_td: Vec<Digest<48>>,
    /// `MRSEAM` of the TDX modules that are known, at least one; where left out, all that Intel signed and its TCB Info knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mrseam: Option<Vec<Digest<48>>>,
    /// The platforms that are known, by PPID, at least one; where left out, all of Intel's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ppid: Option<Vec<Digest<16>>>,
    /// Required: the images that are known.
    #[serde(rename = "image")]
    pub images: Vec<TdxImage>,
}

/// One image: what it measures as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a policy is written out in full, and a new field must be decided about"
)]
pub struct TdxImage {
    /// For people, and for [`TdxClaims::image`](crate::TdxClaims::image).
    pub name: String,
    /// The firmware.
    pub mrtd: Digest<48>,
    /// Firmware configuration: differs with the size of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtmr0: Option<Digest<48>>,
    /// Boot loader and kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtmr1: Option<Digest<48>>,
    /// Command line and initial file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtmr2: Option<Digest<48>>,
    /// What is measured while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtmr3: Option<Digest<48>>,
    /// Says that `MRTD` covers all that runs, so that RTMRs need not be known: true of images without boot loader.
    #[serde(default)]
    pub mrtd_covers_all: bool,
    /// Left out, it must be zero.
    #[serde(default, skip_serializing_if = "Pin::is_zero")]
    pub mrconfigid: Pin<48>,
    /// Left out, it must be zero.
    #[serde(default, skip_serializing_if = "Pin::is_zero")]
    pub mrowner: Pin<48>,
    /// Left out, it must be zero.
    #[serde(default, skip_serializing_if = "Pin::is_zero")]
    pub mrownerconfig: Pin<48>,
}

impl TdxImage {
    /// An image of which nothing but its firmware is known yet.
    pub fn new(name: impl Into<String>, mrtd: Digest<48>) -> Self {
        Self {
            name: name.into(),
            mrtd,
            rtmr0: None,
            rtmr1: None,
            rtmr2: None,
            rtmr3: None,
            mrtd_covers_all: false,
            mrconfigid: Pin::Zero,
            mrowner: Pin::Zero,
            mrownerconfig: Pin::Zero,
        }
    }
}

impl TdxPolicy {
    /// Up to date, without any advisory, and one of these images.
    pub fn up_to_date(images: Vec<TdxImage>) -> Self {
        Self {
            accept_tcb: vec![TcbStatus::UpToDate],
            accept_advisories: Advisories::Only(Vec::new()),
            out_of_date_grace_days: None,
            collateral_grace_days: 0,
            min_tcb_evaluation_data_number: 0,
            allow_debug: false,
            allow_perfmon: false,
            allow_dynamic_platform: true,
            allow_cached_keys: true,
            allow_smt: true,
            allow_xfam: 0,
            service_td: Vec::new(),
            mrseam: None,
            ppid: None,
            images,
        }
    }

    /// What is demanded of the platform.
    pub(crate) fn tcb(&self) -> TcbPolicy<'_> {
        TcbPolicy {
            accept_tcb: &self.accept_tcb,
            accept_advisories: &self.accept_advisories,
            out_of_date_grace_days: self.out_of_date_grace_days,
            collateral_grace_days: self.collateral_grace_days,
            min_tcb_evaluation_data_number: self.min_tcb_evaluation_data_number,
            allow_dynamic_platform: self.allow_dynamic_platform,
            allow_cached_keys: self.allow_cached_keys,
            allow_smt: self.allow_smt,
            ppid: self.ppid.as_deref(),
        }
    }
}

impl Table for TdxPolicy {
    const NAME: &'static str = "tdx";

    fn from_corim(corim: &Corim) -> Result<Self, String> {
        let mut policy = Self::up_to_date(Vec::new());
        policy.add_corim(corim)?;
        Ok(policy)
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), String> {
        corim::add_tdx(self, corim)
    }

    fn check(&self) -> Result<(), String> {
        if self.mrseam.as_ref().is_some_and(Vec::is_empty) {
            return Err(
                "mrseam is empty, so no TDX module could be accepted; leave it out for all of Intel's"
                    .to_owned(),
            );
        }
        if self.images.is_empty() {
            return Err(
                "no image is known, so none could be accepted; add [[tdx.image]]".to_owned(),
            );
        }
        for image in &self.images {
            let name = &image.name;
            if image.mrtd.is_zero() {
                return Err(format!("mrtd of image {name:?} is zero, which no TD has"));
            }
            if !image.mrtd_covers_all && (image.rtmr1.is_none() || image.rtmr2.is_none()) {
                return Err(format!(
                    "image {name:?} has no rtmr1 or no rtmr2: its mrtd covers the firmware alone, \
                     so any kernel would be accepted; add them, or say mrtd-covers-all = true \
                     where that is so"
                ));
            }
        }
        if self.service_td.iter().any(Digest::is_zero) {
            return Err("service-td names zero, which stands for none; remove it".to_owned());
        }
        self.tcb().check()
    }
}
