//! The claims of a verified token, for handlers.

use atls_core::policy::instance::InstanceId;
use std::fmt;

use atls_core::AppraisalError;
use atls_formats::psa::Claims;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::Profile;
use atls_formats::psa::SIMULATED_IMPLEMENTATION_ID;
use atls_formats::psa::SoftwareComponent;

/// The claims of a simulated token (RFC 9783 §4): `peer.claims::<SimClaims>()`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimClaims {
    /// `eat_nonce`, 32 or 48 bytes.
    pub nonce: Vec<u8>,
    /// `ueid`: 0x01 and the SHA-256 of the attestation key, 33 bytes.
    pub instance_id: Vec<u8>,
    /// `psa-client-id`: the caller of the attestation service; negative for the non-secure side.
    pub client_id: i32,
    /// `psa-security-lifecycle`.
    pub lifecycle: Lifecycle,
    /// `bootseed`, 32 bytes, random per attester.
    pub boot_seed: Vec<u8>,
    /// `psa-software-components`, at least one.
    pub software: Vec<SoftwareComponent>,
}

impl SimClaims {
    /// The identities of the machine.
    pub(crate) fn instances(&self) -> impl Iterator<Item = InstanceId> + use<> {
        InstanceId::new("sim.instance_id", &self.instance_id).into_iter()
    }

    /// Takes every claim that a simulated device makes. The token of a genuine device is refused, whoever signed it.
    pub(crate) fn of(claims: &Claims) -> Result<Self, AppraisalError> {
        if claims.profile()? != Profile::Tfm {
            return Err(AppraisalError::Malformed);
        }
        if claims.implementation_id()? != SIMULATED_IMPLEMENTATION_ID {
            return Err(AppraisalError::UnknownKey);
        }
        Ok(Self {
            nonce: claims.nonce()?.to_vec(),
            instance_id: claims.instance_id()?.to_vec(),
            client_id: claims.client_id()?,
            lifecycle: claims.lifecycle()?,
            boot_seed: claims.boot_seed()?.to_vec(),
            software: claims.software()?,
        })
    }
}

/// Without nonce, instance and boot: they identify a device and its connection.
impl fmt::Debug for SimClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimClaims")
            .field("client_id", &self.client_id)
            .field("lifecycle", &self.lifecycle)
            .field("software", &self.software)
            .finish_non_exhaustive()
    }
}
