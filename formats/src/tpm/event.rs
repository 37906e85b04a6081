//! An event of the firmware's log, and what of it a register confirms.

use super::algorithm::HashAlgorithm;
use super::wire::Reader;

/// An event whose digest was extended into a register.
///
/// A replay confirms the digests of a register in their order. It confirms `measured`, because the digest is its hash. It confirms
/// neither type nor payload: **whoever sends the log chooses those**.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The register, 0 to 23.
    pub pcr: u8,
    /// The value that was extended.
    pub digest: &'a [u8],
    /// The measured bytes, where the log has them: the payload, or the part of it that such an event hashes.
    pub measured: Option<&'a [u8]>,
    /// The kind of event as the log states it. **Nothing confirms it.**
    pub claimed_type: u32,
    /// The payload as the log states it. **Nothing confirms it.**
    pub claimed_payload: &'a [u8],
}

impl<'a> Event<'a> {
    /// Whether what was measured is the UEFI variable `SecureBoot`, and it says that Secure Boot is on.
    pub fn shows_secure_boot(&self) -> bool {
        let variable = self.measured.and_then(EfiVariable::read);
        variable.is_some_and(|EfiVariable { vendor, name, data }| {
            (vendor, name, data) == (&EFI_GLOBAL_VARIABLE, &SECURE_BOOT, &[1])
        })
    }

    pub(super) fn new(
        bank: HashAlgorithm,
        (pcr, claimed_type): (u8, u32),
        digest: &'a [u8],
        claimed_payload: &'a [u8],
    ) -> Self {
        let candidates = [
            Some(claimed_payload),
            variable_data(claimed_type, claimed_payload),
            boot_loader_text(claimed_type, claimed_payload),
        ];
        let is_measured = |bytes: &&[u8]| bank.digest(&[bytes]) == digest;
        Self {
            pcr,
            digest,
            measured: candidates.into_iter().flatten().find(is_measured),
            claimed_type,
            claimed_payload,
        }
    }
}

/// Extends digests into a register (Part 1 §17.4): `value' = Hash(value ‖ digest)`.
#[derive(Clone, Debug)]
pub struct Replay {
    bank: HashAlgorithm,
    value: Vec<u8>,
}

impl Replay {
    /// A register as a reset leaves it: zeros, and ones from 17 to 22, which only a dynamic launch clears.
    pub fn of(bank: HashAlgorithm, pcr: u8) -> Self {
        let byte = match pcr {
            17..=22 => 0xff,
            _ => 0,
        };
        let value = vec![byte; bank.size()];
        Self { bank, value }
    }

    /// Register 0 of a TPM that was started from this locality, which stands in its last byte.
    #[must_use]
    pub fn started_from(mut self, locality: u8) -> Self {
        if let Some(last) = self.value.last_mut() {
            *last = locality;
        }
        self
    }

    /// Extends a digest.
    pub fn extend(&mut self, digest: &[u8]) {
        self.value = self.bank.digest(&[&self.value, digest]);
    }

    /// The value of the register by now.
    pub fn value(&self) -> &[u8] {
        &self.value
    }
}

/// `UEFI_VARIABLE_DATA` (PC Client Platform Firmware Profile §10.4.1).
#[derive(Clone, Copy)]
struct EfiVariable<'a> {
    vendor: &'a [u8],
    /// UTF-16, little-endian.
    name: &'a [u8],
    data: &'a [u8],
}

impl<'a> EfiVariable<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        Reader::whole(bytes, |reader| {
            let vendor = reader.take(16)?;
            let characters = u64::from_le_bytes(reader.array()?);
            let length = u64::from_le_bytes(reader.array()?);
            Some(Self {
                vendor,
                name: reader.take(usize::try_from(characters).ok()?.checked_mul(2)?)?,
                data: reader.take(usize::try_from(length).ok()?)?,
            })
        })
    }
}

/// Of boot variables the data alone is hashed.
fn variable_data(claimed_type: u32, payload: &[u8]) -> Option<&[u8]> {
    match claimed_type {
        EV_EFI_VARIABLE_BOOT => EfiVariable::read(payload).map(|variable| variable.data),
        _ => None,
    }
}

