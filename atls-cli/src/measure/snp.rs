//! The launch digest of SEV-SNP.
//!
//! SEV Secure Nested Paging Firmware ABI Specification (56860), §8.17.2: each page is hashed with the digest before it.

use std::path::PathBuf;

use clap::Args;

use super::Measured;
use super::built::Built;
use super::digest::ZERO;
use super::digest::hex;
use super::digest::sha256;
use super::digest::sha384;
use super::kernel_hashes::KernelHashes;
use super::ovmf::Fields;
use super::ovmf::Ovmf;
use super::ovmf::PAGE;
use super::ovmf::guid;
use super::vmsa;
use super::vmsa::Vmm;
use super::wrong;
use crate::failure::Failure;

#[derive(Args, Debug)]
pub(super) struct SnpOptions {
    /// The firmware
    #[arg(long, value_name = "FILE")]
    ovmf: PathBuf,

    /// The kernel that is booted directly, whose hash the firmware checks
    #[arg(long, value_name = "FILE")]
    kernel: Option<PathBuf>,

    /// Its initial RAM disk
    #[arg(long, value_name = "FILE", requires = "kernel")]
    initrd: Option<PathBuf>,

    /// Its command line
    #[arg(long, value_name = "TEXT", requires = "kernel")]
    cmdline: Option<String>,

    /// Virtual processors
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=4096))]
    vcpus: u16,

    /// Their model in QEMU: EPYC, EPYC-Rome, EPYC-Milan, EPYC-Genoa, EPYC-Turin; or their signature, such as 0x00a10f10.
    /// Only QEMU tells it to the guest
    #[arg(long, value_name = "MODEL", value_parser = signature, required_if_eq("vmm", "qemu"))]
    cpu: Option<u32>,

    /// SEV_FEATURES that the host sets
    #[arg(long, value_name = "BITS", default_value = "0x1", value_parser = number)]
    guest_features: u64,

    /// The program that starts the guest
    #[arg(long, value_enum, value_name = "VMM", default_value_t)]
    vmm: Vmm,
}

impl SnpOptions {
    fn built(&self, ovmf: &Ovmf) -> Result<Built, Failure> {
        let mut built = Built::default().of("ovmf", &ovmf.bytes);
        for (what, file) in [("kernel", &self.kernel), ("initrd", &self.initrd)] {
            if let Some(file) = file {
                built = built.of_file(what, file)?;
            }
        }
        Ok(match &self.cmdline {
            Some(line) => built.of("cmdline", line.as_bytes()),
            None => built,
        })
    }
}

pub(super) fn measure(options: &SnpOptions) -> Result<Measured, Failure> {
    if options.cpu.is_some() && options.vmm != Vmm::Qemu {
        let what = "--cpu would have no effect: only QEMU tells it to the guest";
        return Err(Failure::usage(what).with_help("leave it out"));
    }
    let ovmf = Ovmf::read(&options.ovmf)?;
    let broken = || {
        wrong(
            &options.ovmf,
            "it is no OVMF image with metadata for SEV-SNP",
        )
    };
    let mut launch = Launch::default();
    let address = ovmf.address().ok_or_else(broken)?;
    launch
        .pages(NORMAL, address, &ovmf.bytes)
        .ok_or_else(broken)?;
    launch.step(format!("firmware {}", hex(&sha256(&ovmf.bytes))));
    let hashes = options
        .kernel
        .is_some()
        .then(|| {
            KernelHashes::of(
                options.kernel.as_deref(),
                options.initrd.as_deref(),
                options.cmdline.as_deref(),
            )
        })
        .transpose()?;
    let sections = sections(&ovmf).ok_or_else(broken)?;
    let takes_hashes = sections.iter().any(|section| section.kind == KERNEL_HASHES);
    if hashes.is_some() && !takes_hashes {
        return Err(
            wrong(&options.ovmf, "it checks no hash of a kernel").with_help(
                "build OvmfPkg/AmdSev, or leave --kernel out and measure what the firmware boots",
            ),
        );
    }
    // That of AWS adds the page of CPUID last.
    let (last, first): (Vec<&Section>, Vec<&Section>) = sections
        .iter()
        .partition(|section| options.vmm == Vmm::Ec2 && section.kind == CPUID);
    for section in first.into_iter().chain(last) {
        section
            .add(&mut launch, &ovmf, hashes.as_ref(), options.vmm)
            .ok_or_else(broken)?;
    }
    let others = ovmf.number(&RESET_BLOCK);
    let cpu = options.cpu.unwrap_or_default();
    for processor in 0..options.vcpus {
        let start = match processor {
            0 => vmsa::BOOT,
            _ => others.ok_or_else(broken)?,
        };
        let page = vmsa::page(start, options.vmm, cpu, options.guest_features);
        launch.page(VMSA, VMSA_ADDRESS, &sha384(&[&page]));
        launch.step(format!("processor {processor}, which starts at {start:#x}"));
    }
    Ok(Measured {
        table: "snp",
        built: options.built(&ovmf)?,
        values: vec![("measurement", hex(&launch.digest))],
        steps: launch.steps,
        steps_are: "The launch digest after each step",
    })
}

