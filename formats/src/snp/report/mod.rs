//! The attestation report, ATTESTATION_REPORT of AMD document 56860 ("SEV Secure Nested Paging Firmware ABI").
//!
//! All numbers are little-endian. Offsets in bytes:
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

pub use bits::GuestPolicy;
pub use bits::PlatformInfo;
pub use bits::SigningKey;

use super::error::SnpFormatError;
use super::product::Product;

/// Bytes of a report.
pub const REPORT_LENGTH: usize = 0x4a0;

/// A report that has the form of one. **Nothing of it is verified.**
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report<'a> {
    raw: &'a [u8],
    /// `VERSION`, 2 to 5.
    pub version: u32,
    /// `GUEST_SVN`, the version that the owner of the guest gave it.
    pub guest_svn: u32,
    /// `POLICY`
    pub policy: GuestPolicy,
    /// `FAMILY_ID`, as the owner of the guest chose it.
    pub family_id: [u8; 16],
    /// `IMAGE_ID`, as the owner of the guest chose it.
    pub image_id: [u8; 16],
    /// `VMPL`, the privilege level that asked for the report: 0 is the most privileged.
    pub vmpl: u32,
    /// `CURRENT_TCB`
    pub current_tcb: [u8; 8],
    /// `PLATFORM_INFO`
    pub platform_info: PlatformInfo,
    /// The kind of key that signed the report.
    pub signing_key: SigningKey,
    /// `REPORT_DATA`, as the guest chose it.
    pub report_data: [u8; 64],
    /// `MEASUREMENT`, the launch digest.
    pub measurement: [u8; 48],
    /// `HOST_DATA`, as the host chose it at launch.
    pub host_data: [u8; 32],
    /// `ID_KEY_DIGEST`
    pub id_key_digest: [u8; 48],
    /// `AUTHOR_KEY_DIGEST`
    pub author_key_digest: [u8; 48],
    /// `REPORT_ID`
    pub report_id: [u8; 32],
    /// `REPORTED_TCB`, for which the key that signed was derived.
    pub reported_tcb: [u8; 8],
    /// Family, model and stepping, from version 3 on.
    pub cpuid: Option<[u8; 3]>,
    /// `CHIP_ID`; zero where the host hides it.
    pub chip_id: [u8; 64],
    /// `COMMITTED_TCB`
    pub committed_tcb: [u8; 8],
    /// `LAUNCH_TCB`
    pub launch_tcb: [u8; 8],
}

impl<'a> Report<'a> {
    /// Of versions 2 to 5, 1184 bytes. What is reserved must be zero, after the signature too, where nothing is
    /// signed: no byte may be changed unseen.
    ///
    /// # Errors
    /// [`SnpFormatError::Report`]; [`SnpFormatError::Unsigned`] for a report that says itself that it is not
    /// signed.
    pub fn decode(raw: &'a [u8]) -> Result<Self, SnpFormatError> {
        let signing_key = signing_key(raw)?;
        Self::read(raw, signing_key).ok_or(SnpFormatError::Report)
    }

    /// `REPORT_DATA` of bytes that have the length of a report, whatever else is in them: for an attester that looks at what its
    /// device made, and leaves everything else to the verifier.
    pub fn only_report_data(raw: &[u8]) -> Option<[u8; 64]> {
        (raw.len() == REPORT_LENGTH).then(|| array(raw, 0x050))?
    }

    /// All 1184 bytes, the signature included.
    pub fn bytes(&self) -> &'a [u8] {
        self.raw
    }

    /// The bytes that are signed.
    pub fn signed(&self) -> &'a [u8] {
        self.raw.get(..SIGNATURE).unwrap_or_default()
    }

    /// `r || s`, big-endian, 96 bytes, as everybody else has it. `None` where one of them has more than 384 bits.
    pub fn signature(&self) -> Option<[u8; 96]> {
        let mut signature = [0; 96];
        let (r, s) = signature.split_at_mut(48);
        for (target, offset) in [(r, SIGNATURE), (s, SIGNATURE_S)] {
            let bytes: [u8; 72] = array(self.raw, offset)?;
            let (value, padding) = bytes.split_at_checked(48)?;
            if padding.iter().any(|byte| *byte != 0) {
                return None;
            }
            for (target, byte) in target.iter_mut().zip(value.iter().rev()) {
                *target = *byte;
            }
        }
        Some(signature)
    }

    /// Which processor it is, from version 3 on.
    ///
    /// # Errors
    /// [`SnpFormatError::Processor`] for one whose root is not known.
    pub fn product(&self) -> Result<Option<Product>, SnpFormatError> {
        let Some([family, model, _stepping]) = self.cpuid else {
            return Ok(None);
        };
        let product = Product::of_cpuid(family, model);
        product.map(Some).ok_or(SnpFormatError::Processor)
    }

    /// `CHIP_ID` as far as this product fills it. `None` where the host hides it, or where bytes beyond are not zero.
    pub fn hwid(&self, product: Product) -> Option<&[u8]> {
        let (hwid, beyond) = self.chip_id.split_at_checked(product.hwid_length())?;
        let hidden = hwid.iter().all(|byte| *byte == 0);
        (!hidden && beyond.iter().all(|byte| *byte == 0)).then_some(hwid)
    }

    /// Whether the host hides the chip.
    pub fn hides_chip(&self) -> bool {
        self.chip_id.iter().all(|byte| *byte == 0)
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
            if raw.get(from..to)?.iter().any(|byte| *byte != 0) {
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
fn signing_key(raw: &[u8]) -> Result<SigningKey, SnpFormatError> {
    match u32_at(raw, 0x048).map(|signer| signer & !0b11) {
        Some(0b0_0000) => Ok(SigningKey::Vcek),
        Some(0b0_0100) => Ok(SigningKey::Vlek),
        Some(0b1_1100) => Err(SnpFormatError::Unsigned),
        _ => Err(SnpFormatError::Report),
    }
}

fn array<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    let (_, from) = bytes.split_at_checked(offset)?;
    from.first_chunk().copied()
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    array(bytes, offset).map(u64::from_le_bytes)
}

const SIGNATURE: usize = 0x2a0;

const SIGNATURE_S: usize = 0x2e8;

const SIGNATURE_END: usize = 0x330;

/// `SIGNATURE_ALGO`.
const ECDSA_P384_SHA384: u32 = 1;
