//! The registers of a Nitro enclave image file.
//!
//! AWS Nitro Enclaves image format: a header of 548 bytes, then sections of type, flags, length and content, big-endian. PCR0 is of kernel,
//! command line and all RAM disks, PCR1 without the disks after the first, PCR2 of these alone: SHA-384 over zeroes and the SHA-384 of it.

use std::fs::File;
use std::io::BufReader;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use sha2::Digest;
use sha2::Sha256;
use sha2::Sha384;

use super::Measured;
use super::built::Built;
use super::digest::ZERO;
use super::digest::hex;
use super::digest::sha384;
use super::wrong;
use crate::failure::Failure;

#[derive(Args, Debug)]
pub(super) struct NitroOptions {
    /// The image file
    #[arg(value_name = "EIF")]
    image: PathBuf,
}

pub(super) fn measure(options: &NitroOptions) -> Result<Measured, Failure> {
    let path = &options.image;
    let unreadable = |error: std::io::Error| wrong(path, "cannot be read").because(&error);
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    let broken = |_| wrong(path, "it is no enclave image file, or it is cut off");
    let mut header = [0; HEADER];
    file.read_exact(&mut header).map_err(broken)?;
    if !header.starts_with(b".eif") {
        return Err(wrong(path, "it is no enclave image file"));
    }
    let mut registers = Registers::default();
    let mut steps = Vec::new();
    while let Some(section) = Section::read(&mut file).map_err(broken)? {
        let mut hash = Sha256::new();
        let name = registers.name(section.kind);
        let name = name.ok_or_else(|| wrong(path, "it has a section of an unknown kind"))?;
        let mut content = (&mut file).take(section.length);
        let mut left = section.length;
        let mut buffer = vec![0; 1 << 16];
        while left > 0 {
            let length = content.read(&mut buffer).map_err(unreadable)?;
            let Some(read @ [_, ..]) = buffer.get(..length) else {
                return Err(wrong(path, "it is cut off"));
            };
            hash.update(read);
            registers.add(section.kind, read);
            left = left.saturating_sub(u64::try_from(length).unwrap_or(left));
        }
        registers.end(section.kind);
        steps.push((name.to_owned(), hex(&hash.finalize())));
    }
    if registers.disks == 0 {
        return Err(wrong(path, "it has no RAM disk"));
    }
    Ok(Measured {
        table: "nitro",
        built: Built::default().of_file("image file", path)?,
        values: registers.values(),
        steps,
        steps_are: "SHA-256 of each section of the image file; PCR8, of its signer, is not recomputed",
    })
}

struct Section {
    kind: u16,
    length: u64,
}

impl Section {
    /// The next one; none at the end of the file.
    fn read(file: &mut impl Read) -> std::io::Result<Option<Self>> {
        let mut first = [0; 1];
        if file.read(&mut first)? == 0 {
            return Ok(None);
        }
        let mut rest = [0; 11];
        file.read_exact(&mut rest)?;
        let ([kind], [low, _, _, length @ ..]) = (first, rest);
        Ok(Some(Self {
            kind: u16::from_be_bytes([kind, low]),
            length: u64::from_be_bytes(length),
        }))
    }
}

#[derive(Default)]
struct Registers {
    whole: Sha384,
    bootstrap: Sha384,
    application: Sha384,
    disks: u32,
}

impl Registers {
    fn name(&self, kind: u16) -> Option<&'static str> {
        Some(match (kind, self.disks) {
            (KERNEL, _) => "kernel",
            (CMDLINE, _) => "command line",
            (RAMDISK, 0) => "RAM disk of the bootstrap",
            (RAMDISK, _) => "RAM disk of the application",
            (SIGNATURE, _) => "signature, not measured",
            (METADATA, _) => "metadata, not measured",
            _ => return None,
        })
    }

    fn add(&mut self, kind: u16, bytes: &[u8]) {
        let part = match (kind, self.disks) {
            (KERNEL | CMDLINE | RAMDISK, 0) | (KERNEL | CMDLINE, _) => &mut self.bootstrap,
            (RAMDISK, _) => &mut self.application,
            _ => return,
        };
        part.update(bytes);
        self.whole.update(bytes);
    }

    fn end(&mut self, kind: u16) {
        if kind == RAMDISK {
            self.disks = self.disks.saturating_add(1);
        }
    }

    fn values(self) -> Vec<(&'static str, String)> {
        let register = |hash: Sha384| hex(&sha384(&[&ZERO, &hash.finalize()]));
        vec![
            ("pcr0", register(self.whole)),
            ("pcr1", register(self.bootstrap)),
            ("pcr2", register(self.application)),
        ]
    }
}

const KERNEL: u16 = 1;
const CMDLINE: u16 = 2;
const RAMDISK: u16 = 3;
const SIGNATURE: u16 = 4;
const METADATA: u16 = 5;

/// Bytes.
const HEADER: usize = 548;
