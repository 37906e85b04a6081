//! MRTD of a TD.
//!
//! Intel TDX Module Base Architecture Specification (348549), "Measurement of the initial TD contents": SHA-384 over a block of 128 bytes for
//! each page that is added, and for each 256 bytes that are measured, with these bytes. The sections are those of the TDVF descriptor
//! (Intel TDX Virtual Firmware Design Guide, §11.2).

use std::path::PathBuf;

use clap::Args;
use sha2::Digest;
use sha2::Sha384;

use super::Measured;
use super::built::Built;
use super::digest::hex;
use super::digest::sha256;
use super::ovmf::Fields;
use super::ovmf::Ovmf;
use super::ovmf::guid;
use super::wrong;
use crate::failure::Failure;

#[derive(Args, Debug)]
pub(super) struct TdxOptions {
    /// The firmware
    #[arg(long, value_name = "FILE")]
    ovmf: PathBuf,

    /// The host adds all pages of a section before it measures them, as early kernels did
    #[arg(long)]
    add_pages_first: bool,
}

pub(super) fn measure(options: &TdxOptions) -> Result<Measured, Failure> {
    let ovmf = Ovmf::read(&options.ovmf)?;
    let broken = || wrong(&options.ovmf, "it is no OVMF image with metadata for TDX");
    let mut mrtd = Sha384::new();
    let mut steps = Vec::new();
    for section in sections(&ovmf).ok_or_else(broken)? {
        let what = section.describe(&ovmf).ok_or_else(broken)?;
        let added = match options.add_pages_first {
            true => section.add_then_measure(&mut mrtd, &ovmf),
            false => section.add_and_measure(&mut mrtd, &ovmf),
        };
        added.ok_or_else(broken)?;
        steps.push((what, hex(&mrtd.clone().finalize())));
    }
    Ok(Measured {
        table: "tdx",
        built: Built::default().of("ovmf", &ovmf.bytes),
        values: vec![("mrtd", hex(&mrtd.finalize()))],
        steps,
        steps_are: "MRTD after each section of the firmware",
    })
}

struct Section {
    offset: u32,
    raw_length: u32,
    address: u64,
    length: u64,
    kind: u32,
    attributes: u32,
}

/// Signature, length, version 1, number of sections, sections.
fn sections(ovmf: &Ovmf) -> Option<Vec<Section>> {
    let descriptor = ovmf.descriptor(&METADATA)?.strip_prefix(b"TDVF")?;
    let mut fields = Fields(descriptor);
    let (_length, version, number) = (fields.u32()?, fields.u32()?, fields.u32()?);
    if version != 1 || number > MAX_SECTIONS {
        return None;
    }
    let section = |_| {
        let section = Section {
            offset: fields.u32()?,
            raw_length: fields.u32()?,
            address: fields.u64()?,
            length: fields.u64()?,
            kind: fields.u32()?,
            attributes: fields.u32()?,
        };
        section.is_sound().then_some(section)
    };
    let sections: Vec<Section> = (0..number).map(section).collect::<Option<_>>()?;
    let hashed = sections.iter().filter(|section| section.is_hashed());
    let lengths = hashed.map(|section| section.length);
    (lengths.sum::<u64>() <= MAX_MEMORY).then_some(sections)
}

impl Section {
    /// Whole pages; what is measured is all in the image.
    fn is_sound(&self) -> bool {
        let whole = self.address.is_multiple_of(PAGE) && self.length.is_multiple_of(PAGE);
        let backed = u64::from(self.raw_length) == self.length;
        whole && self.length <= MAX_MEMORY && (backed || !self.is_measured())
    }

    fn is_measured(&self) -> bool {
        self.attributes & MEASURED != 0
    }

    /// Others are given to the guest while it runs.
    fn is_added(&self) -> bool {
        self.attributes & GIVEN_LATER == 0
    }

    fn is_hashed(&self) -> bool {
        self.is_added() || self.is_measured()
    }

    fn describe(&self, ovmf: &Ovmf) -> Option<String> {
        let kind = match self.kind {
            0 => "boot firmware volume",
            1 => "configuration firmware volume",
            2 => "TD HOB",
            3 => "temporary memory",
            4 => "permanent memory",
            _ => "another section",
        };
        let content = match self.is_measured() {
            true => format!(", content {}", hex(&sha256(self.content(ovmf)?))),
            false => ", content not measured".to_owned(),
        };
        Some(format!(
            "{kind} at {:#x}, {:#x} bytes{content}",
            self.address, self.length
        ))
    }

    fn content<'a>(&self, ovmf: &'a Ovmf) -> Option<&'a [u8]> {
        let start = usize::try_from(self.offset).ok()?;
        let end = start.checked_add(usize::try_from(self.raw_length).ok()?)?;
        ovmf.bytes.get(start..end)
    }

    fn add_and_measure(&self, mrtd: &mut Sha384, ovmf: &Ovmf) -> Option<()> {
        let mut content = self.measured_content(ovmf)?;
        for address in self.pages() {
            if self.is_added() {
                block(mrtd, b"MEM.PAGE.ADD\0\0\0\0", address);
            }
            let (page, rest) = content.split_at(content.len().min(PAGE_BYTES));
            extend(mrtd, address, page)?;
            content = rest;
        }
        Some(())
    }

    fn add_then_measure(&self, mrtd: &mut Sha384, ovmf: &Ovmf) -> Option<()> {
        if self.is_added() {
            for address in self.pages() {
                block(mrtd, b"MEM.PAGE.ADD\0\0\0\0", address);
            }
        }
        extend(mrtd, self.address, self.measured_content(ovmf)?)
    }

    fn measured_content<'a>(&self, ovmf: &'a Ovmf) -> Option<&'a [u8]> {
        match self.is_measured() {
            true => self.content(ovmf),
            false => Some(&[]),
        }
    }

    fn pages(&self) -> impl Iterator<Item = u64> + use<> {
        let end = self.address.saturating_add(self.length);
        (self.address..end).step_by(PAGE_BYTES)
    }
}

/// TDH.MR.EXTEND for each 256 bytes.
fn extend(mrtd: &mut Sha384, mut address: u64, content: &[u8]) -> Option<()> {
    for chunk in content.chunks(256) {
        block(mrtd, b"MR.EXTEND\0\0\0\0\0\0\0", address);
        mrtd.update(chunk);
        address = address.checked_add(256)?;
    }
    Some(())
}

/// Name of the operation, address, zeroes.
fn block(mrtd: &mut Sha384, operation: &[u8; 16], address: u64) {
    mrtd.update(operation);
    mrtd.update(address.to_le_bytes());
    mrtd.update([0; 104]);
}

const MEASURED: u32 = 1;
const GIVEN_LATER: u32 = 2;

const PAGE: u64 = 4096;
const PAGE_BYTES: usize = 4096;

/// Images have some ten.
const MAX_SECTIONS: u32 = 256;

/// Bytes of all sections that are hashed, and of each other one. Images have some megabytes.
const MAX_MEMORY: u64 = 1 << 30;

/// e47a6535-984a-4798-865e-4685a7bf8ec2
const METADATA: [u8; 16] = guid(
    0xe47a_6535,
    0x984a,
    0x4798,
    [0x86, 0x5e, 0x46, 0x85, 0xa7, 0xbf, 0x8e, 0xc2],
);
