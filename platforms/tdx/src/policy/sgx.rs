//! The table `[sgx]`.

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

/// Which enclaves are known, on which platforms.
///
/// ```
/// # use atls_tdx::SgxPolicy;
/// let policy: SgxPolicy = atls_reference::from_toml(r#"
///     version = 1
///
///     [sgx]
///     accept-tcb = ["UpToDate", "SWHardeningNeeded"]
///     accept-advisories = ["INTEL-SA-00615"]
///
///     [[sgx.enclave]]
///     name = "signer 3"
///     mrsigner = "83d719e77deaca1470f6baf62a4d774303c899db69020f9c70ee1dfc08c7ce9e"
///     isv-prod-id = 7
///     min-isv-svn = 3
/// "#)?;
/// # Ok::<(), atls_reference::ReferenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a policy is written out in full, and a new field must be decided about"
)]
pub struct SgxPolicy {
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
    /// Whether the enclave can be read from outside; `false` where left out. **Gives up all confidentiality.**
    #[serde(default)]
    pub allow_debug: bool,
    /// Whether the enclave may derive keys that identify the platform; `false` where left out.
    #[serde(default)]
    pub allow_provision_key: bool,
    /// Whether packages may be added to the platform after it registered; `true` where left out, as every cloud's are.
    #[serde(default = "yes")]
    pub allow_dynamic_platform: bool,
    /// Whether Intel keeps the platform's root keys; `true` where left out, as for every platform that registered.
    #[serde(default = "yes")]
    pub allow_cached_keys: bool,
    /// Whether hyper-threading may be on; `true` where left out, as in every cloud.
    #[serde(default = "yes")]
    pub allow_smt: bool,
    /// The platforms that are known, by PPID, at least one; where left out, all of Intel's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ppid: Option<Vec<Digest<16>>>,
    /// Required: the enclaves that are known.
    #[serde(rename = "enclave")]
    pub enclaves: Vec<SgxEnclave>,
}

/// One enclave: by what it is, or by who signed it and which version it has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a policy is written out in full, and a new field must be decided about"
)]
pub struct SgxEnclave {
    /// For people, and for [`SgxClaims::enclave`](crate::SgxClaims::enclave).
    pub name: String,
    /// What it is. Where left out, the next three are required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mrenclave: Option<Digest<32>>,
    /// Who signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mrsigner: Option<Digest<32>>,
    /// Which of the signer's products.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isv_prod_id: Option<u16>,
    /// The lowest security version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_isv_svn: Option<u16>,
    /// Left out, it must be zero.
    #[serde(default, skip_serializing_if = "Pin::is_zero")]
    pub config_id: Pin<64>,
}

impl SgxEnclave {
    /// Exactly this enclave.
    pub fn exactly(name: impl Into<String>, mrenclave: Digest<32>) -> Self {
        Self {
            name: name.into(),
            mrenclave: Some(mrenclave),
            mrsigner: None,
            isv_prod_id: None,
            min_isv_svn: None,
            config_id: Pin::Zero,
        }
    }

    fn is_known(&self) -> bool {
        let signed = self.isv_prod_id.is_some() && self.min_isv_svn.is_some();
        self.mrenclave.is_some() || (self.mrsigner.is_some() && signed)
    }
}

impl SgxPolicy {
    /// Up to date, without any advisory, and one of these enclaves.
    pub fn up_to_date(enclaves: Vec<SgxEnclave>) -> Self {
        Self {
            accept_tcb: vec![TcbStatus::UpToDate],
            accept_advisories: Advisories::Only(Vec::new()),
            out_of_date_grace_days: None,
            collateral_grace_days: 0,
            min_tcb_evaluation_data_number: 0,
            allow_debug: false,
            allow_provision_key: false,
            allow_dynamic_platform: true,
            allow_cached_keys: true,
            allow_smt: true,
            ppid: None,
            enclaves,
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

impl Table for SgxPolicy {
    const NAME: &'static str = "sgx";

    fn from_corim(corim: &Corim) -> Result<Self, String> {
        let mut policy = Self::up_to_date(Vec::new());
        policy.add_corim(corim)?;
        Ok(policy)
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), String> {
        self.enclaves.extend(corim::enclaves(corim)?);
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if self.enclaves.is_empty() {
            return Err(
                "no enclave is known, so none could be accepted; add [[sgx.enclave]]".to_owned(),
            );
        }
        if let Some(enclave) = self.enclaves.iter().find(|enclave| !enclave.is_known()) {
            return Err(format!(
                "enclave {:?} has neither mrenclave nor mrsigner with isv-prod-id and min-isv-svn",
                enclave.name
            ));
        }
        self.tcb().check()
    }
}
