//! The log of the events that were extended into the RTMRs: read, and replayed or refused.
//!
//! TCG PC Client Platform Firmware Profile §10.2, in the form that the ACPI table `CCEL` points to (UEFI 2.10 §38.4.1):
//! the index of an event is 1 for RTMR0 to 4 for RTMR3. Integers are little-endian.
//!
//! ```text
//! log    = index(4) ‖ 3(4) ‖ zero(20) ‖ length(4) ‖ "Spec ID Event03\0" …  ‖ *event
//! event  = index(4) ‖ type(4) ‖ count(4) ‖ count × [ algorithm(2) ‖ digest ] ‖ length(4) ‖ payload
//! RTMR'  = SHA-384(RTMR ‖ digest), from zero
//! ```
//!
//! A log is the peer's claim. The RTMRs confirm the digests in their order, and neither types nor payloads. A
//! payload is given out only where its SHA-384 is the digest; for other events the digest alone is known.

use sha2::Digest as _;
use sha2::Sha384;

use super::error::EventLogError;
use super::reader::Reader;
use crate::Digest;

/// An event whose digest was extended into an RTMR.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// 0 to 3.
    pub rtmr: usize,
    /// The value that was extended.
    pub digest: Digest<48>,
    /// The measured bytes, where the digest is theirs.
    pub payload: Option<Vec<u8>>,
    /// The kind of event as the log states it. **Nothing confirms it.**
    pub claimed_type: u32,
}

/// A log of which nothing but its first event was read, which says how long the digests of the others are.
#[derive(Clone, Debug)]
pub struct EventLog<'a> {
    whole: &'a [u8],
    events: Reader<'a>,
    algorithms: Vec<Algorithm>,
}

/// Identifier of an algorithm, and bytes of its digests.
#[derive(Clone, Debug)]
struct Algorithm {
    id: u16,
    size: usize,
}

impl<'a> EventLog<'a> {
    /// Reads the first event.
    ///
    /// # Errors
    /// [`EventLogError`] where it is not of its form, or announces no SHA-384.
    pub fn open(log: &'a [u8]) -> Result<Self, EventLogError> {
        let mut reader = Reader::of(log);
        let _index = reader.u32()?;
        let kind = reader.u32()?;
        let digest: [u8; 20] = reader.array()?;
        let length = reader.length()?;
        let mut header = Reader::of(reader.take(length)?);
        if kind != EV_NO_ACTION || digest != [0; 20] || header.array()? != SIGNATURE {
            return Err(EventLogError);
        }
        let _platform_class_and_version = header.take(8)?;
        let count = header.u32()?;
        if count == 0 || count > MAX_ALGORITHMS {
            return Err(EventLogError);
        }
        let mut algorithms = Vec::new();
        for _ in 0..count {
            algorithms.push(Algorithm {
                id: header.u16()?,
                size: usize::from(header.u16()?),
            });
        }
        let known = algorithms.iter();
        let known = known.filter(|algorithm| algorithm.id == SHA384 && algorithm.size == 48);
        if known.count() != 1 {
            return Err(EventLogError);
        }
        Ok(Self {
            whole: log,
            events: reader,
            algorithms,
        })
    }

    /// Reads all events and extends them, from zero; nothing may follow the last one.
    ///
    /// # Errors
    /// [`EventLogError`] where they do not lead to these RTMRs.
    pub fn replay(mut self, rtmr: &[Digest<48>; 4]) -> Result<Vec<Event>, EventLogError> {
        let mut registers = [[0; 48]; 4];
        let mut events = Vec::new();
        while !self.events.rest.is_empty() {
            let Some(event) = self.next()? else {
                continue;
            };
            let register = registers.get_mut(event.rtmr).ok_or(EventLogError)?;
            *register = sha384(&[&register[..], event.digest.as_ref()].concat());
            events.push(event);
        }
        if registers.map(Digest::from) == *rtmr {
            Ok(events)
        } else {
            Err(EventLogError)
        }
    }

    /// The bytes of the log, without the filling of the rest of the table that the firmware reserved for it.
    ///
    /// # Errors
    /// [`EventLogError`] where an event is malformed.
    pub fn without_filling(mut self) -> Result<&'a [u8], EventLogError> {
        while !self.events.rest.is_empty() && !self.events.rest.starts_with(&FILLING) {
            self.next()?;
        }
        Ok(self.events.read_of(self.whole)?)
    }

    /// The next event, `None` for one that was not extended.
    fn next(&mut self) -> Result<Option<Event>, EventLogError> {
        let reader = &mut self.events;
        let index = reader.u32()?;
        let claimed_type = reader.u32()?;
        let count = reader.u32()?;
        if count > MAX_ALGORITHMS {
            return Err(EventLogError);
        }
        let mut extended = None;
        for _ in 0..count {
            let id = reader.u16()?;
            let mut algorithms = self.algorithms.iter();
            let algorithm = algorithms.find(|algorithm| algorithm.id == id);
            let digest = reader.take(algorithm.ok_or(EventLogError)?.size)?;
            if id == SHA384 && extended.replace(digest).is_some() {
                return Err(EventLogError);
            }
        }
        let length = reader.length()?;
        let payload = reader.take(length)?;
        if claimed_type == EV_NO_ACTION {
            return Ok(None);
        }
        let digest: [u8; 48] = extended
            .and_then(|digest| digest.try_into().ok())
            .ok_or(EventLogError)?;
        let rtmr = index.checked_sub(1).and_then(|rtmr| rtmr.try_into().ok());
        let confirmed = sha384(payload) == digest;
        Ok(Some(Event {
            rtmr: rtmr.ok_or(EventLogError)?,
            digest: digest.into(),
            payload: confirmed.then(|| payload.to_vec()),
            claimed_type,
        }))
    }
}

