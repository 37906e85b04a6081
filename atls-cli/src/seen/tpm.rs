//! Of quotes of TPMs.

use atls_formats::tpm::Attest;
use atls_formats::tpm::PcrValues;
use atls_formats::tpm::TcgLog;
use atls_formats::tpm::TpmEvidence;
use atls_tpm::AttestationKey;

use super::lines::line;
use super::lines::named;
use super::lines::pin;
use super::lines::quoted;
use crate::report::hex;

/// The table `tpm`; `None` where nothing that boots was measured.
pub(super) fn tpm(bytes: &[u8], name: &str) -> Option<String> {
    let evidence = TpmEvidence::decode(bytes).ok()?;
    let attest = Attest::decode(&evidence.attest).ok()?;
    let banks = PcrValues::split(&attest.selections, &evidence.pcrs).ok()?;
    let bank = best(&banks)?;
    let mut text = "\n[tpm]\n".to_owned();
    secure_boot(&mut text, &evidence, bank);
    counters(&mut text, &evidence, &attest);
    text.push_str("\n[[tpm.image]]\n");
    named(&mut text, name);
    line(
        &mut text,
        "The registers below are those of this bank; a policy looks at one alone.",
    );
    let others = banks.iter().filter(|other| other.bank != bank.bank);
    for other in others {
        let says = format!(
            "Not looked at: the bank {}, which was quoted too.",
            other.bank
        );
        line(&mut text, &says);
    }
    pin(&mut text, "bank", &quoted(bank.bank));
    registers(&mut text, bank);
    Some(text)
}

fn registers(text: &mut String, bank: &PcrValues) {
    let absent = (0..REGISTERS).filter(|pcr| !is_reset(*pcr) && !bank.values.contains_key(pcr));
    let absent: Vec<_> = absent.map(|pcr| pcr.to_string()).collect();
    if !absent.is_empty() {
        let says = "not quoted, so anything may be in them";
        line(
            text,
            &format!("Not looked at: pcr {}, {says}.", absent.join(", ")),
        );
    }
    let unmeasured = bank.values.iter();
    let unmeasured = unmeasured.filter(|(pcr, value)| is_unmeasured(value) && !is_reset(**pcr));
    let unmeasured: Vec<_> = unmeasured.map(|(pcr, _)| pcr.to_string()).collect();
    if !unmeasured.is_empty() {
        line(
            text,
            "Registers into which nothing was measured, and nothing may be.",
        );
        pin(text, "unmeasured", &format!("[{}]", unmeasured.join(", ")));
    }
    text.push_str("\n[tpm.image.pcr]\n");
    let resets = "software resets them and extends what it likes, so they prove nothing";
    line(
        text,
        &format!("Not looked at: pcr 16 and 20 to 23; {resets}."),
    );
    let measured = bank.values.iter();
    for (pcr, value) in measured.filter(|(pcr, value)| !is_unmeasured(value) && !is_reset(**pcr)) {
        line(text, holds(*pcr));
        pin(text, &pcr.to_string(), &quoted(hex(value)));
    }
}

fn secure_boot(text: &mut String, evidence: &TpmEvidence, bank: &PcrValues) {
    let log = evidence.tcg_log.as_deref();
    let log = log.and_then(|log| TcgLog::decode(log, bank.bank).ok());
    let events = log.zip(bank.values.get(&SECURE_BOOT));
    let events = events.and_then(|(log, value)| log.replay(SECURE_BOOT, value));
    let first = events.as_deref().and_then(<[_]>::first);
    if first.is_some_and(|first| first.shows_secure_boot()) {
        line(text, "The log must prove that Secure Boot is on.");
        pin(text, "secure-boot", "true");
    } else {
        line(
            text,
            "No log proves that Secure Boot is on, so secure-boot = true is not asked for.",
        );
    }
}

fn counters(text: &mut String, evidence: &TpmEvidence, attest: &Attest) {
    if attest.clock.is_safe {
        line(text, "The clock of the TPM never went back.");
        pin(text, "safe-clock", "true");
    } else {
        line(
            text,
            "Not looked at: the clock of the TPM, which may have gone back.",
        );
    }
    let key = AttestationKey::decode(&evidence.ak);
    let is_plain = key.is_ok_and(|key| key.is_endorsement_primary(&attest.qualified_signer));
    if !is_plain {
        line(
            text,
            "Not looked at: firmware and counters of the TPM, which obfuscates them for this key.",
        );
        return;
    }
    line(
        text,
        "This firmware of the TPM, or newer: versions that nobody saw are accepted.",
    );
    let firmware = format!("{:016x}", attest.firmware_version);
    pin(text, "min-firmware", &quoted(firmware));
    line(
        text,
        "Not looked at: restarts of the TPM, such as by suspending. This line refuses more than were seen:",
    );
    line(
        text,
        &format!("max-restarts = {}", attest.clock.restart_count),
    );
}

/// The bank with the most registers that say something, boot code among them.
fn best(banks: &[PcrValues]) -> Option<&PcrValues> {
    let measured = |bank: &&PcrValues| {
        let values = bank.values.iter();
        let measured = values.filter(|(pcr, value)| !is_unmeasured(value) && !is_reset(**pcr));
        measured.count()
    };
    let shows_boot = |bank: &&PcrValues| {
        BOOT_CODE.iter().any(|pcr| {
            let value = bank.values.get(pcr);
            value.is_some_and(|value| !is_unmeasured(value))
        })
    };
    // Of equals the last, and so the first.
    banks.iter().rev().filter(shows_boot).max_by_key(measured)
}

/// Holds what a reset leaves in it.
fn is_unmeasured(value: &[u8]) -> bool {
    let all = |expected| value.iter().all(|byte| *byte == expected);
    all(0) || all(0xff)
}

/// Software resets it.
fn is_reset(pcr: u8) -> bool {
    pcr == 16 || pcr > 19
}

/// PC Client Platform Firmware Profile §3.3.4; the UAPI Group's list of registers under Linux.
fn holds(pcr: u8) -> &'static str {
    match pcr {
        0 => "Firmware. Remove the line where somebody else updates it.",
        1 => "Configuration of the firmware: it differs by machine and by setting.",
        2 => "Option ROMs.",
        3 => "Configuration of option ROMs.",
        4 => "Boot loaders and, with unified images, the kernel.",
        5 => "Configuration of the boot loader, and the table of partitions.",
        6 => "Whatever the maker of the machine measures.",
        7 => "Secure Boot: whether it is on, and its keys.",
        8 => "Commands of GRUB, and the kernel's command line.",
        9 => "Files that GRUB read; the initial file system of Linux.",
        10 => {
            "Files, by IMA. It differs by run: [tpm.image.ima] in its place names the files that may be used."
        }
        11 => {
            "Sections of a unified kernel image and the phases of its boot: [tpm.image.systemd-stub] names the sections alone."
        }
        12 => "Command lines, add-ons and credentials from outside of the unified kernel image.",
        13 => "System extensions from outside of the unified kernel image.",
        14 => "Keys of shim (MOK).",
        15 => "Identity of the system and of its volumes: it differs by machine.",
        17 => "A dynamic launch: its code.",
        18 => "A dynamic launch: its settings.",
        _ => "The operating system of a dynamic launch.",
    }
}

const BOOT_CODE: [u8; 3] = [4, 17, 18];

const SECURE_BOOT: u8 = 7;

const REGISTERS: u8 = 24;
