//! The tables at the end of an OVMF image, by which a host learns how to load it.
//!
//! edk2, `OvmfPkg/ResetVector`. Entries stand before the footer, which ends 32 bytes before the end of the image: content, length of the
//! whole entry (2 bytes, little-endian), GUID.

use std::path::Path;

use super::wrong;
use crate::failure::Failure;
use crate::source;

pub(super) struct Ovmf {
    pub(super) bytes: Vec<u8>,
}

impl Ovmf {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = source::read(path, MAX_IMAGE)?;
        if bytes.is_empty() || bytes.len() % PAGE != 0 {
            return Err(wrong(
                path,
                "it is no OVMF image: it has no whole pages of 4 KiB",
            ));
        }
        Ok(Self { bytes })
    }

    /// The address at which it is loaded: it ends at 4 GiB.
    pub(super) fn address(&self) -> Option<u64> {
        FOUR_GIB.checked_sub(u64::try_from(self.bytes.len()).ok()?)
    }

    /// The content of an entry.
    pub(super) fn entry(&self, guid: &[u8; 16]) -> Option<&[u8]> {
        let end = self.bytes.len().checked_sub(AFTER_FOOTER)?;
        let (rest, footer) = last_entry(self.bytes.get(..end)?)?;
        if footer.guid != FOOTER {
            return None;
        }
        let start = rest.len().checked_sub(footer.content_length()?)?;
        let mut table = rest.get(start..)?;
        while !table.is_empty() {
            let (rest, entry) = last_entry(table)?;
            let start = rest.len().checked_sub(entry.content_length()?)?;
            let (before, content) = rest.split_at_checked(start)?;
            if entry.guid == *guid {
                return Some(content);
            }
            table = before;
        }
        None
    }

    /// A number of 4 bytes in an entry.
    pub(super) fn number(&self, guid: &[u8; 16]) -> Option<u32> {
        let (number, _) = self.entry(guid)?.split_first_chunk()?;
        Some(u32::from_le_bytes(*number))
    }

    /// The descriptor that stands this far before the end, as an entry says.
    pub(super) fn descriptor(&self, guid: &[u8; 16]) -> Option<&[u8]> {
        let from_end = usize::try_from(self.number(guid)?).ok()?;
        self.bytes.get(self.bytes.len().checked_sub(from_end)?..)
    }
}

struct Entry {
    length: u16,
    guid: [u8; 16],
}

impl Entry {
    fn content_length(&self) -> Option<usize> {
        usize::from(self.length).checked_sub(ENTRY)
    }
}

/// The head of the entry at the end, which follows its content.
fn last_entry(table: &[u8]) -> Option<(&[u8], Entry)> {
    let (rest, guid) = table.split_last_chunk::<16>()?;
    let (rest, length) = rest.split_last_chunk::<2>()?;
    let length = u16::from_le_bytes(*length);
    Some((
        rest,
        Entry {
            length,
            guid: *guid,
        },
    ))
}

/// Reads numbers of a structure, little-endian.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    pub(super) fn u32(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*number))
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }
}

/// A GUID as it stands in memory: its first three groups are little-endian.
pub(super) const fn guid(a: u32, b: u16, c: u16, rest: [u8; 8]) -> [u8; 16] {
    let (a, b, c) = (a.to_le_bytes(), b.to_le_bytes(), c.to_le_bytes());
    let [d, e, f, g, h, i, j, k] = rest;
    [
        a[0], a[1], a[2], a[3], b[0], b[1], c[0], c[1], d, e, f, g, h, i, j, k,
    ]
}

/// 96b582de-1fb2-45f7-baea-a366c55a082d
const FOOTER: [u8; 16] = guid(
    0x96b5_82de,
    0x1fb2,
    0x45f7,
    [0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d],
);

pub(super) const PAGE: usize = 4096;

const FOUR_GIB: u64 = 1 << 32;

/// Length and GUID.
const ENTRY: usize = 18;

/// The reset vector.
const AFTER_FOOTER: usize = 32;

/// Bytes. Images have 2 to 16 MiB.
const MAX_IMAGE: usize = 64 * 1024 * 1024;
