//! The log of what was measured into the RTMRs: replayed, or refused.
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
//! A log is the peer's word. What the RTMRs confirm is the digests, in their order; neither types nor payloads. A
//! payload is given out only where its SHA-384 is the digest; of other events nothing but the digest is known.

use atls_reference::Digest;
use ring::digest;

use crate::error::QuoteError;

/// An event whose digest was extended into an RTMR.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// 0 to 3.
    pub rtmr: usize,
    /// What was extended.
    pub digest: Digest<48>,
    /// What was measured, where the digest is that of these octets.
    pub payload: Option<Vec<u8>>,
    /// The log's word about the kind of event. **Nothing confirms it.**
    pub claimed_type: u32,
}

/// Reads a whole log and replays it into the RTMRs.
pub(crate) fn replay(log: &[u8], rtmr: &[Digest<48>; 4]) -> Result<Vec<Event>, QuoteError> {
    let (mut log, algorithms) = Log::open(log)?;
    let mut registers = [[0; 48]; 4];
    let mut events = Vec::new();
    while !log.rest.is_empty() {
        let Some(event) = log.event(&algorithms)? else {
            continue;
        };
        let register = registers.get_mut(event.rtmr).ok_or(QuoteError::EventLog)?;
        *register = sha384(&[&register[..], event.digest.as_ref()].concat());
        events.push(event);
    }
    if registers.map(Digest::from) == *rtmr {
        Ok(events)
    } else {
        Err(QuoteError::EventLog)
    }
}

/// The log without what fills the rest of the table that the firmware reserved for it.
pub(crate) fn without_filling(table: &[u8]) -> Result<&[u8], QuoteError> {
    let (mut log, algorithms) = Log::open(table)?;
    while !log.rest.is_empty() && !log.rest.starts_with(&FILLING) {
        log.event(&algorithms)?;
    }
    let length = table.len().checked_sub(log.rest.len());
    length
        .and_then(|length| table.get(..length))
        .ok_or(QuoteError::EventLog)
}

struct Log<'a> {
    rest: &'a [u8],
}

/// Identifier of an algorithm, and octets of its digests.
struct Algorithm {
    id: u16,
    size: usize,
}

impl<'a> Log<'a> {
    /// Reads the first event, which says which digests the others have.
    fn open(log: &'a [u8]) -> Result<(Self, Vec<Algorithm>), QuoteError> {
        let mut log = Self { rest: log };
        let _index = log.u32()?;
        let kind = log.u32()?;
        let digest = log.take(20)?;
        let header = log.sized()?;
        if kind != EV_NO_ACTION || digest.iter().any(|octet| *octet != 0) {
            return Err(QuoteError::EventLog);
        }
        let mut header = Self { rest: header };
        if header.take(16)? != SIGNATURE {
            return Err(QuoteError::EventLog);
        }
        let _platform_class_and_version = header.take(8)?;
        let count = header.u32()?;
        if count == 0 || count > MAX_ALGORITHMS {
            return Err(QuoteError::EventLog);
        }
        let mut algorithms = Vec::new();
        for _ in 0..count {
            algorithms.push(Algorithm {
                id: header.u16()?,
                size: usize::from(header.u16()?),
            });
        }
        let known = |algorithm: &Algorithm| algorithm.id == SHA384 && algorithm.size == 48;
        if algorithms
            .iter()
            .filter(|algorithm| known(algorithm))
            .count()
            != 1
        {
            return Err(QuoteError::EventLog);
        }
        Ok((log, algorithms))
    }

    /// `None` for one that was not extended.
    fn event(&mut self, algorithms: &[Algorithm]) -> Result<Option<Event>, QuoteError> {
        let index = self.u32()?;
        let claimed_type = self.u32()?;
        let count = self.u32()?;
        if count > MAX_ALGORITHMS {
            return Err(QuoteError::EventLog);
        }
        let mut sha384_digest = None;
        for _ in 0..count {
            let id = self.u16()?;
            let algorithm = algorithms.iter().find(|algorithm| algorithm.id == id);
            let size = algorithm.ok_or(QuoteError::EventLog)?.size;
            let digest = self.take(size)?;
            if id == SHA384 && sha384_digest.replace(digest).is_some() {
                return Err(QuoteError::EventLog);
            }
        }
        let payload = self.sized()?;
        if claimed_type == EV_NO_ACTION {
            return Ok(None);
        }
        let digest: [u8; 48] = sha384_digest
            .and_then(|digest| digest.try_into().ok())
            .ok_or(QuoteError::EventLog)?;
        let rtmr = index.checked_sub(1).and_then(|rtmr| rtmr.try_into().ok());
        let confirmed = sha384(payload) == digest;
        Ok(Some(Event {
            rtmr: rtmr.ok_or(QuoteError::EventLog)?,
            digest: digest.into(),
            payload: confirmed.then(|| payload.to_vec()),
            claimed_type,
        }))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], QuoteError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(QuoteError::EventLog)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], QuoteError> {
        self.take(N)?.try_into().map_err(|_| QuoteError::EventLog)
    }

    fn u16(&mut self) -> Result<u16, QuoteError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, QuoteError> {
        self.array().map(u32::from_le_bytes)
    }

    fn sized(&mut self) -> Result<&'a [u8], QuoteError> {
        let length = self.u32()?;
        self.take(usize::try_from(length).map_err(|_| QuoteError::EventLog)?)
    }
}

