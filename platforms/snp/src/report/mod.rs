//! The attestation report, ATTESTATION_REPORT of AMD document 56860 ("SEV Secure Nested Paging Firmware ABI").
//!
//! All numbers are little-endian. Offsets in octets:
//!
//! ```text
//! 000  4 VERSION        004  4 GUEST_SVN      008  8 POLICY         010 16 FAMILY_ID      020 16 IMAGE_ID
//! 030  4 VMPL           034  4 SIGNATURE_ALGO 038  8 CURRENT_TCB    040  8 PLATFORM_INFO  048  4 signer
//! 050 64 REPORT_DATA    090 48 MEASUREMENT    0c0 32 HOST_DATA      0e0 48 ID_KEY_DIGEST  110 48 AUTHOR_KEY_DIGEST
//! 140 32 REPORT_ID      160 32 REPORT_ID_MA   180  8 REPORTED_TCB   188  3 CPUID (v3)     1a0 64 CHIP_ID
//! 1e0  8 COMMITTED_TCB  1e8  3 CURRENT        1ec  3 COMMITTED      1f0  8 LAUNCH_TCB
//! 1f8  8 LAUNCH_MIT_VECTOR (v5)               200  8 CURRENT_MIT_VECTOR (v5)
//! 2a0 72 r              2e8 72 s              330 368 zero
//! ```

mod bits;

use atls_core::AppraisalError;

pub use bits::GuestPolicy;
pub use bits::PlatformInfo;
pub use bits::SigningKey;

use crate::product::Product;

/// Octets of a report.
pub const REPORT_LENGTH: usize = 0x4a0;

/// A report that has the form of one. **Nothing of it is verified.**
#[derive(Clone, Debug)]
pub(crate) struct Report<'a> {
    raw: &'a [u8],
    pub(crate) version: u32,
    pub(crate) guest_svn: u32,
    pub(crate) policy: GuestPolicy,
    pub(crate) family_id: [u8; 16],
    pub(crate) image_id: [u8; 16],
    pub(crate) vmpl: u32,
    pub(crate) current_tcb: [u8; 8],
    pub(crate) platform_info: PlatformInfo,
    pub(crate) signing_key: SigningKey,
    pub(crate) report_data: [u8; 64],
    pub(crate) measurement: [u8; 48],
    pub(crate) host_data: [u8; 32],
    pub(crate) id_key_digest: [u8; 48],
    pub(crate) author_key_digest: [u8; 48],
    pub(crate) report_id: [u8; 32],
    pub(crate) reported_tcb: [u8; 8],
    /// Family, model and stepping, from version 3 on.
    pub(crate) cpuid: Option<[u8; 3]>,
    pub(crate) chip_id: [u8; 64],
    pub(crate) committed_tcb: [u8; 8],
    pub(crate) launch_tcb: [u8; 8],
}

impl<'a> Report<'a> {
    /// Of versions 2 to 5, 1184 octets. What is reserved must be zero, after the signature too, where nothing is
    /// signed: no octet may be changed unseen.
    ///
    /// # Errors
    /// [`AppraisalError::Malformed`]; [`AppraisalError::BadSignature`] for a report that says itself that it is not
    /// signed.
    pub(crate) fn decode(raw: &'a [u8]) -> Result<Self, AppraisalError> {
        let signing_key = signing_key(raw)?;
        Self::read(raw, signing_key).ok_or(AppraisalError::Malformed)
    }

