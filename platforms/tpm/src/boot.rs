//! The history of the registers in the logs, as far as a replay confirms it.

use std::collections::BTreeMap;
use std::fmt;

use atls_core::AppraisalError;
use atls_formats::tpm::Event;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::ImaEntry;
use atls_formats::tpm::ImaLog;
use atls_formats::tpm::Replay;
use atls_formats::tpm::SystemdEvent;
use atls_formats::tpm::SystemdLog;
use atls_formats::tpm::TcgLog;
use atls_formats::tpm::TpmFormatError;

use crate::policy::hexadecimal;
use crate::quoted::Quoted;

/// The events of the registers of one bank. A register whose value no replay leads to has none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Boot {
    /// By register, in their order.
    pub(crate) events: BTreeMap<u8, Vec<ConfirmedEvent>>,
    /// Of register 10; `None` where no replay leads to its value.
    pub(crate) files: Option<Vec<MeasuredFile>>,
    /// Whether the first thing that firmware measured into register 7 is that Secure Boot is on.
    pub(crate) shows_secure_boot: bool,
}

/// An event whose digest was extended into a quoted register.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfirmedEvent {
    /// The register.
    pub pcr: u8,
    /// The value that was extended.
    pub digest: Vec<u8>,
    /// The measured bytes, where the log has them and their hash is the digest.
    pub measured: Option<Vec<u8>>,
    /// The kind of event as the log states it. **The peer chose it**: nothing hashes it.
    pub unconfirmed_kind: EventKind,
}

/// The kind of an event, in the terms of the log that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventKind {
    /// A number of the firmware's log (PC Client Platform Firmware Profile §10.4.1).
    Firmware(u32),
    /// A name in the log of systemd, such as `phase`.
    Systemd(String),
}

/// A file that IMA measured into register 10.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MeasuredFile {
    /// The digest of the file; `None` where it changed while it was measured. Then **the peer chose the path too**.
    pub digest: Option<Vec<u8>>,
    /// The path under which the file was measured. Bytes of any kind: whoever can name a file on that machine chose them.
    pub path: Vec<u8>,
}

impl Boot {
    /// Replays the logs of a quote to the registers of a bank.
    pub(crate) fn of(quoted: &Quoted<'_>, bank: HashAlgorithm) -> Result<Self, AppraisalError> {
        let Some(registers) = quoted.bank(bank) else {
            return Ok(Self::default());
        };
        let mut boot = Self::default();
        let log = quoted.tcg_log.as_deref();
        let firmware = match log.map(|log| TcgLog::decode(log, bank)) {
            None | Some(Err(TpmFormatError::NoBank)) => None,
            Some(log) => Some(log?),
        };
        let log = quoted.systemd_log.as_deref();
        let systemd = log.map(|log| SystemdLog::decode(log, bank)).transpose()?;
        if firmware.is_some() || systemd.is_some() {
            for (pcr, value) in registers {
                boot.replay((firmware.as_ref(), systemd.as_ref()), bank, *pcr, value);
            }
        }
        if let (Some(log), Some(value)) = (&quoted.ima_log, registers.get(&IMA)) {
            let log = ImaLog::decode(log)?;
            let replayed = log.replay(bank, IMA, value);
            boot.files = replayed.map(|entries| {
                let file = |entry: &ImaEntry| MeasuredFile {
                    digest: entry.digest.clone(),
                    path: entry.path.clone(),
                };
                entries.into_iter().map(file).collect()
            });
        }
        Ok(boot)
    }

    /// The events of a register: all that the firmware's log has, and what systemd measured behind them.
    fn replay(
        &mut self,
        (firmware, systemd): (Option<&TcgLog<'_>>, Option<&SystemdLog>),
        bank: HashAlgorithm,
        pcr: u8,
        value: &[u8],
    ) {
        let (replay, before) = match firmware {
            Some(log) => log.extended(pcr),
            None => (Replay::of(bank, pcr), Vec::new()),
        };
        let behind = match systemd {
            Some(log) => log.replay(replay, pcr, value),
            None => (replay.value() == value).then(Vec::new),
        };
        let Some(behind) = behind else {
            return;
        };
        if pcr == SECURE_BOOT_POLICY {
            let first = before.first();
            self.shows_secure_boot = first.is_some_and(|first| first.shows_secure_boot());
        }
        let before = before.into_iter().map(ConfirmedEvent::of_firmware);
        let behind = behind.into_iter().map(ConfirmedEvent::of_systemd);
        self.events.insert(pcr, before.chain(behind).collect());
    }
}

impl ConfirmedEvent {
    fn of_firmware(event: Event<'_>) -> Self {
        Self {
            pcr: event.pcr,
            digest: event.digest.to_vec(),
            measured: event.measured.map(<[u8]>::to_vec),
            unconfirmed_kind: EventKind::Firmware(event.claimed_type),
        }
    }

    fn of_systemd(event: &SystemdEvent) -> Self {
        Self {
            pcr: event.pcr,
            digest: event.digest.clone(),
            measured: event.measured.clone().map(String::into_bytes),
            unconfirmed_kind: EventKind::Systemd(event.claimed_type.clone()),
        }
    }
}

/// The path with every byte that is not printable ASCII escaped.
impl fmt::Debug for MeasuredFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = self.digest.as_deref().map(hexadecimal::of);
        f.debug_struct("MeasuredFile")
            .field("digest", &digest)
            .field("path", &format_args!("{}", self.path.escape_ascii()))
            .finish()
    }
}

/// The register of Secure Boot's policy (PC Client Platform Firmware Profile §3.3.4.8), whose first event is the variable `SecureBoot`.
const SECURE_BOOT_POLICY: u8 = 7;

/// The register of IMA, unless a kernel is built otherwise.
const IMA: u8 = 10;