/// GRUB hashes a command without the words that it puts before it into the log, and without the zero that ends it.
fn boot_loader_text(claimed_type: u32, payload: &[u8]) -> Option<&[u8]> {
    let mut prefixes = BOOT_LOADER_PREFIXES.iter();
    let text = match claimed_type {
        EV_IPL => prefixes.find_map(|prefix| payload.strip_prefix(*prefix)),
        _ => None,
    };
    text.map(|text| text.strip_suffix(&[0]).unwrap_or(text))
}

const EV_IPL: u32 = 0x0000_000d;
const EV_EFI_VARIABLE_BOOT: u32 = 0x8000_0002;

/// Of GRUB 2.04 and later, and the command line as RHEL 8 has it.
const BOOT_LOADER_PREFIXES: [&[u8]; 4] = [
    b"grub_cmd: ",
    b"grub_kernel_cmdline ",
    b"kernel_cmdline: ",
    b"module_cmdline: ",
];

/// 8be4df61-93ca-11d2-aa0d-00e098032b8c, as UEFI writes it into memory.
const EFI_GLOBAL_VARIABLE: [u8; 16] = [
    0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c,
];

const SECURE_BOOT: [u8; 20] = *b"S\0e\0c\0u\0r\0e\0B\0o\0o\0t\0";

#[cfg(test)]
mod tests {
    use super::*;

    const BANK: HashAlgorithm = HashAlgorithm::Sha256;

    #[test]
    fn a_payload_is_measured_where_its_hash_is_the_digest() {
        let digest = BANK.digest(&[b"payload"]);
        let measured = |payload| Event::new(BANK, (4, 1), &digest, payload).measured;
        assert_eq!(measured(b"payload"), Some(&b"payload"[..]));
        assert_eq!(measured(b"another"), None);
    }

    #[test]
    fn the_data_of_a_boot_variable_is_measured() {
        let digest = BANK.digest(&[b"data"]);
        let payload = variable(b"B\0o\0o\0t\0", b"data");
        let event = Event::new(BANK, (1, EV_EFI_VARIABLE_BOOT), &digest, &payload);
        assert_eq!(event.measured, Some(&b"data"[..]));
        assert_eq!(
            Event::new(BANK, (1, 1), &digest, &payload).measured,
            None,
            "of boot variables alone"
        );
    }

    #[test]
    fn the_command_of_a_boot_loader_is_measured() {
        let digest = BANK.digest(&[b"quiet splash"]);
        let payload = b"kernel_cmdline: quiet splash\0";
        let event = Event::new(BANK, (8, EV_IPL), &digest, payload);
        assert_eq!(event.measured, Some(&b"quiet splash"[..]));
    }

    #[test]
    fn secure_boot_is_shown_by_its_variable_alone() {
        let shows = |payload: &[u8]| {
            let digest = BANK.digest(&[payload]);
            Event::new(BANK, (7, 0x8000_0001), &digest, payload).shows_secure_boot()
        };
        assert!(shows(&variable(&SECURE_BOOT, &[1])));
        assert!(!shows(&variable(&SECURE_BOOT, &[0])));
        assert!(!shows(&variable(&SECURE_BOOT, &[1, 1])));
        assert!(!shows(&variable(&SECURE_BOOT[..18], &[1])));
        let mut elsewhere = variable(&SECURE_BOOT, &[1]);
        elsewhere[0] ^= 1;
        assert!(!shows(&elsewhere));
        // Bytes that nothing hashes show nothing.
        let payload = variable(&SECURE_BOOT, &[1]);
        let event = Event::new(BANK, (7, 0x8000_0001), &[0; 32], &payload);
        assert!(!event.shows_secure_boot());
    }

    #[test]
    fn a_register_begins_as_a_reset_leaves_it() {
        assert_eq!(Replay::of(BANK, 4).value(), [0; 32]);
        assert_eq!(Replay::of(BANK, 17).value(), [0xff; 32]);
        assert_eq!(Replay::of(BANK, 22).value(), [0xff; 32]);
        assert_eq!(Replay::of(BANK, 23).value(), [0; 32]);
        let started = Replay::of(BANK, 0).started_from(3);
        assert_eq!(started.value(), [&[0; 31][..], &[3]].concat());
    }

    fn variable(name: &[u8], data: &[u8]) -> Vec<u8> {
        let length = |length: usize| u64::try_from(length).unwrap().to_le_bytes();
        let (characters, bytes) = (length(name.len() / 2), length(data.len()));
        [&EFI_GLOBAL_VARIABLE[..], &characters, &bytes, name, data].concat()
    }
}
