//! The key by which a verifier knows a device.

use std::fmt;

use ring::digest;

use crate::error::SimError;

/// The public key of one simulated device.
#[derive(Clone, PartialEq, Eq)]
pub struct TrustAnchor {
    instance_id: Vec<u8>,
    point: Vec<u8>,
}

impl TrustAnchor {
    /// Takes an uncompressed P-256 point, 65 bytes.
    pub(crate) fn of(point: &[u8]) -> Self {
        let hash = digest::digest(&digest::SHA256, point);
        Self {
            // RFC 9783 §4.2.1
            instance_id: [&[1], hash.as_ref()].concat(),
            point: point.to_vec(),
        }
    }

    /// Takes the [`public_key`](Self::public_key) of a device in another process.
    ///
    /// # Errors
    /// [`SimError::Key`] for anything but an uncompressed P-256 point.
    pub fn from_public_key(point: &[u8]) -> Result<Self, SimError> {
        match point {
            [4, xy @ ..] if xy.len() == 64 => Ok(Self::of(point)),
            _ => Err(SimError::Key),
        }
    }

    /// `ueid` of the device: 0x01 and the SHA-256 of its key, 33 bytes.
    pub fn instance_id(&self) -> &[u8] {
        &self.instance_id
    }

    /// The public key, an uncompressed P-256 point, 65 bytes: for provisioning another verifier.
    pub fn public_key(&self) -> &[u8] {
        &self.point
    }
}

impl fmt::Debug for TrustAnchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustAnchor").finish_non_exhaustive()
    }
}