struct Launch {
    digest: [u8; 48],
    steps: Vec<(String, String)>,
}

impl Default for Launch {
    fn default() -> Self {
        Self {
            digest: ZERO,
            steps: Vec::new(),
        }
    }
}

impl Launch {
    /// PAGE_INFO: digest so far, digest of the content, its own length, type of page, flags, address.
    fn page(&mut self, kind: u8, address: u64, content: &[u8; 48]) {
        let head = [LENGTH_OF_PAGE_INFO, 0, kind, 0, 0, 0, 0, 0];
        self.digest = sha384(&[&self.digest, content, &head, &address.to_le_bytes()]);
    }

    /// Pages with content.
    fn pages(&mut self, kind: u8, mut address: u64, bytes: &[u8]) -> Option<()> {
        for page in bytes.chunks(PAGE) {
            self.page(kind, address, &sha384(&[page]));
            address = address.checked_add(PAGE_SIZE)?;
        }
        Some(())
    }

    /// Pages whose content is not measured.
    fn empty(&mut self, kind: u8, mut address: u64, length: u32) -> Option<()> {
        for _ in 0..u64::from(length).div_ceil(PAGE_SIZE) {
            self.page(kind, address, &ZERO);
            address = address.checked_add(PAGE_SIZE)?;
        }
        Some(())
    }

    fn step(&mut self, what: String) {
        self.steps.push((what, hex(&self.digest)));
    }
}

/// A part of memory that the firmware wants to be prepared.
#[derive(Clone, Copy)]
struct Section {
    address: u32,
    length: u32,
    kind: u32,
}

/// `OvmfSevMetadata`: signature, length, version 1, number of sections, sections.
fn sections(ovmf: &Ovmf) -> Option<Vec<Section>> {
    let descriptor = ovmf.descriptor(&METADATA)?.strip_prefix(b"ASEV")?;
    let mut fields = Fields(descriptor);
    let (_length, version, number) = (fields.u32()?, fields.u32()?, fields.u32()?);
    if version != 1 || number > MAX_SECTIONS {
        return None;
    }
    let section = |_| {
        Some(Section {
            address: fields.u32()?,
            length: fields.u32()?,
            kind: fields.u32()?,
        })
    };
    let sections: Vec<_> = (0..number).map(section).collect::<Option<_>>()?;
    let lengths = sections.iter().map(|section| u64::from(section.length));
    (lengths.sum::<u64>() <= MAX_MEMORY).then_some(sections)
}

