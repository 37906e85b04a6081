//! Registers: which a quote selects, and what they hold.

use std::collections::BTreeMap;

use super::algorithm::HashAlgorithm;
use super::error::TpmFormatError;
use super::wire::Reader;

/// A set of registers, each 0 to 23: those of a PC Client TPM.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PcrSet(u32);

impl PcrSet {
    /// These registers; `None` where one is above 23.
    pub fn of(pcrs: impl IntoIterator<Item = u8>) -> Option<Self> {
        let add = |set, pcr| match pcr {
            0..PCRS => Some(Self(set | bit(pcr))),
            _ => None,
        };
        let mut pcrs = pcrs.into_iter();
        pcrs.try_fold(Self::default(), |Self(set), pcr| add(set, pcr))
    }

    /// Whether a register is in it.
    pub fn contains(self, pcr: u8) -> bool {
        pcr < PCRS && self.0 & bit(pcr) != 0
    }

    /// Whether no register is in it.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The registers, the lowest first.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (0..PCRS).filter(move |pcr| self.contains(*pcr))
    }
}

/// `TPMS_PCR_SELECTION` (Part 2 §10.6.2), with three bytes of bits as PC Client TPMs have it:
///
/// ```text
/// hash(2) ‖ 3(1) ‖ bits(3)         ; register n is bit n % 8 of byte n / 8
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "the fields of the format")]
pub struct PcrSelection {
    /// The bank.
    pub bank: HashAlgorithm,
    /// Registers of it.
    pub pcrs: PcrSet,
}

impl PcrSelection {
    /// Reads a `TPML_PCR_SELECTION`: each bank once, each with a register.
    pub(super) fn read_list(reader: &mut Reader<'_>) -> Option<Vec<Self>> {
        let count = reader.u32()?;
        if count == 0 || count > MAX_BANKS {
            return None;
        }
        let mut list: Vec<Self> = Vec::new();
        for _ in 0..count {
            let bank = HashAlgorithm::from_id(reader.u16()?)?;
            let [SIZE_OF_SELECT, low, middle, high] = reader.array()? else {
                return None;
            };
            let pcrs = PcrSet(u32::from_le_bytes([low, middle, high, 0]));
            let is_known = list.iter().any(|known| known.bank == bank);
            if is_known || pcrs.is_empty() {
                return None;
            }
            list.push(Self { bank, pcrs });
        }
        Some(list)
    }

    /// Writes a `TPML_PCR_SELECTION`.
    ///
    /// # Errors
    /// [`TpmFormatError::TooLong`]: never, as there are three banks.
    pub fn encode_list(list: &[Self]) -> Result<Vec<u8>, TpmFormatError> {
        let count = u32::try_from(list.len()).map_err(|_| TpmFormatError::TooLong)?;
        let mut out = count.to_be_bytes().to_vec();
        for selection in list {
            out.extend(selection.bank.id().to_be_bytes());
            let [low, middle, high, _] = selection.pcrs.0.to_le_bytes();
            out.extend([SIZE_OF_SELECT, low, middle, high]);
        }
        Ok(out)
    }
}

/// The values of registers of one bank.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PcrValues {
    /// The bank.
    pub bank: HashAlgorithm,
    /// Values by register, each of the bank's size.
    pub values: BTreeMap<u8, Vec<u8>>,
}

impl PcrValues {
    /// Splits the values of all selected registers, in the order of the selections and the lowest register first.
    ///
    /// # Errors
    /// [`TpmFormatError::Pcrs`] where they are fewer or more.
    pub fn split(
        selections: &[PcrSelection],
        concatenated: &[u8],
    ) -> Result<Vec<Self>, TpmFormatError> {
        let split = |reader: &mut Reader<'_>| {
            let mut banks = Vec::new();
            for PcrSelection { bank, pcrs } in selections {
                let mut values = BTreeMap::new();
                for pcr in pcrs.iter() {
                    values.insert(pcr, reader.take(bank.size())?.to_vec());
                }
                let bank = *bank;
                banks.push(Self { bank, values });
            }
            Some(banks)
        };
        Reader::whole(concatenated, split).ok_or(TpmFormatError::Pcrs)
    }
}

fn bit(pcr: u8) -> u32 {
    1_u32.checked_shl(pcr.into()).unwrap_or_default()
}

/// Registers of a PC Client TPM.
const PCRS: u8 = 24;

/// Bytes of bits.
const SIZE_OF_SELECT: u8 = 3;

/// One of each algorithm.
const MAX_BANKS: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_are_bits_from_the_lowest() {
        let pcrs = PcrSet::of([0, 7, 8, 23]).unwrap();
        let bank = HashAlgorithm::Sha256;
        let encoded = PcrSelection::encode_list(&[PcrSelection { bank, pcrs }]).unwrap();
        assert_eq!(encoded, [0, 0, 0, 1, 0, 0x0b, 3, 0x81, 0x01, 0x80]);
        assert_eq!(pcrs.iter().collect::<Vec<_>>(), [0, 7, 8, 23]);
        assert!(!pcrs.contains(1) && !pcrs.contains(24) && !pcrs.contains(255));
        assert_eq!(PcrSet::of([24]), None);
    }

    /// A quote of no register says nothing of those that come with it (CVE-2022-0317).
    #[test]
    fn a_list_has_each_bank_once_and_no_empty_one() {
        let read = |bytes: &[u8]| Reader::whole(bytes, PcrSelection::read_list);
        let one = [0, 0x0b, 3, 1, 0, 0];
        let other = [0, 0x0c, 3, 1, 0, 0];
        let list = |count: u8, banks: &[[u8; 6]]| [&[0, 0, 0, count][..], &banks.concat()].concat();
        assert_eq!(read(&list(2, &[one, other])).unwrap().len(), 2);
        for refused in [
            list(0, &[]),
            list(2, &[one, one]),
            list(1, &[one, other]),
            list(2, &[one]),
            list(1, &[[0, 0x0b, 3, 0, 0, 0]]),
            list(1, &[[0, 0x04, 3, 1, 0, 0]]),
            list(1, &[[0, 0x0b, 2, 1, 0, 0]]),
            list(1, &[[0, 0x0b, 4, 1, 0, 0]]),
            vec![0xff; 40],
        ] {
            assert_eq!(read(&refused), None, "{refused:?}");
        }
    }

    /// The signed selection says which registers these are, and nothing beside it (CVE-2024-29039).
    #[test]
    fn values_are_as_many_and_as_long_as_selected() {
        let selection = |bank, pcrs: &[u8]| PcrSelection {
            bank,
            pcrs: PcrSet::of(pcrs.iter().copied()).unwrap(),
        };
        let selections = [
            selection(HashAlgorithm::Sha384, &[4]),
            selection(HashAlgorithm::Sha256, &[7, 0]),
        ];
        let bytes = [&[4; 48][..], &[0; 32], &[7; 32]].concat();
        let banks = PcrValues::split(&selections, &bytes).unwrap();
        assert_eq!(banks[0].values, BTreeMap::from([(4, vec![4; 48])]));
        let expected = BTreeMap::from([(0, vec![0; 32]), (7, vec![7; 32])]);
        assert_eq!(banks[1].values, expected);
        for length in 0..bytes.len() {
            let cut = PcrValues::split(&selections, &bytes[..length]);
            assert_eq!(cut, Err(TpmFormatError::Pcrs));
        }
        let more = PcrValues::split(&selections, &[&bytes[..], &[0]].concat());
        assert_eq!(more, Err(TpmFormatError::Pcrs));
    }
}
