//! The log of what systemd measures once the kernel runs, from `/run/log/systemd/tpm2-measure.log`.
//!
//! It is a sequence of JSON texts (RFC 7464). Each is near to a record of TCG's Canonical Event Log in JSON:
//!
//! ```text
//! log    = *[ %x1E record LF ]
//! record = { "pcr": 0..23, "digests": [ *{ "hashAlg": "sha256", "digest": hexadecimal } ],
//!            "content": { "string": text, "eventType": text, … }, … }
//! ```
//!
//! Registers go on here from where the log of the firmware left them. A record without `pcr` is about something else, such as an
//! index of the non-volatile memory, and is passed over. So is one without a digest of the bank: it was not extended there.

use atls_core::bounded;
use serde::Deserialize;

use super::algorithm::HashAlgorithm;
use super::error::TpmFormatError;
use super::event::Replay;

/// A log: the peer's word, until a replay leads to the value of a register.
#[derive(Clone, Debug)]
pub struct SystemdLog {
    events: Vec<SystemdEvent>,
}

/// A measurement whose digest was extended into a register. A replay confirms `digest`, and `measured` by it. **Whoever sends the
/// log chooses `claimed_type`.**
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SystemdEvent {
    /// The register, 0 to 23.
    pub pcr: u8,
    /// The value that was extended.
    pub digest: Vec<u8>,
    /// The text that was measured, where the log has it: its hash is the digest. `None` where a secret was measured.
    pub measured: Option<String>,
    /// The kind of event as the log states it, such as `phase`. **Nothing confirms it.**
    pub claimed_type: String,
}

impl SystemdLog {
    /// Reads all records, by their digests for this bank. A last record without its end is left out: it was being written.
    ///
    /// # Errors
    /// [`TpmFormatError::SystemdLog`]
    pub fn decode(log: &[u8], bank: HashAlgorithm) -> Result<Self, TpmFormatError> {
        read(log, bank).ok_or(TpmFormatError::SystemdLog)
    }

    /// All events. **Nothing confirms them.**
    pub fn claimed_events(&self) -> &[SystemdEvent] {
        &self.events
    }

    /// The events of a register that lead from where the firmware left it to this value; `None` where they never do.
    ///
    /// The log grows while a quote is made. Events behind that value are left out: nothing confirms them.
    pub fn replay(&self, from: Replay, pcr: u8, value: &[u8]) -> Option<Vec<&SystemdEvent>> {
        let mut replay = from;
        let mut confirmed = Vec::new();
        let mut events = self.events.iter().filter(|event| event.pcr == pcr);
        while replay.value() != value {
            let event = events.next()?;
            replay.extend(&event.digest);
            confirmed.push(event);
        }
        Some(confirmed)
    }
}

fn read(log: &[u8], bank: HashAlgorithm) -> Option<SystemdLog> {
    let mut events = Vec::new();
    let mut records = log.split(|byte| *byte == RECORD_SEPARATOR).peekable();
    // Nothing stands before the first separator.
    if !records.next()?.is_empty() {
        return None;
    }
    while let Some(text) = records.next() {
        let is_last = records.peek().is_none();
        match text.strip_suffix(b"\n") {
            Some(text) => events.extend(read_record(text, bank)?),
            None if is_last => {}
            None => return None,
        }
    }
    Some(SystemdLog { events })
}

/// `Some(None)` of a record that is about no register of this bank.
fn read_record(text: &[u8], bank: HashAlgorithm) -> Option<Option<SystemdEvent>> {
    if !bounded::json(MAX_VALUES, text) {
        return None;
    }
    let record: Record = serde_json::from_slice(text).ok()?;
    let Some(pcr) = record.pcr else {
        return Some(None);
    };
    let name = bank.to_string();
    let mut digests = record.digests.iter();
    let Some(digest) = digests.find(|digest| digest.algorithm == name) else {
        return Some(None);
    };
    if digests.any(|digest| digest.algorithm == name) {
        return None;
    }
    let digest = super::hexadecimal(digest.digest.as_bytes())?;
    if pcr > MAX_PCR || digest.len() != bank.size() {
        return None;
    }
    let Content { text, claimed_type } = record.content.unwrap_or_default();
    let is_measured = |text: &String| bank.digest(&[text.as_bytes()]) == digest;
    Some(Some(SystemdEvent {
        pcr,
        measured: text.filter(is_measured),
        digest,
        claimed_type: claimed_type.unwrap_or_default(),
    }))
}

#[derive(Deserialize)]
struct Record {
    pcr: Option<u8>,
    #[serde(default)]
    digests: Vec<RecordDigest>,
    content: Option<Content>,
}

#[derive(Deserialize)]
struct RecordDigest {
    #[serde(rename = "hashAlg")]
    algorithm: String,
    digest: String,
}

#[derive(Default, Deserialize)]
struct Content {
    #[serde(rename = "string")]
    text: Option<String>,
    #[serde(rename = "eventType")]
    claimed_type: Option<String>,
}

const RECORD_SEPARATOR: u8 = 0x1e;

/// Values of a record: some twenty with four digests.
const MAX_VALUES: usize = 128;

