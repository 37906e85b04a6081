//! The log of the firmware, and of the boot loaders that write into it.
//!
//! PC Client Platform Firmware Profile §10.2, in its crypto-agile form, as Linux gives it in
//! `/sys/kernel/security/tpm0/binary_bios_measurements`. Integers are little-endian.
//!
//! ```text
//! log    = first ‖ *event
//! first  = 0(4) ‖ 3(4) ‖ zero(20) ‖ length(4) ‖ "Spec ID Event03\0" ‖ class(4) ‖ version(4)
//!            ‖ count(4) ‖ count × [ algorithm(2) ‖ size(2) ] ‖ length(1) ‖ vendor information
//! event  = register(4) ‖ type(4) ‖ count(4) ‖ count × [ algorithm(2) ‖ digest ] ‖ length(4) ‖ payload
//! ```

use super::algorithm::HashAlgorithm;
use super::error::TpmFormatError;
use super::event::Event;
use super::event::Replay;
use super::wire::Reader;

/// A log: the peer's word, until a replay leads to the value of a register.
#[derive(Clone, Debug)]
pub struct TcgLog<'a> {
    bank: HashAlgorithm,
    events: Vec<Event<'a>>,
    /// From where the TPM was started, where the log says so.
    startup_locality: u8,
}

impl<'a> TcgLog<'a> {
    /// Reads all events, by their digests for this bank; nothing may follow the last one.
    ///
    /// # Errors
    /// [`TpmFormatError::EventLog`] where the log is malformed; [`TpmFormatError::NoBank`] where it has no digests for this bank.
    pub fn decode(log: &'a [u8], bank: HashAlgorithm) -> Result<Self, TpmFormatError> {
        let mut reader = Reader::of(log);
        let algorithms = read_first(&mut reader).ok_or(TpmFormatError::EventLog)?;
        if !algorithms.iter().any(|known| known.id == bank.id()) {
            return Err(TpmFormatError::NoBank);
        }
        let mut log = Self {
            bank,
            events: Vec::new(),
            startup_locality: 0,
        };
        while !reader.rest.is_empty() {
            let read = log.read_event(&mut reader, &algorithms);
            read.ok_or(TpmFormatError::EventLog)?;
        }
        Ok(log)
    }

    /// The events of a register, where extending all of them leads to this value; `None` where it does not. Then the log says
    /// nothing about this register.
    pub fn replay(&self, pcr: u8, value: &[u8]) -> Option<Vec<Event<'a>>> {
        let (replay, events) = self.extended(pcr);
        (replay.value() == value).then_some(events)
    }

    /// All events of a register, and the value that they lead to. **Nothing is confirmed by that**: another log goes on from here.
    pub fn extended(&self, pcr: u8) -> (Replay, Vec<Event<'a>>) {
        let mut replay = Replay::of(self.bank, pcr);
        if pcr == 0 {
            replay = replay.started_from(self.startup_locality);
        }
        let events = self.events.iter().filter(|event| event.pcr == pcr);
        let events: Vec<_> = events.copied().collect();
        events.iter().for_each(|event| replay.extend(event.digest));
        (replay, events)
    }

    fn read_event(&mut self, reader: &mut Reader<'a>, algorithms: &[Algorithm]) -> Option<()> {
        let pcr = reader.u32_le()?;
        let claimed_type = reader.u32_le()?;
        let count = reader.u32_le()?;
        if count > MAX_ALGORITHMS {
            return None;
        }
        let mut extended = None;
        for _ in 0..count {
            let id = reader.u16_le()?;
            let algorithm = algorithms.iter().find(|algorithm| algorithm.id == id)?;
            let digest = reader.take(algorithm.size)?;
            if id == self.bank.id() && extended.replace(digest).is_some() {
                return None;
            }
        }
        let payload = reader.sized_le()?;
        if claimed_type == EV_NO_ACTION {
            if let Some([locality]) = payload.strip_prefix(STARTUP_LOCALITY) {
                self.startup_locality = *locality;
            }
            return Some(());
        }
        let pcr = u8::try_from(pcr).ok().filter(|pcr| *pcr < 24)?;
        let event = Event::new(self.bank, (pcr, claimed_type), extended?, payload);
        self.events.push(event);
        Some(())
    }
}

