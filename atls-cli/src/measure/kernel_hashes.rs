//! The hashes of a kernel that is booted directly, in the page that the firmware checks it by.

use std::path::Path;

use super::digest::sha256;
use super::digest::sha256_of_file;
use super::ovmf::PAGE;
use super::ovmf::guid;
use crate::failure::Failure;

/// SHA-256 of what QEMU boots, as it tells the firmware.
pub(super) struct KernelHashes {
    pub(super) kernel: [u8; 32],
    pub(super) initrd: [u8; 32],
    pub(super) cmdline: [u8; 32],
}

impl KernelHashes {
    pub(super) fn of(
        kernel: Option<&Path>,
        initrd: Option<&Path>,
        cmdline: Option<&str>,
    ) -> Result<Self, Failure> {
        let hash = |path: Option<&Path>| match path {
            Some(path) => sha256_of_file(path),
            None => Ok(sha256(b"")),
        };
        let cmdline = cmdline.unwrap_or_default();
        Ok(Self {
            kernel: hash(kernel)?,
            initrd: hash(initrd)?,
            cmdline: sha256(&[cmdline.as_bytes(), &[0]].concat()),
        })
    }

    /// The page with the table of hashes where the firmware expects it.
    pub(super) fn page(&self, address: u32) -> Option<Vec<u8>> {
        let entry = |guid: [u8; 16], hash: &[u8]| [&guid[..], &[50, 0], hash].concat();
        let table = [
            &HASH_TABLE[..],
            &[168, 0],
            &entry(CMDLINE, &self.cmdline),
            &entry(INITRD, &self.initrd),
            &entry(KERNEL, &self.kernel),
        ]
        .concat();
        let offset = usize::try_from(address).ok()? % PAGE;
        let mut page = vec![0; offset];
        page.extend(table);
        if page.len() > PAGE {
            return None;
        }
        page.resize(PAGE, 0);
        Some(page)
    }
}

/// 9438d606-4f22-4cc9-b479-a793d411fd21
const HASH_TABLE: [u8; 16] = guid(
    0x9438_d606,
    0x4f22,
    0x4cc9,
    [0xb4, 0x79, 0xa7, 0x93, 0xd4, 0x11, 0xfd, 0x21],
);
/// 97d02dd8-bd20-4c94-aa78-e7714d36ab2a
const CMDLINE: [u8; 16] = guid(
    0x97d0_2dd8,
    0xbd20,
    0x4c94,
    [0xaa, 0x78, 0xe7, 0x71, 0x4d, 0x36, 0xab, 0x2a],
);
/// 44baf731-3a2f-4bd7-9af1-41e29169781d
const INITRD: [u8; 16] = guid(
    0x44ba_f731,
    0x3a2f,
    0x4bd7,
    [0x9a, 0xf1, 0x41, 0xe2, 0x91, 0x69, 0x78, 0x1d],
);
/// 4de79437-abd2-427f-b835-d5b172d2045b
const KERNEL: [u8; 16] = guid(
    0x4de7_9437,
    0xabd2,
    0x427f,
    [0xb8, 0x35, 0xd5, 0xb1, 0x72, 0xd2, 0x04, 0x5b],
);
