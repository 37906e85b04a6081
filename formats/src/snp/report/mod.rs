//! The attestation report, ATTESTATION_REPORT of AMD document 56860 ("SEV Secure Nested Paging Firmware ABI").
//!
//! The bytes of a device or a peer go in, a [`Report`] comes out, with every field of the table. Bytes of another form are an
//! [`SnpFormatError`]. No signature is verified.
//!
//! All numbers are little-endian. Offsets in bytes:
//!
//! ```text
//! 000  4 VERSION        004  4 GUEST_SVN      008  8 POLICY         010 16 FAMILY_ID      020 16 IMAGE_ID
//! 030  4 VMPL           034  4 SIGNATURE_ALGO 038  8 CURRENT_TCB    040  8 PLATFORM_INFO  048  4 KEY_INFO
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
use super::tcb::TcbLayout;
use crate::printed::printed_by_name;

/// Bytes of a report.
pub const REPORT_LENGTH: usize = 0x4a0;

/// A report of the right form. **Nothing of it is verified.**
#[derive(Clone)]
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
    /// Bit 0: there is an author key. Bit 1: the chip's key is masked. Bits 2 to 4: [`signing_key`](Self::signing_key).
    pub key_info: u32,
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
    /// `REPORT_ID_MA`, of the guest's migration agent; all ones without one.
    pub report_id_ma: [u8; 32],
    /// `REPORTED_TCB`, for which the signing key was derived.
    pub reported_tcb: [u8; 8],
    /// Family, model and stepping, from version 3 on.
    pub cpuid: Option<[u8; 3]>,
    /// `CHIP_ID`; zero where the host hides it.
    pub chip_id: [u8; 64],
    /// `COMMITTED_TCB`
    pub committed_tcb: [u8; 8],
    /// `CURRENT_BUILD`, `CURRENT_MINOR`, `CURRENT_MAJOR`: the firmware that runs.
    pub current_version: [u8; 3],
    /// `COMMITTED_BUILD`, `COMMITTED_MINOR`, `COMMITTED_MAJOR`: the oldest firmware that the host can go back to.
    pub committed_version: [u8; 3],
    /// `LAUNCH_TCB`
    pub launch_tcb: [u8; 8],
    /// `LAUNCH_MIT_VECTOR`, from version 5 on.
    pub launch_mitigations: Option<u64>,
    /// `CURRENT_MIT_VECTOR`, from version 5 on.
    pub current_mitigations: Option<u64>,
    /// `SIGNATURE.R`, little-endian.
    pub signature_r: [u8; 72],
    /// `SIGNATURE.S`, little-endian.
    pub signature_s: [u8; 72],
}

printed_by_name!(Report<'_>, "Report");

impl<'a> Report<'a> {
    /// Reads a report of version 2 to 5, 1184 bytes. Reserved bytes must be zero, also those after the signature, which nothing
    /// signs: so nobody can change a byte unseen.
    ///
    /// # Errors
    /// [`SnpFormatError::Report`]; [`SnpFormatError::Unsigned`] for a report that says itself that no key signed it.
    pub fn decode(raw: &'a [u8]) -> Result<Self, SnpFormatError> {
        let signing_key = signing_key(raw)?;
        Self::read(raw, signing_key).ok_or(SnpFormatError::Report)
    }

    /// `REPORT_DATA` of bytes that have the length of a report. It is for an attester, which checks that its device answered the
    /// request and leaves everything else to the verifier.
    pub fn only_report_data(raw: &[u8]) -> Option<[u8; 64]> {
        (raw.len() == REPORT_LENGTH).then(|| array(raw, 0x050))?
    }

    /// All 1184 bytes, the signature included.
    pub fn bytes(&self) -> &'a [u8] {
        self.raw
    }

    /// The signed bytes.
    pub fn signed(&self) -> &'a [u8] {
        self.raw.get(..SIGNATURE).unwrap_or_default()
    }

    /// `r || s`, big-endian, 96 bytes, the usual form. `None` where one of them has more than 384 bits.
    pub fn signature(&self) -> Option<[u8; 96]> {
        let mut signature = [0; 96];
        let (r, s) = signature.split_at_mut(48);
        for (target, bytes) in [(r, &self.signature_r), (s, &self.signature_s)] {
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

    /// The processor, from version 3 on.
    ///
    /// # Errors
    /// [`SnpFormatError::Processor`] for a processor that this crate does not know.
    pub fn product(&self) -> Result<Option<Product>, SnpFormatError> {
        let Some([family, model, _stepping]) = self.cpuid else {
            return Ok(None);
        };
        let product = Product::of_cpuid(family, model);
        product.map(Some).ok_or(SnpFormatError::Processor)
    }

    /// The layout of the TCB versions, by the family of the processor. Reports of version 2 name no processor, and are older than
    /// Turin.
    pub fn tcb_layout(&self) -> TcbLayout {
        match self.cpuid {
            Some([family, ..]) if family >= TURIN_FAMILY => TcbLayout::WithFmc,
            _ => TcbLayout::WithoutFmc,
        }
    }

    /// `CHIP_ID` as far as this product fills it. `None` where the host hides it, or where the bytes after it are not zero.
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
        // No document describes version 4. The readers that saw it read it as version 3.
        let (cpuid, cpuid_end) = match version {
            2 => (None, 0x188),
            3..=5 => (Some(array(raw, 0x188)?), 0x18b),
            _ => return None,
        };
        let (mitigations, mitigations_end) = match version {
            5 => (
                [Some(u64_at(raw, 0x1f8)?), Some(u64_at(raw, 0x200)?)],
                0x208,
            ),
            _ => ([None; 2], 0x1f8),
        };
        let [launch_mitigations, current_mitigations] = mitigations;
        let reserved = [
            (0x04c, 0x050),
            (cpuid_end, 0x1a0),
            (0x1eb, 0x1ec),
            (0x1ef, 0x1f0),
            (mitigations_end, SIGNATURE),
            (0x330, REPORT_LENGTH),
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
            key_info: u32_at(raw, 0x048)?,
            signing_key,
            report_data: array(raw, 0x050)?,
            measurement: array(raw, 0x090)?,
            host_data: array(raw, 0x0c0)?,
            id_key_digest: array(raw, 0x0e0)?,
            author_key_digest: array(raw, 0x110)?,
            report_id: array(raw, 0x140)?,
            report_id_ma: array(raw, 0x160)?,
            reported_tcb: array(raw, 0x180)?,
            cpuid,
            chip_id: array(raw, 0x1a0)?,
            committed_tcb: array(raw, 0x1e0)?,
            current_version: array(raw, 0x1e8)?,
            committed_version: array(raw, 0x1ec)?,
            launch_tcb: array(raw, 0x1f0)?,
            launch_mitigations,
            current_mitigations,
            signature_r: array(raw, SIGNATURE)?,
            signature_s: array(raw, 0x2e8)?,
        })
    }
}

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

/// The signed bytes end here.
const SIGNATURE: usize = 0x2a0;

/// CPUID family of the first processor with an FMC.
const TURIN_FAMILY: u8 = 0x1a;

/// `SIGNATURE_ALGO` of every report: ECDSA P-384 with SHA-384.
pub const ECDSA_P384_SHA384: u32 = 1;
