//! The logs beside a TPM's registers: of firmware and boot loaders, of systemd, of the kernel (IMA).

use std::collections::BTreeMap;

use atls_formats::tpm::HashAlgorithm;
use atls_formats::tpm::ImaLog;
use atls_formats::tpm::PcrValues;
use atls_formats::tpm::SystemdLog;
use atls_formats::tpm::TcgLog;

use super::found::Found;
use super::tree::Node;
use crate::report::hex;

/// A log by itself.
pub(super) fn read(bytes: &[u8]) -> Option<Found> {
    let log = tcg(bytes)
        .or_else(|| systemd(bytes))
        .or_else(|| ima(bytes))?;
    Some(Found::of(log))
}

/// The log of the firmware: events by register, and the value that they lead to.
pub(super) fn tcg(bytes: &[u8]) -> Option<Node> {
    tcg_beside(bytes, &[])
}

/// The same beside the registers that were quoted.
pub(super) fn tcg_beside(bytes: &[u8], quoted: &[PcrValues]) -> Option<Node> {
    let banks = quoted.iter().map(|values| values.bank).chain(BANKS);
    let mut logs = banks.filter_map(|bank| Some((bank, TcgLog::decode(bytes, bank).ok()?)));
    let (bank, log) = logs.next()?;
    let quoted = quoted.iter().find(|values| values.bank == bank);
    let mut tree = Node::branch(format!("TCG event log, {bank}"));
    for pcr in 0..24 {
        let (replay, events) = log.extended(pcr);
        if events.is_empty() {
            continue;
        }
        let says = match quoted.and_then(|quoted| quoted.values.get(&pcr)) {
            None => "where these events lead; compare with a quote",
            Some(value) if value == replay.value() => "these events lead to the quoted value",
            Some(_) => {
                "these events do NOT lead to the quoted value: they prove nothing, unless systemd's log goes on"
            }
        };
        let mut register = Node::leaf(format!("PCR {pcr}"), hex(replay.value())).meaning(says);
        for event in events {
            let shown = Node::leaf(kind(event.claimed_type), hex(event.digest));
            register = register.with(match event.measured.and_then(readable) {
                Some(text) => shown.meaning(text),
                None => shown,
            });
        }
        tree = tree.with(register);
    }
    Some(tree.unsigned())
}

/// The log of systemd.
pub(super) fn systemd(bytes: &[u8]) -> Option<Node> {
    let (bank, log) = BANKS
        .iter()
        .filter_map(|bank| Some((bank, SystemdLog::decode(bytes, *bank).ok()?)))
        .find(|(_, log)| !log.claimed_events().is_empty())?;
    let mut registers: BTreeMap<u8, Vec<Node>> = BTreeMap::new();
    for event in log.claimed_events() {
        let shown = Node::leaf(&event.claimed_type, hex(&event.digest));
        let text = event.measured.as_deref();
        registers.entry(event.pcr).or_default().push(match text {
            Some(text) => shown.meaning(text),
            None => shown,
        });
    }
    by_register(format!("systemd log, {bank}"), registers)
}

/// The list of the kernel.
pub(super) fn ima(bytes: &[u8]) -> Option<Node> {
    let log = ImaLog::decode(bytes).ok()?;
    let mut registers: BTreeMap<u8, Vec<Node>> = BTreeMap::new();
    for entry in log.claimed_entries() {
        let path = String::from_utf8_lossy(&entry.path).into_owned();
        let shown = match &entry.digest {
            Some(digest) => Node::leaf(path, hex(digest)).meaning(&entry.algorithm),
            None => Node::leaf(path, "violation").meaning("the file changed while it was measured"),
        };
        registers.entry(entry.pcr).or_default().push(shown);
    }
    by_register("IMA log".to_owned(), registers)
}

/// An empty log is none: any empty file would be one.
fn by_register(name: String, registers: BTreeMap<u8, Vec<Node>>) -> Option<Node> {
    if registers.is_empty() {
        return None;
    }
    let registers = registers
        .into_iter()
        .map(|(pcr, events)| Node::branch(format!("PCR {pcr}")).with_all(events));
    Some(Node::branch(name).with_all(registers).unsigned())
}

/// Text, of one byte or two for each character as UEFI has it.
pub(crate) fn readable(bytes: &[u8]) -> Option<String> {
    let text = match bytes.as_chunks::<2>() {
        (pairs, []) if pairs.iter().all(|[_, high]| *high == 0) => {
            pairs.iter().map(|[low, _]| char::from(*low)).collect()
        }
        _ => String::from_utf8(bytes.to_vec()).ok()?,
    };
    let text = text.trim_end_matches('\0');
    let is_text = !text.is_empty() && text.chars().all(|sign| !sign.is_control());
    is_text.then(|| text.chars().take(MAX_TEXT).collect())
}

/// TCG PC Client Platform Firmware Profile, table 27.
pub(crate) fn kind(number: u32) -> String {
    let known = KINDS.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("{number:#010x}"), |(_, name)| (*name).to_owned())
}

const KINDS: [(u32, &str); 24] = [
    (0x0000_0001, "EV_POST_CODE"),
    (0x0000_0003, "EV_NO_ACTION"),
    (0x0000_0004, "EV_SEPARATOR"),
    (0x0000_0005, "EV_ACTION"),
    (0x0000_0006, "EV_EVENT_TAG"),
    (0x0000_0007, "EV_S_CRTM_CONTENTS"),
    (0x0000_0008, "EV_S_CRTM_VERSION"),
    (0x0000_0009, "EV_CPU_MICROCODE"),
    (0x0000_000a, "EV_PLATFORM_CONFIG_FLAGS"),
    (0x0000_000b, "EV_TABLE_OF_DEVICES"),
    (0x0000_000c, "EV_COMPACT_HASH"),
    (0x0000_000d, "EV_IPL"),
    (0x0000_0011, "EV_NONHOST_CODE"),
    (0x8000_0001, "EV_EFI_VARIABLE_DRIVER_CONFIG"),
    (0x8000_0002, "EV_EFI_VARIABLE_BOOT"),
    (0x8000_0003, "EV_EFI_BOOT_SERVICES_APPLICATION"),
    (0x8000_0004, "EV_EFI_BOOT_SERVICES_DRIVER"),
    (0x8000_0006, "EV_EFI_GPT_EVENT"),
    (0x8000_0007, "EV_EFI_ACTION"),
    (0x8000_0008, "EV_EFI_PLATFORM_FIRMWARE_BLOB"),
    (0x8000_0009, "EV_EFI_HANDOFF_TABLES"),
    (0x8000_000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2"),
    (0x8000_000c, "EV_EFI_VARIABLE_BOOT2"),
    (0x8000_00e0, "EV_EFI_VARIABLE_AUTHORITY"),
];

const BANKS: [HashAlgorithm; 3] = [
    HashAlgorithm::Sha256,
    HashAlgorithm::Sha384,
    HashAlgorithm::Sha512,
];

/// Characters. Command lines of kernels are the longest.
const MAX_TEXT: usize = 512;
