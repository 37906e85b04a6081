//! The claims of a verified token, for handlers.

use atls_core::policy::instance::InstanceId;
use std::fmt;

use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaRealm;

/// The claims of a verified CCA token: `peer.claims::<CcaClaims>()`.
///
/// Platform and realm signed all of `platform` and `realm`; the other fields are names in the verifier's own files.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CcaClaims {
    /// The name of the trusted key that signed the platform token.
    pub key: String,
    /// The name of the policy's firmware that the platform runs, if it is known.
    pub firmware: Option<String>,
    /// The name of the policy's realm that this one is, if it is known.
    pub image: Option<String>,
    /// The claims of the platform. The instance ID names the machine: do not log it.
    pub platform: CcaPlatform,
    /// The claims of the realm.
    pub realm: CcaRealm,
}

impl CcaClaims {
    /// The identities of the machine.
    pub(crate) fn instances(&self) -> impl Iterator<Item = InstanceId> + use<> {
        InstanceId::new("cca.instance_id", &self.platform.instance_id).into_iter()
    }
}

/// Without what identifies a machine or a connection.
impl fmt::Debug for CcaClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CcaClaims")
            .field("firmware", &self.firmware)
            .field("image", &self.image)
            .field("lifecycle", &self.platform.lifecycle)
            .finish_non_exhaustive()
    }
}