pub(super) fn sha384(bytes: &[u8]) -> [u8; 48] {
    Sha384::digest(bytes).into()
}

pub(super) const SIGNATURE: [u8; 16] = *b"Spec ID Event03\0";

/// Informative: it is not extended.
pub(super) const EV_NO_ACTION: u32 = 3;

/// `TPM_ALG_SHA384`.
pub(super) const SHA384: u16 = 0x000c;

/// Digests per event; firmware uses one.
const MAX_ALGORITHMS: u32 = 5;

/// An index that no event has.
const FILLING: [u8; 4] = [0xff; 4];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dcap::EventLogWriter;

    fn replay(log: &[u8], rtmr: &[Digest<48>; 4]) -> Result<Vec<Event>, EventLogError> {
        EventLog::open(log)?.replay(rtmr)
    }

    fn without_filling(table: &[u8]) -> Result<&[u8], EventLogError> {
        EventLog::open(table)?.without_filling()
    }

    fn log() -> EventLogWriter {
        EventLogWriter::new()
            .measured(0, 0x8000_0001, b"variable")
            .event(1, 0x8000_0003, &[7; 48], b"describes a loaded image")
            .event(1, EV_NO_ACTION, &[9; 48], b"not extended")
            .measured(1, 4, &[0; 4])
            .measured(2, 13, b"kernel_cmdline: quiet")
            .measured(3, 13, b"application")
    }

    #[test]
    fn a_log_is_replayed() {
        let events = replay(log().bytes(), &log().rtmr()).unwrap();
        let rtmr: Vec<_> = events.iter().map(|event| event.rtmr).collect();
        assert_eq!(rtmr, [0, 1, 1, 2, 3]);
        assert_eq!(events[0].payload.as_deref(), Some(&b"variable"[..]));
        // The image was measured; nothing confirms the log's description of it.
        assert_eq!(events[1].payload, None);
        assert_eq!(events[1].digest, [7; 48].into());
    }

    #[test]
    fn another_log_is_refused() {
        let rtmr = log().rtmr();
        let (bytes, length) = (log().bytes().to_vec(), log().bytes().len());
        let header = EventLogWriter::new().bytes().len();
        for other in [
            EventLogWriter::new(),
            log().measured(3, 13, b"one more"),
            log().measured(0, 13, b""),
            EventLogWriter::new()
                .measured(3, 13, b"application")
                .measured(2, 13, b"kernel_cmdline: quiet")
                .measured(1, 4, &[0; 4])
                .event(1, 0x8000_0003, &[7; 48], b"describes a loaded image")
                .measured(0, 0x8000_0001, b"variable"),
        ] {
            let refused = replay(other.bytes(), &rtmr);
            assert_eq!(refused, Err(EventLogError));
        }
        for end in 0..length {
            assert!(replay(&bytes[..end], &rtmr).is_err(), "cut at {end}");
        }
        let mut ignored = 0;
        for index in 0..length {
            let mut altered = bytes.clone();
            altered[index] ^= 1;
            if let Ok(events) = replay(&altered, &rtmr) {
                // The byte is of a payload or type that nothing confirms, and nothing rests on it.
                ignored += 1;
                let digests = |events: &[Event]| -> Vec<_> {
                    events
                        .iter()
                        .map(|event| (event.rtmr, event.digest))
                        .collect()
                };
                let genuine = replay(&bytes, &rtmr).unwrap();
                assert_eq!(digests(&events), digests(&genuine), "byte {index}");
                for (event, genuine) in events.iter().zip(&genuine) {
                    let payload = event.payload.as_ref();
                    assert!(payload.is_none() || payload == genuine.payload.as_ref());
                }
            }
        }
        assert!(ignored > header && ignored < length);
    }

    #[test]
    fn a_log_of_other_digests_is_refused() {
        let bytes = log().bytes().to_vec();
        let replay_changed = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut altered = bytes.clone();
            change(&mut altered);
            replay(&altered, &log().rtmr()).map(drop)
        };
        assert_eq!(replay_changed(&|_| {}), Ok(()));
        // Signature, number of algorithms, algorithm, size of its digest, type of the first event.
        for index in [32, 32 + 24, 32 + 28, 32 + 30, 4] {
            assert_eq!(
                replay_changed(&|log| log[index] ^= 0x10),
                Err(EventLogError),
                "{index}"
            );
        }
        let first = EventLogWriter::new().bytes().len();
        // Number of digests of an event: none, two, very many.
        for count in [0_u32, 2, u32::MAX] {
            let change = |log: &mut Vec<u8>| {
                log[first + 8..first + 12].copy_from_slice(&count.to_le_bytes())
            };
            assert_eq!(replay_changed(&change), Err(EventLogError), "{count}");
        }
        // MRTD has no events, and there is no RTMR4.
        for index in [0_u32, 5, u32::MAX] {
            let change =
                |log: &mut Vec<u8>| log[first..first + 4].copy_from_slice(&index.to_le_bytes());
            assert_eq!(replay_changed(&change), Err(EventLogError), "{index}");
        }
    }

    #[test]
    fn filling_is_left_out() {
        let table = [log().bytes(), &[0xff; 300]].concat();
        assert_eq!(without_filling(&table).unwrap(), log().bytes());
        assert_eq!(without_filling(log().bytes()).unwrap(), log().bytes());
        assert!(replay(&table, &log().rtmr()).is_err());
        assert!(without_filling(b"").is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let behind = [EventLogWriter::new().bytes(), &bytes].concat();
            for log in [bytes, behind] {
                let _ = replay(&log, &[[0; 48].into(); 4]);
                let _ = without_filling(&log);
            }
        }
    }
}
