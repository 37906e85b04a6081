//! The table `[azure]` of a file of reference values.

use atls_reference::Digest;
use atls_reference::FieldProblem;
use atls_reference::Table;
use serde::Deserialize;
use serde::Serialize;

/// What is asked of the VM's configuration. The paravisor is in the table `[snp]` or `[tdx]`, and the guest in `[tpm]`.
///
/// ```
/// let policy: atls_azure::AzurePolicy = atls_reference::from_toml(r#"
/// version = 1
///
/// [azure]
/// vm-unique-ids = ["26F8BC30-774E-4290-8E7A-535F3B672AEE"]
/// "#)?;
/// assert!(!policy.allow_insecure_boot);
/// # Ok::<(), atls_reference::ReferenceError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct AzurePolicy {
    /// Accepts VMs whose firmware checks nothing of what it boots. The result is still a warning. Default: refused.
    #[serde(default)]
    pub allow_insecure_boot: bool,
    /// The VMs that are accepted, by `vmUniqueId`. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vm_unique_ids: Option<Vec<String>>,
    /// The user data of the VM, 64 bytes. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data: Option<Digest<64>>,
}

impl Table for AzurePolicy {
    const NAME: &'static str = "azure";

    fn check(&self) -> Result<(), FieldProblem> {
        let Some(ids) = &self.vm_unique_ids else {
            return Ok(());
        };
        if ids.is_empty() {
            let problem = "no VM could be accepted; name one, or leave the field out";
            return Err(FieldProblem::new("vm-unique-ids", problem));
        }
        match ids.iter().position(|id| !is_guid(id)) {
            None => Ok(()),
            Some(index) => {
                let problem =
                    "not an identifier of a VM, such as 26F8BC30-774E-4290-8E7A-535F3B672AEE";
                Err(FieldProblem::new(
                    format!("vm-unique-ids[{index}]"),
                    problem,
                ))
            }
        }
    }
}

/// 8-4-4-4-12 hexadecimal digits.
fn is_guid(text: &str) -> bool {
    let groups = text.split('-').map(|group| {
        let digits = group.bytes().all(|byte| byte.is_ascii_hexdigit());
        if digits { group.len() } else { 0 }
    });
    groups.eq([8, 4, 4, 4, 12])
}
