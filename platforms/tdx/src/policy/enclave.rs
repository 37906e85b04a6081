//! Enclaves: `[[sgx.enclave]]`.

use atls_reference::Digest;
use serde::Deserialize;
use serde::Serialize;

use super::pin::Pin;

/// One enclave, by its measurement, or by its signer and version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a policy is written out in full, and a new field must be decided about"
)]
pub struct SgxEnclave {
    /// For people, and for [`SgxClaims::enclave`](crate::SgxClaims::enclave).
    pub name: String,
    /// Its measurement. Where left out, the next three are required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mrenclave: Option<Digest<32>>,
    /// Its signer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mrsigner: Option<Digest<32>>,
    /// The product of the signer.
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

    pub(super) fn is_known(&self) -> bool {
        let signed = self.isv_prod_id.is_some() && self.min_isv_svn.is_some();
        self.mrenclave.is_some() || (self.mrsigner.is_some() && signed)
    }
}
