//! The claims of the runtime data, for handlers.

use std::fmt;

use atls_core::policy::instance::InstanceId;
use atls_formats::azure::RuntimeData;
use atls_reference::Digest;

/// The configuration of the VM, as its paravisor found it: `peer.claims::<AzureClaims>()`. The processor vouches for it. The claims of the
/// processor and of the virtual TPM are those of their own verifiers: `SnpClaims` or `TdxClaims`, and `TpmClaims`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AzureClaims {
    /// Whether the firmware of the guest checks what it boots.
    pub secure_boot: bool,
    /// Whether the VM has the virtual TPM.
    pub tpm_enabled: bool,
    /// Whether the VM has a serial console, which its host sees; `None` where the data does not say.
    pub console_enabled: Option<bool>,
    /// What software in the guest had put beside the key; `None` where it is not of 64 bytes. Any software with the rights of the TPM's owner
    /// may write it, at any time.
    pub user_data: Option<Digest<64>>,
    /// Names the VM: personal data; do not log it.
    pub vm_unique_id: String,
}

impl AzureClaims {
    /// The identity of the machine.
    pub(crate) fn instances(&self) -> impl Iterator<Item = InstanceId> + use<> {
        InstanceId::new("azure.vm_unique_id", self.vm_unique_id.as_bytes()).into_iter()
    }

    pub(crate) fn of(data: &RuntimeData) -> Self {
        let configuration = &data.configuration;
        Self {
            secure_boot: configuration.secure_boot,
            tpm_enabled: configuration.tpm_enabled,
            console_enabled: configuration.console_enabled,
            user_data: Digest::from_hex(&data.user_data),
            vm_unique_id: configuration.vm_unique_id.clone(),
        }
    }
}

/// Without what names the VM.
impl fmt::Debug for AzureClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureClaims")
            .field("secure_boot", &self.secure_boot)
            .field("tpm_enabled", &self.tpm_enabled)
            .field("console_enabled", &self.console_enabled)
            .finish_non_exhaustive()
    }
}
