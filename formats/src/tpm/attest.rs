//! The structure that a TPM signs about its registers.

use super::error::TpmFormatError;
use super::pcr::PcrSelection;
use super::wire::Reader;
use super::wire::put_sized;
use crate::printed::printed_by_name;

/// `TPMS_ATTEST` of type `TPM_ST_ATTEST_QUOTE` (Part 2 §10.12.8):
///
/// ```text
/// magic(4) = ff 54 43 47 ‖ type(2) = 80 18 ‖ TPM2B qualifiedSigner ‖ TPM2B extraData
///   ‖ clock(8) ‖ resetCount(4) ‖ restartCount(4) ‖ safe(1) ‖ firmwareVersion(8)
///   ‖ TPML_PCR_SELECTION ‖ TPM2B pcrDigest
/// ```
///
/// The magic is what a restricted key never signs for anybody else.
#[derive(Clone, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the fields of the format; any other is refused"
)]
pub struct Attest {
    /// The qualified name of the key that signs: identifier of a hash algorithm, and a digest over its name and those of its parents.
    pub qualified_signer: Vec<u8>,
    /// `qualifyingData` of whoever asked.
    pub extra_data: Vec<u8>,
    /// Since when the TPM has run, and how often.
    pub clock: Clock,
    /// The TPM's firmware, as its maker counts. **Obfuscated** where the key is outside of the endorsement and platform hierarchies.
    pub firmware_version: u64,
    /// The registers that are quoted.
    pub selections: Vec<PcrSelection>,
    /// The digest of their values, in the order of the selections and the lowest register first, by the hash algorithm of the signature.
    pub pcr_digest: Vec<u8>,
}

printed_by_name!(Attest, "Attest");

/// `TPMS_CLOCK_INFO` (Part 2 §10.11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "the fields of the format")]
pub struct Clock {
    /// Milliseconds that the TPM was powered, since it was last cleared.
    pub milliseconds: u64,
    /// How often the TPM was reset, as at each start of the machine. Obfuscated like the firmware's version.
    pub reset_count: u32,
    /// How often the TPM was restarted or resumed since it was reset. Obfuscated like the firmware's version.
    pub restart_count: u32,
    /// Whether no greater value of the clock was reported before: an unorderly power-off may set it back.
    pub is_safe: bool,
}

impl Attest {
    /// Reads a quote, whole.
    ///
    /// # Errors
    /// [`TpmFormatError::Attest`]
    pub fn decode(bytes: &[u8]) -> Result<Self, TpmFormatError> {
        Reader::whole(bytes, Self::read).ok_or(TpmFormatError::Attest)
    }

    /// Writes a quote, as a TPM does.
    ///
    /// # Errors
    /// [`TpmFormatError::TooLong`] for a field of 64 KiB or more.
    pub fn encode(&self) -> Result<Vec<u8>, TpmFormatError> {
        let mut out = MAGIC.to_vec();
        out.extend(ATTEST_QUOTE.to_be_bytes());
        put_sized(&mut out, &self.qualified_signer)?;
        put_sized(&mut out, &self.extra_data)?;
        let clock = self.clock;
        out.extend(clock.milliseconds.to_be_bytes());
        out.extend(clock.reset_count.to_be_bytes());
        out.extend(clock.restart_count.to_be_bytes());
        out.push(clock.is_safe.into());
        out.extend(self.firmware_version.to_be_bytes());
        out.extend(PcrSelection::encode_list(&self.selections)?);
        put_sized(&mut out, &self.pcr_digest)?;
        Ok(out)
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        if reader.array()? != MAGIC || reader.u16()? != ATTEST_QUOTE {
            return None;
        }
        let qualified_signer = reader.sized()?;
        let extra_data = reader.sized()?;
        let clock = Clock {
            milliseconds: reader.u64()?,
            reset_count: reader.u32()?,
            restart_count: reader.u32()?,
            is_safe: match reader.u8()? {
                0 => false,
                1 => true,
                _ => return None,
            },
        };
        let firmware_version = reader.u64()?;
        let selections = PcrSelection::read_list(reader)?;
        let pcr_digest = reader.sized()?;
        if qualified_signer.len() > MAX_NAME || extra_data.len() > MAX_NAME {
            return None;
        }
        Some(Self {
            qualified_signer: qualified_signer.to_vec(),
            extra_data: extra_data.to_vec(),
            clock,
            firmware_version,
            selections,
            pcr_digest: pcr_digest.to_vec(),
        })
    }
}