    /// The octets that are signed.
    pub(crate) fn signed(&self) -> &'a [u8] {
        self.raw.get(..SIGNATURE).unwrap_or_default()
    }

    /// `r || s`, big-endian, 96 octets, as everybody else has it. `None` where one of them has more than 384 bits.
    pub(crate) fn signature(&self) -> Option<[u8; 96]> {
        let mut signature = [0; 96];
        let (r, s) = signature.split_at_mut(48);
        for (target, offset) in [(r, SIGNATURE), (s, SIGNATURE_S)] {
            let octets: [u8; 72] = array(self.raw, offset)?;
            let (value, padding) = octets.split_at_checked(48)?;
            if padding.iter().any(|octet| *octet != 0) {
                return None;
            }
            for (target, octet) in target.iter_mut().zip(value.iter().rev()) {
                *target = *octet;
            }
        }
        Some(signature)
    }

    /// Which processor it is, from version 3 on.
    ///
    /// # Errors
    /// [`AppraisalError::UnknownKey`] for one whose root is not known.
    pub(crate) fn product(&self) -> Result<Option<Product>, AppraisalError> {
        let Some([family, model, _stepping]) = self.cpuid else {
            return Ok(None);
        };
        let product = Product::of_cpuid(family, model);
        product.map(Some).ok_or(AppraisalError::UnknownKey)
    }

    /// `CHIP_ID` as far as this product fills it. `None` where the host hides it, or where octets beyond are not zero.
    pub(crate) fn hwid(&self, product: Product) -> Option<&[u8]> {
        let (hwid, beyond) = self.chip_id.split_at_checked(product.hwid_length())?;
        let hidden = hwid.iter().all(|octet| *octet == 0);
        (!hidden && beyond.iter().all(|octet| *octet == 0)).then_some(hwid)
    }

    /// Whether the host hides the chip.
    pub(crate) fn hides_chip(&self) -> bool {
        self.chip_id.iter().all(|octet| *octet == 0)
    }

    fn read(raw: &'a [u8], signing_key: SigningKey) -> Option<Self> {
        if raw.len() != REPORT_LENGTH {
            return None;
        }
        let version = u32_at(raw, 0x000)?;
        let (cpuid, first_reserved) = match version {
            2 => (None, 0x188),
            // Version 4 was published by no document, and is read as 3 by those who saw it.
            3..=5 => (Some(array(raw, 0x188)?), 0x18b),
            _ => return None,
        };
        let after_launch_tcb = if version == 5 { 0x208 } else { 0x1f8 };
        let reserved = [
            (0x04c, 0x050),
            (first_reserved, 0x1a0),
            (0x1eb, 0x1ec),
            (0x1ef, 0x1f0),
            (after_launch_tcb, SIGNATURE),
            (SIGNATURE_END, REPORT_LENGTH),
        ];
        for (from, to) in reserved {
            if raw.get(from..to)?.iter().any(|octet| *octet != 0) {
                return None;
            }
        }
        if u32_at(raw, 0x034)? != ECDSA_P384_SHA384 {
            return None;
        }
        Some(Self {
            raw,
            version,
            guest_svn: u32_at(raw, 0x004)?,
            policy: GuestPolicy::decode(u64_at(raw, 0x008)?)?,
            family_id: array(raw, 0x010)?,
            image_id: array(raw, 0x020)?,
            vmpl: u32_at(raw, 0x030)?,
            current_tcb: array(raw, 0x038)?,
            platform_info: PlatformInfo::new(u64_at(raw, 0x040)?),
            signing_key,
            report_data: array(raw, 0x050)?,
            measurement: array(raw, 0x090)?,
            host_data: array(raw, 0x0c0)?,
            id_key_digest: array(raw, 0x0e0)?,
            author_key_digest: array(raw, 0x110)?,
            report_id: array(raw, 0x140)?,
            reported_tcb: array(raw, 0x180)?,
            cpuid,
            chip_id: array(raw, 0x1a0)?,
            committed_tcb: array(raw, 0x1e0)?,
            launch_tcb: array(raw, 0x1f0)?,
        })
    }
}

/// Bit 0: an author key is there; bit 1: the chip's key is masked, and then the signature is zero; bits 2 to 4: the key.
fn signing_key(raw: &[u8]) -> Result<SigningKey, AppraisalError> {
    match u32_at(raw, 0x048).map(|signer| signer & !0b11) {
        Some(0b0_0000) => Ok(SigningKey::Vcek),
        Some(0b0_0100) => Ok(SigningKey::Vlek),
        Some(0b1_1100) => Err(AppraisalError::BadSignature),
        _ => Err(AppraisalError::Malformed),
    }
}

/// The value that a report carries, for an attester that looks at what its device gave.
pub(crate) fn report_data(raw: &[u8]) -> Option<[u8; 64]> {
    (raw.len() == REPORT_LENGTH).then(|| array(raw, 0x050))?
}

fn array<const N: usize>(octets: &[u8], offset: usize) -> Option<[u8; N]> {
    let (_, from) = octets.split_at_checked(offset)?;
    from.first_chunk().copied()
}

fn u32_at(octets: &[u8], offset: usize) -> Option<u32> {
    array(octets, offset).map(u32::from_le_bytes)
}

fn u64_at(octets: &[u8], offset: usize) -> Option<u64> {
    array(octets, offset).map(u64::from_le_bytes)
}

const SIGNATURE: usize = 0x2a0;

const SIGNATURE_S: usize = 0x2e8;

const SIGNATURE_END: usize = 0x330;

/// `SIGNATURE_ALGO`.
const ECDSA_P384_SHA384: u32 = 1;

#[cfg(test)]
mod tests;