/// Identifier of an algorithm, and bytes of its digests.
struct Algorithm {
    id: u16,
    size: usize,
}

/// The first event, which says how long the digests of the others are.
fn read_first(reader: &mut Reader<'_>) -> Option<Vec<Algorithm>> {
    let _register = reader.u32_le()?;
    if reader.u32_le()? != EV_NO_ACTION || reader.array()? != [0; 20] {
        return None;
    }
    let mut header = Reader::of(reader.sized_le()?);
    if header.array()? != SIGNATURE {
        return None;
    }
    let _class_and_version = header.take(8)?;
    let count = header.u32_le()?;
    if count == 0 || count > MAX_ALGORITHMS {
        return None;
    }
    let mut algorithms: Vec<Algorithm> = Vec::new();
    for _ in 0..count {
        let (id, size) = (header.u16_le()?, header.u16_le()?.into());
        let expected = HashAlgorithm::from_id(id).map(HashAlgorithm::size);
        let is_repeated = algorithms.iter().any(|known| known.id == id);
        if is_repeated || expected.is_some_and(|expected| expected != size) {
            return None;
        }
        algorithms.push(Algorithm { id, size });
    }
    Some(algorithms)
}

pub(super) const SIGNATURE: [u8; 16] = *b"Spec ID Event03\0";

/// Not extended, informative only.
pub(super) const EV_NO_ACTION: u32 = 3;

/// The payload of the informative event that says from which locality the TPM was started, without that byte (§10.4.5.3).
pub(super) const STARTUP_LOCALITY: &[u8] = b"StartupLocality\0";

