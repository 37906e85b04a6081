//! A forged report, field by field.
//!
//! The offsets stand here a second time, apart from those of [`atls_formats::snp::Report`]. A writer with the reader's table would
//! share its errors, and genuine samples would not show all of them: `HOST_DATA` and `AUTHOR_KEY_DIGEST` are zero in each one.

use atls_formats::snp::Product;
use atls_formats::snp::REPORT_LENGTH;
use ring::rand::SystemRandom;
use ring::signature::EcdsaKeyPair;

/// The fields of a forged report, by AMD document 56860.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgedReport {
    /// `VERSION`
    pub version: u32,
    /// `GUEST_SVN`
    pub guest_svn: u32,
    /// `POLICY`
    pub policy: u64,
    /// `FAMILY_ID`
    pub family_id: [u8; 16],
    /// `IMAGE_ID`
    pub image_id: [u8; 16],
    /// `VMPL`
    pub vmpl: u32,
    /// `CURRENT_TCB`
    pub current_tcb: [u8; 8],
    /// `PLATFORM_INFO`
    pub platform_info: u64,
    /// Bit 0: author key; bit 1: masked key; bits 2 to 4: which key signs.
    pub signer: u32,
    /// `REPORT_DATA`
    pub report_data: [u8; 64],
    /// `MEASUREMENT`
    pub measurement: [u8; 48],
    /// `HOST_DATA`
    pub host_data: [u8; 32],
    /// `ID_KEY_DIGEST`
    pub id_key_digest: [u8; 48],
    /// `AUTHOR_KEY_DIGEST`
    pub author_key_digest: [u8; 48],
    /// `REPORT_ID`
    pub report_id: [u8; 32],
    /// `REPORTED_TCB`
    pub reported_tcb: [u8; 8],
    /// Family, model and stepping, from version 3 on.
    pub cpuid: [u8; 3],
    /// `CHIP_ID`
    pub chip_id: [u8; 64],
    /// `COMMITTED_TCB`
    pub committed_tcb: [u8; 8],
    /// `LAUNCH_TCB`
    pub launch_tcb: [u8; 8],
}

impl ForgedReport {
    /// The report of a well-kept machine: version 3, VMPL 0, and a policy that allows multithreading alone.
    pub fn new(product: Product) -> Self {
        let (cpuid, tcb) = match product {
            Product::Milan => ([0x19, 0x01, 0x01], [4, 1, 0, 0, 0, 0, 24, 219]),
            Product::Genoa => ([0x19, 0x11, 0x01], [10, 1, 0, 0, 0, 0, 25, 84]),
            Product::Turin => ([0x1a, 0x02, 0x01], [1, 4, 2, 4, 0, 0, 0, 81]),
        };
        let mut chip_id = [0; 64];
        chip_id[..product.hwid_length()].fill(0xc1);
        Self {
            version: 3,
            guest_svn: 7,
            policy: 0x3_0000,
            family_id: [0x0f; 16],
            image_id: [0x1d; 16],
            vmpl: 0,
            current_tcb: tcb,
            platform_info: 0x25,
            signer: 0,
            report_data: [0; 64],
            measurement: [0x33; 48],
            host_data: [0x40; 32],
            id_key_digest: [0x1e; 48],
            author_key_digest: [0xa0; 48],
            report_id: [0x1f; 32],
            reported_tcb: tcb,
            cpuid,
            chip_id,
            committed_tcb: tcb,
            launch_tcb: tcb,
        }
    }

    /// Without a signature.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; REPORT_LENGTH];
        let mut put = |offset: usize, value: &[u8]| {
            bytes[offset..offset + value.len()].copy_from_slice(value);
        };
        put(0x000, &self.version.to_le_bytes());
        put(0x004, &self.guest_svn.to_le_bytes());
        put(0x008, &self.policy.to_le_bytes());
        put(0x010, &self.family_id);
        put(0x020, &self.image_id);
        put(0x030, &self.vmpl.to_le_bytes());
        put(0x034, &1_u32.to_le_bytes());
        put(0x038, &self.current_tcb);
        put(0x040, &self.platform_info.to_le_bytes());
        put(0x048, &self.signer.to_le_bytes());
        put(0x050, &self.report_data);
        put(0x090, &self.measurement);
        put(0x0c0, &self.host_data);
        put(0x0e0, &self.id_key_digest);
        put(0x110, &self.author_key_digest);
        put(0x140, &self.report_id);
        put(0x160, &[0xff; 32]);
        put(0x180, &self.reported_tcb);
        if self.version > 2 {
            put(0x188, &self.cpuid);
        }
        put(0x1a0, &self.chip_id);
        put(0x1e0, &self.committed_tcb);
        put(0x1e8, &[29, 55, 1]);
        put(0x1ec, &[29, 55, 1]);
        put(0x1f0, &self.launch_tcb);
        bytes
    }

    /// Signed, as by the firmware. The signature of an unusable key is zero, and verifies nowhere.
    pub fn sign(&self, key: &EcdsaKeyPair) -> Vec<u8> {
        let mut bytes = self.encode();
        sign(&mut bytes, key);
        bytes
    }
}

fn sign(bytes: &mut [u8], key: &EcdsaKeyPair) {
    let Ok(signature) = key.sign(&SystemRandom::new(), &bytes[..0x2a0]) else {
        return;
    };
    let (r, s) = signature.as_ref().split_at(48);
    for (offset, value) in [(0x2a0, r), (0x2e8, s)] {
        for (target, byte) in bytes[offset..].iter_mut().zip(value.iter().rev()) {
            *target = *byte;
        }
    }
}
