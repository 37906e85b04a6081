//! The claims of a verified token, for handlers.

use atls_core::policy::instance::InstanceId;
use std::fmt;

use atls_formats::psa::PsaDevice;

/// The claims of a verified PSA token: `peer.claims::<PsaClaims>()`.
///
/// The device signed all of `device`; the other fields are names in the verifier's own files.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PsaClaims {
    /// The name of the trusted key that signed.
    pub key: String,
    /// The name of the policy's firmware that the device runs, if it is known.
    pub firmware: Option<String>,
    /// The claims of the device. Instance ID and boot seed name it: do not log them.
    pub device: PsaDevice,
}

impl PsaClaims {
    /// The identities of the machine.
    pub(crate) fn instances(&self) -> impl Iterator<Item = InstanceId> + use<> {
        InstanceId::new("psa.instance_id", &self.device.instance_id).into_iter()
    }
}

/// Without what identifies a device or a connection.
impl fmt::Debug for PsaClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PsaClaims")
            .field("firmware", &self.firmware)
            .field("client_id", &self.device.client_id)
            .field("lifecycle", &self.device.lifecycle)
            .finish_non_exhaustive()
    }
}