/// Digests per event: SHA-1, three of SHA-2, SM3, and three of SHA-3.
const MAX_ALGORITHMS: u32 = 8;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tpm::TcgLogWriter;

    const BANK: HashAlgorithm = HashAlgorithm::Sha256;

    fn log() -> TcgLogWriter {
        TcgLogWriter::new(BANK)
            .startup_locality(3)
            .measured(0, 8, b"version")
            .measured(7, 0x8000_0001, b"variable")
            .event(4, 0x8000_0003, &[7; 32], b"describes a loaded image")
            .measured(4, 4, &[0; 4])
    }

    #[test]
    fn a_log_is_replayed_register_by_register() {
        let log = log();
        let read = TcgLog::decode(log.bytes(), BANK).unwrap();
        let events = read.replay(4, log.value(4)).unwrap();
        let digests: Vec<_> = events.iter().map(|event| event.digest).collect();
        assert_eq!(digests, [&[7; 32][..], &BANK.digest(&[&[0; 4]])]);
        // The firmware measured the image; nothing confirms the words of the log about it.
        assert_eq!(events[0].measured, None);
        assert_eq!(events[1].measured, Some(&[0; 4][..]));
        let events = read.replay(0, log.value(0)).unwrap();
        assert_eq!(events[0].measured, Some(&b"version"[..]));
    }

    #[test]
    fn another_value_is_not_explained() {
        let log = log();
        let read = TcgLog::decode(log.bytes(), BANK).unwrap();
        assert_eq!(read.replay(4, &[0; 32]), None);
        assert_eq!(read.replay(4, log.value(7)), None);
        assert_eq!(read.replay(4, &log.value(4)[..31]), None);
        assert_eq!(read.replay(1, &[0; 32]), Some(Vec::new()), "unused");
        let longer = log.clone().measured(4, 4, b"later");
        assert_eq!(read.replay(4, longer.value(4)), None);
        let longer = TcgLog::decode(longer.bytes(), BANK).unwrap();
        assert_eq!(longer.replay(4, log.value(4)), None, "one event too many");
    }

    #[test]
    fn every_truncation_is_refused_or_explains_less() {
        let log = log();
        for length in 0..log.bytes().len() {
            let cut = TcgLog::decode(&log.bytes()[..length], BANK);
            let explained = cut.is_ok_and(|cut| {
                let registers = [0, 4, 7].into_iter();
                registers
                    .filter(|pcr| cut.replay(*pcr, log.value(*pcr)).is_some())
                    .count()
                    == 3
            });
            assert!(!explained, "{length}");
        }
    }

    #[test]
    fn a_flipped_byte_never_changes_what_is_confirmed() {
        let log = log();
        let registers = [0, 4, 7];
        let genuine = TcgLog::decode(log.bytes(), BANK).unwrap();
        for index in 0..log.bytes().len() {
            let mut altered = log.bytes().to_vec();
            altered[index] ^= 1;
            let Ok(read) = TcgLog::decode(&altered, BANK) else {
                continue;
            };
            for pcr in registers {
                let Some(events) = read.replay(pcr, log.value(pcr)) else {
                    continue;
                };
                let expected = genuine.replay(pcr, log.value(pcr)).unwrap();
                assert_eq!(events.len(), expected.len());
                for (event, expected) in events.iter().zip(&expected) {
                    assert_eq!(event.digest, expected.digest);
                    assert!(event.measured.is_none() || event.measured == expected.measured);
                }
            }
        }
    }

    #[test]
    fn a_log_has_digests_of_the_bank() {
        let log = log();
        for bank in [HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
            let other = TcgLog::decode(log.bytes(), bank).map(drop);
            assert_eq!(other, Err(TpmFormatError::NoBank));
        }
        let first = TcgLogWriter::new(BANK).bytes().len();
        // Signature, number of algorithms, algorithm, size of its digest, type and digest of the first event.
        for index in [32, 32 + 24, 32 + 28, 32 + 30, 4, 8] {
            let mut other = log.bytes().to_vec();
            other[index] ^= 0x10;
            assert!(TcgLog::decode(&other, BANK).is_err(), "{index}");
        }
        // Number of digests of an event, and a register that there is not.
        let action = first + 12 + 34 + 4 + 17;
        for (offset, value) in [(8, 0_u32), (8, 2), (8, u32::MAX), (0, 24), (0, u32::MAX)] {
            let mut other = log.bytes().to_vec();
            let place = action + offset..action + offset + 4;
            other[place].copy_from_slice(&value.to_le_bytes());
            assert!(TcgLog::decode(&other, BANK).is_err(), "{offset} {value}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let behind = [TcgLogWriter::new(BANK).bytes(), &bytes].concat();
            for log in [bytes, behind] {
                let _ = TcgLog::decode(&log, BANK).map(|log| log.replay(0, &[0; 32]).is_some());
            }
        }

        #[test]
        fn what_is_written_is_read(events in proptest::collection::vec(
            (0_u8..24, 4_u32..20, proptest::collection::vec(any::<u8>(), 0..40)), 0..20,
        )) {
            for bank in [BANK, HashAlgorithm::Sha384, HashAlgorithm::Sha512] {
                let add = |log: TcgLogWriter, (pcr, kind, payload): &(u8, u32, Vec<u8>)| {
                    log.measured(*pcr, *kind, payload)
                };
                let log = events.iter().fold(TcgLogWriter::new(bank), add);
                let read = TcgLog::decode(log.bytes(), bank).unwrap();
                for pcr in 0..24 {
                    let replayed = read.replay(pcr, log.value(pcr)).unwrap();
                    let measured: Vec<_> = replayed.iter().filter_map(|event| event.measured).collect();
                    let of_register = events.iter().filter(|(register, ..)| *register == pcr);
                    let expected: Vec<_> = of_register.map(|(.., payload)| payload.as_slice()).collect();
                    prop_assert_eq!(measured, expected);
                }
            }
        }
    }
}
