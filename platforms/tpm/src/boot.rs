//! The history of the registers in the logs, as far as a replay confirms it.

use std::collections::BTreeMap;

use atls_core::AppraisalError;
use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::ImaEntry;
use atls_formats::tpm::ImaLog;
use atls_formats::tpm::TcgLog;
use atls_formats::tpm::TpmFormatError;

use crate::quoted::Quoted;

/// The events of the registers of one bank. A register whose value no replay leads to has none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Boot {
    /// By register, in their order.
    pub(crate) events: BTreeMap<u8, Vec<ConfirmedEvent>>,
    /// Of register 10; `None` where no replay leads to its value.
    pub(crate) files: Option<Vec<MeasuredFile>>,
    /// Whether the first thing that was measured into register 7 is that Secure Boot is on.
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
    pub unconfirmed_type: u32,
}

/// A file that IMA measured into register 10.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MeasuredFile {
    /// The digest of the file; `None` where it changed while it was measured. Then **the peer chose the path too**.
    pub digest: Option<Vec<u8>>,
    /// The path under which the file was measured.
    pub path: String,
}

impl Boot {
    /// Replays the logs of a quote to the registers of a bank.
    pub(crate) fn of(quoted: &Quoted<'_>, bank: HashAlgorithm) -> Result<Self, AppraisalError> {
        let Some(registers) = quoted.bank(bank) else {
            return Ok(Self::default());
        };
        let mut boot = Self::default();
        let log = quoted.tcg_log.as_deref();
        let log = match log.map(|log| TcgLog::decode(log, bank)) {
            None | Some(Err(TpmFormatError::NoBank)) => None,
            Some(log) => Some(log?),
        };
        if let Some(log) = log {
            for (pcr, value) in registers {
                let Some(events) = log.replay(*pcr, value) else {
                    continue;
                };
                if *pcr == SECURE_BOOT_POLICY {
                    let first = events.first();
                    boot.shows_secure_boot = first.is_some_and(|first| first.shows_secure_boot());
                }
                let events = events.into_iter().map(|event| ConfirmedEvent {
                    pcr: event.pcr,
                    digest: event.digest.to_vec(),
                    measured: event.measured.map(<[u8]>::to_vec),
                    unconfirmed_type: event.claimed_type,
                });
                boot.events.insert(*pcr, events.collect());
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
}

/// The register of Secure Boot's policy (PC Client Platform Firmware Profile §3.3.4.8), whose first event is the variable `SecureBoot`.
const SECURE_BOOT_POLICY: u8 = 7;

/// The register of IMA, unless a kernel is built otherwise.
const IMA: u8 = 10;
