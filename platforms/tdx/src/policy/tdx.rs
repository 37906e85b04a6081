//! The table `[tdx]`.

use atls_reference::Digest;
use atls_reference::FieldProblem;
use atls_reference::Table;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;

use super::advisories::Advisories;
use super::corim;
use super::demands::table;
use super::image::TdxImage;
use super::status::TcbStatus;
use crate::attributes;

table! {
    /// The TDs that are known, and the platforms on which they may run.
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
    pub struct TdxPolicy {
        /// Whether the host can see into the TD; `false` where left out. **Gives up all confidentiality.**
        #[serde(default)]
        pub allow_debug: bool,
        /// Whether the TD may use performance counters; `false` where left out.
        #[serde(default)]
        pub allow_perfmon: bool,
        /// Further bits of `XFAM` than [`attributes::TD_XFAM`](crate::attributes::TD_XFAM); none where left out.
        #[serde(default)]
        pub allow_xfam: u64,
        /// `MRSERVICETD` of service TDs that may be bound, beside none; empty where left out.
        #[serde(default)]
        pub service_td: Vec<Digest<48>>,
        /// `MRSEAM` of the TDX modules that are known, at least one; where left out, all that Intel signed and its TCB Info knows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub mrseam: Option<Vec<Digest<48>>>,
        /// Required: the images that are known.
        #[serde(rename = "image")]
        pub images: Vec<TdxImage>,
    }
}

impl TdxPolicy {
    /// Accepts one of these images, on a platform that is up to date and without any advisory.
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

    /// The bits of `TDATTRIBUTES` that may be set.
    pub(crate) fn allowed_attributes(&self) -> u64 {
        let mut allowed = attributes::TD_SEPT_VE_DISABLE
            | attributes::TD_ICSSD
            | attributes::TD_LASS
            | attributes::TD_PKS
            | attributes::TD_KL;
        if self.allow_debug {
            allowed |= attributes::TD_UNDER_DEBUG & attributes::TD_DEFINED;
        }
        if self.allow_perfmon {
            allowed |= attributes::TD_PERFMON;
        }
        if !self.service_td.is_empty() {
            allowed |= attributes::TD_SERVTD_EXT;
        }
        allowed
    }
}

impl Table for TdxPolicy {
    const NAME: &'static str = "tdx";

    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        let mut policy = Self::up_to_date(Vec::new());
        policy.add_corim(corim)?;
        Ok(policy)
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        let values = corim::tdx(corim)?;
        self.images.extend(values.images);
        if !values.modules.is_empty() {
            self.mrseam.get_or_insert_default().extend(values.modules);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), FieldProblem> {
        let refuse = |field: &str, problem: &str| Err(FieldProblem::new(field, problem));
        if self.mrseam.as_ref().is_some_and(Vec::is_empty) {
            return refuse(
                "mrseam",
                "empty, so no TDX module could be accepted; leave it out for all of Intel's",
            );
        }
        if self.images.is_empty() {
            return refuse(
                "image",
                "no image is known, so none could be accepted; add [[tdx.image]]",
            );
        }
        for (index, image) in self.images.iter().enumerate() {
            let checked = image.check();
            checked.map_err(|found| found.within(&format!("image[{index}]")).about(&image.name))?;
        }
        if let Some(index) = self.service_td.iter().position(Digest::is_zero) {
            return refuse(
                &format!("service-td[{index}]"),
                "zero, which stands for none; remove it",
            );
        }
        self.demands().check()
    }
}
