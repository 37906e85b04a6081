//! The first state of a virtual processor, as a host sets it before the guest starts.
//!
//! AMD64 Architecture Programmer's Manual, volume 2, table B-4. Only what differs from zero is written.

use clap::ValueEnum;

use super::ovmf::PAGE;

/// The program that starts the guest, each of which sets registers of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Vmm {
    /// That of AWS
    Ec2,
    /// That of Google
    Gce,
    /// QEMU with KVM
    #[default]
    Qemu,
}

/// The page of one processor that starts at this address.
pub(super) fn page(start: u32, vmm: Vmm, cpu: u32, features: u64) -> Vec<u8> {
    let boots = start == BOOT;
    let (cs, ss, tr) = match vmm {
        Vmm::Ec2 if boots => (0x9a, 0x92, 0x83),
        Vmm::Ec2 => (0x9b, 0x92, 0x83),
        Vmm::Gce | Vmm::Qemu => (0x9b, 0x93, 0x8b),
    };
    let (rdx, mxcsr, fcw) = match vmm {
        Vmm::Qemu => (u64::from(cpu), 0x1f80, 0x037f),
        Vmm::Ec2 | Vmm::Gce => (0x600, 0, 0),
    };
    let pat = match vmm {
        Vmm::Gce => 0x0007_0106,
        Vmm::Ec2 | Vmm::Qemu => 0x0007_0406_0007_0406,
    };
    let mut page = Page(vec![0; PAGE]);
    for (offset, attributes) in [
        (0x00, 0x93),
        (0x20, ss),
        (0x30, 0x93),
        (0x40, 0x93),
        (0x50, 0x93),
    ] {
        page.segment(offset, 0, attributes, 0);
    }
    page.segment(0x10, 0xf000, cs, u64::from(start & 0xffff_0000));
    // GDTR, LDTR, IDTR and TR.
    for (offset, attributes) in [(0x60, 0), (0x70, 0x82), (0x80, 0), (0x90, tr)] {
        page.segment(offset, 0, attributes, 0);
    }
    page.put(0xd0, &0x1000_u64.to_le_bytes()); // EFER
    page.put(0x148, &0x40_u64.to_le_bytes()); // CR4
    page.put(0x158, &0x10_u64.to_le_bytes()); // CR0
    page.put(0x160, &0x400_u64.to_le_bytes()); // DR7
    page.put(0x168, &0xffff_0ff0_u64.to_le_bytes()); // DR6
    page.put(0x170, &0x2_u64.to_le_bytes()); // RFLAGS
    page.put(0x178, &u64::from(start & 0xffff).to_le_bytes()); // RIP
    page.put(0x268, &u64::to_le_bytes(pat)); // G_PAT
    page.put(0x310, &rdx.to_le_bytes()); // RDX
    page.put(0x3b0, &features.to_le_bytes()); // SEV_FEATURES
    page.put(0x3e8, &1_u64.to_le_bytes()); // XCR0
    page.put(0x408, &u32::to_le_bytes(mxcsr)); // MXCSR
    page.put(0x410, &u16::to_le_bytes(fcw)); // x87 FCW
    page.0
}

struct Page(Vec<u8>);

impl Page {
    fn put(&mut self, offset: usize, value: &[u8]) {
        let place = self.0.get_mut(offset..).into_iter().flatten();
        for (place, byte) in place.zip(value) {
            *place = *byte;
        }
    }

    /// Selector, attributes, limit, base.
    fn segment(&mut self, offset: usize, selector: u16, attributes: u16, base: u64) {
        let [a, b] = selector.to_le_bytes();
        let [c, d] = attributes.to_le_bytes();
        let [e, f, g, h] = 0xffff_u32.to_le_bytes();
        let fields = [[a, b, c, d], [e, f, g, h]].concat();
        self.put(offset, &[&fields[..], &base.to_le_bytes()].concat());
    }
}

/// The reset vector, where the first processor starts.
pub(super) const BOOT: u32 = 0xffff_fff0;