impl Section {
    fn add(
        &self,
        launch: &mut Launch,
        ovmf: &Ovmf,
        hashes: Option<&KernelHashes>,
        vmm: Vmm,
    ) -> Option<()> {
        let address = u64::from(self.address);
        let what = match (self.kind, hashes) {
            (MEMORY, _) if vmm == Vmm::Gce => {
                launch.empty(UNMEASURED, address, self.length)?;
                "memory, whose content is not measured,"
            }
            (MEMORY, _) => {
                launch.empty(ZEROES, address, self.length)?;
                "zeroes"
            }
            (SECRETS, _) => {
                launch.page(SECRETS_PAGE, address, &ZERO);
                "secrets, whose content is not measured,"
            }
            (CPUID, _) => {
                launch.page(CPUID_PAGE, address, &ZERO);
                "CPUID, whose content is not measured,"
            }
            (SVSM_CALLING_AREA, _) | (KERNEL_HASHES, None) => {
                launch.empty(ZEROES, address, self.length)?;
                "zeroes"
            }
            (KERNEL_HASHES, Some(hashes)) => {
                let page = hashes.page(ovmf.number(&HASH_TABLE_PLACE)?)?;
                launch.pages(NORMAL, address, &page)?;
                launch.step(format!("kernel {}", hex(&hashes.kernel)));
                launch.step(format!("initrd {}", hex(&hashes.initrd)));
                launch.step(format!("command line {}", hex(&hashes.cmdline)));
                return Some(());
            }
            _ => return None,
        };
        launch.step(format!("{what} at {address:#x}, {:#x} bytes", self.length));
        Some(())
    }
}

fn signature(text: &str) -> Result<u32, String> {
    // `EPYC-Milan-v2` is a Milan.
    let model = text.split("-v").next().unwrap_or(text);
    let known = MODELS.iter().find(|(name, _)| *name == model);
    if let Some((_, signature)) = known {
        return Ok(*signature);
    }
    let number = number(text).map_err(|_| "a model of QEMU, or a signature such as 0x00a10f10")?;
    u32::try_from(number).map_err(|_| "a signature has 32 bits".to_owned())
}

fn number(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|error| error.to_string())
}

/// CPUID Fn0000_0001_EAX (25481): family, model and stepping of QEMU's models.
const MODELS: [(&str, u32); 6] = [
    ("EPYC", 0x0080_0f12),
    ("EPYC-IBPB", 0x0080_0f12),
    ("EPYC-Rome", 0x0083_0f10),
    ("EPYC-Milan", 0x00a0_0f11),
    ("EPYC-Genoa", 0x00a1_0f10),
    ("EPYC-Turin", 0x00b0_0f00),
];

// Types of pages, table 69.
const NORMAL: u8 = 1;
const VMSA: u8 = 2;
const ZEROES: u8 = 3;
const UNMEASURED: u8 = 4;
const SECRETS_PAGE: u8 = 5;
const CPUID_PAGE: u8 = 6;

// Kinds of sections, OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm.
const MEMORY: u32 = 1;
const SECRETS: u32 = 2;
const CPUID: u32 = 3;
const SVSM_CALLING_AREA: u32 = 4;
const KERNEL_HASHES: u32 = 0x10;

const PAGE_SIZE: u64 = 4096;

const LENGTH_OF_PAGE_INFO: u8 = 0x70;

/// KVM gives the pages of processors this address.
const VMSA_ADDRESS: u64 = 0xffff_ffff_f000;

/// Images have some ten.
const MAX_SECTIONS: u32 = 256;

/// Bytes of all sections, each page of which is hashed. Images have some megabytes.
const MAX_MEMORY: u64 = 1 << 30;

/// dc886566-984a-4798-a75e-5585a7bf67cc
const METADATA: [u8; 16] = guid(
    0xdc88_6566,
    0x984a,
    0x4798,
    [0xa7, 0x5e, 0x55, 0x85, 0xa7, 0xbf, 0x67, 0xcc],
);
/// 00f771de-1a7e-4fcb-890e-68c77e2fb44e
const RESET_BLOCK: [u8; 16] = guid(
    0x00f7_71de,
    0x1a7e,
    0x4fcb,
    [0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e],
);
/// 7255371f-3a3b-4b04-927b-1da6efa8d454
const HASH_TABLE_PLACE: [u8; 16] = guid(
    0x7255_371f,
    0x3a3b,
    0x4b04,
    [0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54],
);
