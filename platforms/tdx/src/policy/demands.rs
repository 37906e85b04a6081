//! The demands on the platform: fields that both tables have.

use atls_reference::Digest;
use atls_reference::FieldProblem;

use super::advisories::Advisories;
use super::status::TcbStatus;

/// The demands on the platform under the TD or enclave, borrowed from a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlatformDemands<'a> {
    pub(crate) accept_tcb: &'a [TcbStatus],
    pub(crate) accept_advisories: &'a Advisories,
    pub(crate) out_of_date_grace_days: Option<u32>,
    pub(crate) collateral_grace_days: u32,
    pub(crate) min_tcb_evaluation_data_number: u32,
    pub(crate) allow_dynamic_platform: bool,
    pub(crate) allow_cached_keys: bool,
    pub(crate) allow_smt: bool,
    pub(crate) ppid: Option<&'a [Digest<16>]>,
}

impl PlatformDemands<'_> {
    pub(super) fn check(&self) -> Result<(), FieldProblem> {
        let refuse = |field: &str, problem: &str| Err(FieldProblem::new(field, problem));
        let accepts = |status| self.accept_tcb.contains(&status);
        if self.accept_tcb.is_empty() {
            return refuse(
                "accept-tcb",
                "empty, so no platform could be accepted; name at least UpToDate",
            );
        }
        if accepts(TcbStatus::Revoked) || accepts(TcbStatus::Unrecognised) {
            return refuse(
                "accept-tcb",
                "names a status that cannot be accepted; remove it",
            );
        }
        if self.ppid.is_some_and(<[_]>::is_empty) {
            return refuse(
                "ppid",
                "empty, so no platform could be accepted; leave it out for all of Intel's",
            );
        }
        let out_of_date = self.accept_tcb.iter().any(|status| status.is_out_of_date());
        if out_of_date && self.out_of_date_grace_days.is_none() {
            return refuse(
                "accept-tcb",
                "names a status that is out of date; say for how long after the date \
                 of its level by out-of-date-grace-days",
            );
        }
        if self.collateral_grace_days > MAX_COLLATERAL_GRACE {
            let problem = format!("above {MAX_COLLATERAL_GRACE}; lower it");
            return refuse("collateral-grace-days", &problem);
        }
        Ok(())
    }
}

pub(super) fn yes() -> bool {
    true
}

/// Defines a table: the fields about the platform, which both technologies share, and then these. Serde cannot flatten one
/// struct into another and keep the line of an error.
macro_rules! table {
    ($(#[$attribute:meta])* pub struct $name:ident { $($own:tt)* }) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case", deny_unknown_fields)]
        #[allow(
            clippy::exhaustive_structs,
            reason = "a policy is written out in full, and a new field must be decided about"
        )]
        pub struct $name {
        /// Required: the TCB statuses that are good enough, such as `["UpToDate"]`. Others that are known make a warning.
        pub accept_tcb: Vec<crate::TcbStatus>,
        /// Required: the advisories that may apply, or `"any-known"`.
        pub accept_advisories: crate::Advisories,
        /// Required where `accept-tcb` names a status that is out of date: the days after the date of its level.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub out_of_date_grace_days: Option<u32>,
        /// The days for which collateral serves after it expired, 0 to 30; 0 where left out. Meanwhile revocations go unseen.
        #[serde(default)]
        pub collateral_grace_days: u32,
        /// The lowest `tcbEvaluationDataNumber` that collateral may have; 0 where left out. It never goes backwards within
        /// the life of a verifier.
        #[serde(default)]
        pub min_tcb_evaluation_data_number: u32,
        /// Whether packages may be added to the platform after it registered; `true` where left out, as every cloud's are.
        #[serde(default = "crate::policy::demands::yes")]
        pub allow_dynamic_platform: bool,
        /// Whether Intel keeps the platform's root keys; `true` where left out, as for every platform that registered.
        #[serde(default = "crate::policy::demands::yes")]
        pub allow_cached_keys: bool,
        /// Whether hyper-threading may be on, or not be stated; `true` where left out, as in every cloud.
        #[serde(default = "crate::policy::demands::yes")]
        pub allow_smt: bool,
        /// The platforms that are known, by PPID, at least one; where left out, all of Intel's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub ppid: Option<Vec<atls_reference::Digest<16>>>,
            $($own)*
        }

        impl $name {
            /// The demands on the platform.
            pub(crate) fn demands(&self) -> crate::policy::PlatformDemands<'_> {
                crate::policy::PlatformDemands {
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
    };
}

pub(super) use table;

/// Days. Intel issues collateral anew about once a day, for thirty days.
const MAX_COLLATERAL_GRACE: u32 = 30;
