//! Of TPMs: registers, events of the logs, files, counters.

use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::TcgLog;
use atls_formats::tpm::TpmEvidence;
use atls_tpm::ConfirmedEvent;
use atls_tpm::EventKind;
use atls_tpm::TpmClaims;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;

use super::values::Unseen;
use crate::appraise::Policy;
use crate::failure::Failure;
use crate::inspect;
use crate::report::hex;

pub(super) fn of(evidence: &[u8], claims: &TpmClaims, policy: &Policy) -> Result<Unseen, Failure> {
    let table: TpmPolicy = policy.table()?;
    let matches = |image: &&TpmImage| {
        let matched = claims.image.as_ref();
        matched.is_none_or(|matched| *matched == image.name)
    };
    let images: Vec<_> = table.images.iter().filter(matches).collect();
    let bank = images.first().map(|image| image.bank);
    let mut unseen = Unseen::default();
    registers(&mut unseen, claims, &images);
    if let Some(bank) = bank {
        unexplained(&mut unseen, evidence, claims, bank);
    }
    if !claims.files.is_empty() && images.iter().all(|image| image.ima.is_none()) {
        unseen.add("ima", format!("{} files", claims.files.len()));
    }
    counters(&mut unseen, claims, &table);
    if !resets_are_named(claims, policy)? {
        unseen.add("reset-count", claims.clock.reset_count);
    }
    Ok(unseen)
}

/// Registers that no image names, and the events of each.
fn registers(unseen: &mut Unseen, claims: &TpmClaims, images: &[&TpmImage]) {
    for values in &claims.banks {
        let bank = values.bank;
        let has_events = images.iter().any(|image| image.bank == bank);
        for (pcr, value) in &values.values {
            let mut looks = images
                .iter()
                .map(|image| image.bank == bank && looks_at(image, *pcr));
            // Of several images with the name that matched, any may be the one.
            let is_looked_at = match claims.image {
                Some(_) => looks.all(|looks| looks),
                None => looks.any(|looks| looks),
            };
            if is_looked_at {
                continue;
            }
            unseen.add_bytes(format!("{bank}.pcr{pcr}"), value);
            if has_events {
                events(unseen, claims, bank, *pcr);
            }
        }
    }
}

fn looks_at(image: &TpmImage, pcr: u8) -> bool {
    let by_value = image.pcr.keys().map(|index| index.get());
    let by_event = image.events.iter().map(|event| event.pcr.get());
    let by_reset = image.unmeasured.iter().map(|index| index.get());
    let by_section = image.systemd_stub.iter().flat_map(|_| STUB);
    let by_file = image.ima.iter().map(|_| IMA);
    let by_event = by_value.chain(by_event).chain(by_reset);
    let mut named = by_event.chain(by_section).chain(by_file);
    named.any(|index| index == pcr)
}

fn events(unseen: &mut Unseen, claims: &TpmClaims, bank: HashAlgorithm, pcr: u8) {
    let events = claims.events.iter().filter(|event| event.pcr == pcr);
    for (number, event) in (1..).zip(events) {
        let name = format!("{bank}.pcr{pcr} event {number}, {}", kind(event));
        let text = event.measured.as_deref().and_then(inspect::readable);
        match text {
            Some(text) => unseen.add(name, format!("{} {text}", hex(&event.digest))),
            None => unseen.add_bytes(name, &event.digest),
        }
    }
}

fn kind(event: &ConfirmedEvent) -> String {
    match &event.unconfirmed_kind {
        EventKind::Firmware(number) => inspect::event_kind(*number),
        EventKind::Systemd(name) => name.clone(),
        _ => "another log".to_owned(),
    }
}

/// Entries of the firmware's log that no register confirms: nobody believes them.
fn unexplained(unseen: &mut Unseen, evidence: &[u8], claims: &TpmClaims, bank: HashAlgorithm) {
    let evidence = TpmEvidence::decode(evidence).ok();
    let log = evidence.and_then(|evidence| evidence.tcg_log);
    let Some(Ok(log)) = log.as_deref().map(|log| TcgLog::decode(log, bank)) else {
        return;
    };
    for pcr in 0..REGISTERS {
        let (_, events) = log.extended(pcr);
        let is_confirmed = claims.events.iter().any(|event| event.pcr == pcr);
        if !events.is_empty() && !is_confirmed {
            let says = "entries of the log, which lead to no value that is quoted";
            unseen.add(
                format!("{bank}.pcr{pcr} log"),
                format!("{} {says}", events.len()),
            );
        }
    }
}

fn counters(unseen: &mut Unseen, claims: &TpmClaims, policy: &TpmPolicy) {
    if !policy.secure_boot {
        let shown = match claims.shows_secure_boot {
            true => "on, by the log",
            false => "not shown by a log",
        };
        unseen.add("secure-boot", shown);
    }
    if policy.min_firmware.is_none() {
        unseen.add("min-firmware", format!("{:016x}", claims.firmware_version));
    }
    if policy.max_restarts.is_none() {
        unseen.add("max-restarts", claims.clock.restart_count);
    }
    if !policy.safe_clock {
        unseen.add("safe-clock", claims.clock.is_safe);
    }
}

/// Whether the key that signed is for one boot alone. Beside `[azure]` there is no table of keys.
fn resets_are_named(claims: &TpmClaims, policy: &Policy) -> Result<bool, Failure> {
    if !policy.tables()?.iter().any(|table| table == "tpm-keys") {
        return Ok(false);
    }
    let table: TpmKeys = policy.table()?;
    let mut keys = table.keys.iter();
    let key = keys.find(|key| key.name == claims.key);
    Ok(key.is_some_and(|key| key.reset_count.is_some()))
}

/// Sections of a unified kernel image, and what comes from outside of it.
const STUB: [u8; 3] = [11, 12, 13];

const IMA: u8 = 10;

const REGISTERS: u8 = 24;
