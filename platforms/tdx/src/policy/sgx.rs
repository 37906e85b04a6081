//! The table `[sgx]`.

use atls_reference::FieldProblem;
use atls_reference::Table;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;

use super::advisories::Advisories;
use super::corim;
use super::demands::table;
use super::enclave::SgxEnclave;
use super::status::TcbStatus;
use crate::attributes;

table! {
    /// The enclaves that are known, and the platforms on which they may run.
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
    pub struct SgxPolicy {
        /// Whether the enclave can be read from outside; `false` where left out. **Gives up all confidentiality.**
        #[serde(default)]
        pub allow_debug: bool,
        /// Whether the enclave may derive keys that identify the platform; `false` where left out.
        #[serde(default)]
        pub allow_provision_key: bool,
        /// Required: the enclaves that are known.
        #[serde(rename = "enclave")]
        pub enclaves: Vec<SgxEnclave>,
    }
}

impl SgxPolicy {
    /// Accepts one of these enclaves, on a platform that is up to date and without any advisory.
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

    /// The bits of `ATTRIBUTES.FLAGS` that may be set.
    pub(crate) fn allowed_flags(&self) -> u64 {
        let mut allowed = attributes::SGX_INIT
            | attributes::SGX_MODE64BIT
            | attributes::SGX_CET
            | attributes::SGX_KSS
            | attributes::SGX_AEXNOTIFY;
        if self.allow_debug {
            allowed |= attributes::SGX_DEBUG;
        }
        if self.allow_provision_key {
            allowed |= attributes::SGX_PROVISIONKEY;
        }
        allowed
    }
}

impl Table for SgxPolicy {
    const NAME: &'static str = "sgx";

    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        let mut policy = Self::up_to_date(Vec::new());
        policy.add_corim(corim)?;
        Ok(policy)
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        self.enclaves.extend(corim::enclaves(corim)?);
        Ok(())
    }

    fn check(&self) -> Result<(), FieldProblem> {
        if self.enclaves.is_empty() {
            let problem = "no enclave is known, so none could be accepted; add [[sgx.enclave]]";
            return Err(FieldProblem::new("enclave", problem));
        }
        let mut enclaves = self.enclaves.iter().enumerate();
        if let Some((index, enclave)) = enclaves.find(|(_, enclave)| !enclave.is_known()) {
            let problem =
                "neither mrenclave nor mrsigner with isv-prod-id and min-isv-svn; add one";
            let found = FieldProblem::new(format!("enclave[{index}]"), problem);
            return Err(found.about(&enclave.name));
        }
        self.demands().check()
    }
}