fn sha384(octets: &[u8]) -> [u8; 48] {
    let mut out = [0; 48];
    out.copy_from_slice(digest::digest(&digest::SHA384, octets).as_ref());
    out
}

const SIGNATURE: [u8; 16] = *b"Spec ID Event03\0";

/// Not extended, informative only.
const EV_NO_ACTION: u32 = 3;

/// `TPM_ALG_SHA384`.
const SHA384: u16 = 0x000c;

/// Of digests per event; firmware uses one.
const MAX_ALGORITHMS: u32 = 5;

/// An index that no event has.
const FILLING: [u8; 4] = [0xff; 4];

#[cfg(all(test, feature = "testing"))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::ForgedLog;

    fn log() -> ForgedLog {
        ForgedLog::new()
            .measured(0, 0x8000_0001, b"variable")
            .event(1, 0x8000_0003, &[7; 48], b"describes a loaded image")
            .event(1, EV_NO_ACTION, &[9; 48], b"not extended")
            .measured(1, 4, &[0; 4])
            .measured(2, 13, b"kernel_cmdline: quiet")
            .measured(3, 13, b"application")
    }

    #[test]
    fn a_log_is_replayed() {
        let events = replay(log().octets(), &log().rtmr()).unwrap();
        let rtmr: Vec<_> = events.iter().map(|event| event.rtmr).collect();
        assert_eq!(rtmr, [0, 1, 1, 2, 3]);
        assert_eq!(events[0].payload.as_deref(), Some(&b"variable"[..]));
        // What was measured is the image; what the log says about it is not confirmed by anything.
        assert_eq!(events[1].payload, None);
        assert_eq!(events[1].digest, [7; 48].into());
    }

    #[test]
    fn another_log_is_refused() {
        let rtmr = log().rtmr();
        let (octets, length) = (log().octets().to_vec(), log().octets().len());
        let header = ForgedLog::new().octets().len();
        for other in [
            ForgedLog::new(),
            log().measured(3, 13, b"one more"),
            log().measured(0, 13, b""),
            ForgedLog::new()
                .measured(3, 13, b"application")
                .measured(2, 13, b"kernel_cmdline: quiet")
                .measured(1, 4, &[0; 4])
                .event(1, 0x8000_0003, &[7; 48], b"describes a loaded image")
                .measured(0, 0x8000_0001, b"variable"),
        ] {
            let refused = replay(other.octets(), &rtmr);
            assert_eq!(refused, Err(QuoteError::EventLog));
        }
        for end in 0..length {
            assert!(replay(&octets[..end], &rtmr).is_err(), "cut at {end}");
        }
        let mut ignored = 0;
        for index in 0..length {
            let mut altered = octets.clone();
            altered[index] ^= 1;
            if let Ok(events) = replay(&altered, &rtmr) {
                // Nothing that is given out rests on it: a payload or type that was never confirmed.
                ignored += 1;
                let digests = |events: &[Event]| -> Vec<_> {
                    events
                        .iter()
                        .map(|event| (event.rtmr, event.digest))
                        .collect()
                };
                let genuine = replay(&octets, &rtmr).unwrap();
                assert_eq!(digests(&events), digests(&genuine), "octet {index}");
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
        let octets = log().octets().to_vec();
        let judge = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut altered = octets.clone();
            change(&mut altered);
            replay(&altered, &log().rtmr()).map(drop)
        };
        assert_eq!(judge(&|_| {}), Ok(()));
        // Signature, number of algorithms, algorithm, size of its digest, type of the first event.
        for index in [32, 32 + 24, 32 + 28, 32 + 30, 4] {
            assert_eq!(
                judge(&|log| log[index] ^= 0x10),
                Err(QuoteError::EventLog),
                "{index}"
            );
        }
        let first = ForgedLog::new().octets().len();
        // Number of digests of an event: none, two, very many.
        for count in [0_u32, 2, u32::MAX] {
            let change = |log: &mut Vec<u8>| {
                log[first + 8..first + 12].copy_from_slice(&count.to_le_bytes())
            };
            assert_eq!(judge(&change), Err(QuoteError::EventLog), "{count}");
        }
        // MRTD has no events, and there is no RTMR4.
        for index in [0_u32, 5, u32::MAX] {
            let change =
                |log: &mut Vec<u8>| log[first..first + 4].copy_from_slice(&index.to_le_bytes());
            assert_eq!(judge(&change), Err(QuoteError::EventLog), "{index}");
        }
    }

    #[test]
    fn filling_is_left_out() {
        let table = [log().octets(), &[0xff; 300]].concat();
        assert_eq!(without_filling(&table).unwrap(), log().octets());
        assert_eq!(without_filling(log().octets()).unwrap(), log().octets());
        assert!(replay(&table, &log().rtmr()).is_err());
        assert!(without_filling(b"").is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let behind = [ForgedLog::new().octets(), &octets].concat();
            for log in [octets, behind] {
                let _ = replay(&log, &[[0; 48].into(); 4]);
                let _ = without_filling(&log);
            }
        }
    }
}