/// `TPM_GENERATED_VALUE`
const MAGIC: [u8; 4] = [0xff, b'T', b'C', b'G'];

/// `TPM_ST_ATTEST_QUOTE`
const ATTEST_QUOTE: u16 = 0x8018;

/// Bytes of a `TPMT_HA` with SHA-512, the longest name and the longest `qualifyingData`.
const MAX_NAME: usize = 66;

#[cfg(test)]
pub(super) mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::tpm::HashAlgorithm;
    use crate::tpm::PcrSet;

    fn sample() -> Attest {
        Attest {
            qualified_signer: [&[0, 0x0b][..], &[7; 32]].concat(),
            extra_data: vec![5; 32],
            clock: Clock {
                milliseconds: 1,
                reset_count: 2,
                restart_count: 3,
                is_safe: true,
            },
            firmware_version: 4,
            selections: vec![PcrSelection {
                bank: HashAlgorithm::Sha256,
                pcrs: PcrSet::of([0, 7]).unwrap(),
            }],
            pcr_digest: vec![6; 32],
        }
    }

    #[test]
    fn a_quote_has_the_layout_of_the_specification() {
        let bytes = sample().encode().unwrap();
        assert_eq!(&bytes[..8], b"\xffTCG\x80\x18\x00\x22");
        assert_eq!(&bytes[42..44], [0, 32], "extraData");
        assert_eq!(&bytes[76..84], [0, 0, 0, 0, 0, 0, 0, 1], "clock");
        assert_eq!(&bytes[84..93], [0, 0, 0, 2, 0, 0, 0, 3, 1]);
        assert_eq!(&bytes[93..101], [0, 0, 0, 0, 0, 0, 0, 4], "firmware");
        assert_eq!(&bytes[101..111], [0, 0, 0, 1, 0, 0x0b, 3, 0x81, 0, 0]);
        assert_eq!(&bytes[111..113], [0, 32], "pcrDigest");
    }

    /// What a key signs that is not from its TPM has another magic (CVE-2024-29038, CVE-2024-29040).
    #[test]
    fn a_quote_is_of_its_form_alone() {
        let bytes = sample().encode().unwrap();
        assert_eq!(Attest::decode(&bytes), Ok(sample()));
        for length in 0..bytes.len() {
            let cut = Attest::decode(&bytes[..length]);
            assert_eq!(cut, Err(TpmFormatError::Attest), "{length}");
        }
        let more = [&bytes[..], &[0]].concat();
        assert_eq!(Attest::decode(&more), Err(TpmFormatError::Attest));
        // Magic, type of the structure, `safe`, algorithm of the bank, size of its bits.
        for (index, value) in [(0, 0xfe), (3, b'H'), (5, 0x17), (92, 2), (106, 4), (107, 4)] {
            let mut other = bytes.clone();
            other[index] = value;
            let refused = Attest::decode(&other);
            assert_eq!(refused, Err(TpmFormatError::Attest), "{index}");
        }
        let long = Attest {
            extra_data: vec![0; 67],
            ..sample()
        };
        let refused = Attest::decode(&long.encode().unwrap());
        assert_eq!(refused, Err(TpmFormatError::Attest));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            qualified_signer in vec(any::<u8>(), 0..=66),
            extra_data in vec(any::<u8>(), 0..=66),
            (milliseconds, reset_count, restart_count, is_safe) in any::<(u64, u32, u32, bool)>(),
            firmware_version in any::<u64>(),
            pcrs in vec(0_u8..24, 1..24),
            pcr_digest in vec(any::<u8>(), 0..=64),
        ) {
            let pcrs = PcrSet::of(pcrs).unwrap();
            let banks = [HashAlgorithm::Sha256, HashAlgorithm::Sha512];
            let attest = Attest {
                qualified_signer,
                extra_data,
                clock: Clock { milliseconds, reset_count, restart_count, is_safe },
                firmware_version,
                selections: banks.map(|bank| PcrSelection { bank, pcrs }).to_vec(),
                pcr_digest,
            };
            prop_assert_eq!(Attest::decode(&attest.encode().unwrap()), Ok(attest));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
            let _ = Attest::decode(&bytes);
            let _ = Attest::decode(&[&MAGIC[..], &[0x80, 0x18], &bytes].concat());
        }
    }
}