const MAX_PCR: u8 = 23;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BANK: HashAlgorithm = HashAlgorithm::Sha256;

    /// As systemd 257 wrote it, but for the identifier of the boot.
    const PHASE: &str = r#"{"pcr":11,"digests":[{"hashAlg":"sha1","digest":"00"},{"hashAlg":"sha256","digest":"DIGEST"}],"content_type":"systemd","content":{"string":"enter-initrd","bootId":"0123456789abcdef0123456789abcdef","timestamp":4061113,"eventType":"phase"}}"#;

    fn record(pcr: u8, text: &str, measured: &[u8]) -> String {
        let digest = hex(&BANK.digest(&[measured]));
        let record = PHASE.replace("DIGEST", &digest);
        let record = record.replace("\"pcr\":11", &format!("\"pcr\":{pcr}"));
        format!("\u{1e}{}\n", record.replace("enter-initrd", text))
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn from() -> Replay {
        let mut replay = Replay::of(BANK, 11);
        replay.extend(&[7; 32]);
        replay
    }

    fn value(measured: &[&[u8]]) -> Vec<u8> {
        let mut replay = from();
        let digests = measured.iter().map(|bytes| BANK.digest(&[bytes]));
        digests.for_each(|digest| replay.extend(&digest));
        replay.value().to_vec()
    }

    #[test]
    fn records_go_on_from_where_the_firmware_left_a_register() {
        let log = record(11, "enter-initrd", b"enter-initrd")
            + &record(15, "elsewhere", b"elsewhere")
            + &record(11, "leave-initrd", b"leave-initrd");
        let log = SystemdLog::decode(log.as_bytes(), BANK).unwrap();
        let both = value(&[b"enter-initrd", b"leave-initrd"]);
        let events = log.replay(from(), 11, &both).unwrap();
        let measured: Vec<_> = events.iter().map(|event| &event.measured).collect();
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(measured, [&text("enter-initrd"), &text("leave-initrd")]);
        assert_eq!(events[0].claimed_type, "phase");
        // The second was measured after the quote.
        let one = value(&[b"enter-initrd"]);
        assert_eq!(log.replay(from(), 11, &one).unwrap().len(), 1);
        assert_eq!(log.replay(from(), 11, &value(&[])).unwrap().len(), 0);
        assert_eq!(log.replay(Replay::of(BANK, 11), 11, &both), None);
        assert_eq!(log.replay(from(), 11, &value(&[b"another"])), None);
    }

    #[test]
    fn a_text_that_is_not_what_was_hashed_is_not_measured() {
        let log = record(11, "enter-initrd", b"another");
        let log = SystemdLog::decode(log.as_bytes(), BANK).unwrap();
        let events = log.replay(from(), 11, &value(&[b"another"])).unwrap();
        assert_eq!(events[0].measured, None);
    }

    #[test]
    fn a_record_of_no_register_or_of_another_bank_is_passed_over() {
        let no_register = "\u{1e}{\"nvIndex\":5,\"digests\":[]}\n";
        let log = no_register.to_owned() + &record(11, "enter-initrd", b"enter-initrd");
        let read = |bank| {
            SystemdLog::decode(log.as_bytes(), bank)
                .unwrap()
                .events
                .len()
        };
        assert_eq!(read(BANK), 1);
        assert_eq!(read(HashAlgorithm::Sha384), 0);
        assert_eq!(SystemdLog::decode(b"", BANK).unwrap().events, []);
    }

    #[test]
    fn a_record_that_is_being_written_is_left_out_and_no_other() {
        let whole = record(11, "enter-initrd", b"enter-initrd");
        let log = whole.clone() + &record(11, "leave-initrd", b"leave-initrd");
        for length in whole.len()..log.len() {
            let log = SystemdLog::decode(&log.as_bytes()[..length], BANK).unwrap();
            assert_eq!(log.events.len(), 1, "{length}");
        }
        let cut = whole.trim_end().to_owned() + &whole;
        assert!(SystemdLog::decode(cut.as_bytes(), BANK).is_err());
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let good = record(11, "enter-initrd", b"enter-initrd");
        let other = |from: &str, to: &str| {
            let log = good.replace(from, to);
            assert_ne!(log, good);
            SystemdLog::decode(log.as_bytes(), BANK).map(drop)
        };
        for (from, to) in [
            ("\u{1e}", ""),
            ("\u{1e}", "x\u{1e}"),
            ("\"pcr\":11", "\"pcr\":24"),
            ("\"pcr\":11", "\"pcr\":256"),
            ("\"pcr\":11", "\"pcr\":11,\"pcr\":11"),
            ("\"sha1\"", "\"sha256\""),
            ("\"digest\":\"00\"", "\"digest\":0"),
            (
                "\"hashAlg\":\"sha256\",\"digest\":\"",
                "\"hashAlg\":\"sha256\",\"digest\":\"00",
            ),
            (
                "\"hashAlg\":\"sha256\",\"digest\":\"",
                "\"hashAlg\":\"sha256\",\"digest\":\"g",
            ),
            ("}\n", "}x\n"),
            (
                "\"timestamp\":4061113",
                &format!("\"timestamp\":[{}1]", "1,".repeat(200)),
            ),
        ] {
            assert_eq!(other(from, to), Err(TpmFormatError::SystemdLog), "{to}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = SystemdLog::decode(&bytes, BANK);
            let _ = SystemdLog::decode(&[&[RECORD_SEPARATOR][..], &bytes, b"\n"].concat(), BANK);
        }
    }
}
