//! Writes a log of the firmware, and keeps the registers that it leads to: for forged devices, and for tests.

use super::algorithm::HashAlgorithm;
use super::event::Replay;
use super::tcg_log::EV_NO_ACTION;
use super::tcg_log::SIGNATURE;
use super::tcg_log::STARTUP_LOCALITY;

/// A log of one bank.
#[derive(Clone, Debug)]
pub struct TcgLogWriter {
    bank: HashAlgorithm,
    bytes: Vec<u8>,
    registers: Vec<Replay>,
}

impl TcgLogWriter {
    /// A log without events, but for the first one.
    pub fn new(bank: HashAlgorithm) -> Self {
        let size = u16::try_from(bank.size()).unwrap_or_default();
        let header = [
            &SIGNATURE[..],
            &[0, 0, 0, 0, 0, 2, 0, 2],
            &1_u32.to_le_bytes(),
            &bank.id().to_le_bytes(),
            &size.to_le_bytes(),
            &[0],
        ]
        .concat();
        let mut bytes = 0_u32.to_le_bytes().to_vec();
        bytes.extend(EV_NO_ACTION.to_le_bytes());
        bytes.extend([0; 20]);
        put_sized(&mut bytes, &header);
        Self {
            bank,
            bytes,
            registers: (0..24).map(|pcr| Replay::of(bank, pcr)).collect(),
        }
    }

    /// Says from which locality the TPM was started. Comes before what is measured into register 0.
    #[must_use]
    pub fn startup_locality(mut self, locality: u8) -> Self {
        let digest = vec![0; self.bank.size()];
        let payload = [STARTUP_LOCALITY, &[locality]].concat();
        self.put(0, EV_NO_ACTION, &digest, &payload);
        if let Some(register) = self.registers.first_mut() {
            *register = register.clone().started_from(locality);
        }
        self
    }

    /// Measures these bytes.
    #[must_use]
    pub fn measured(self, pcr: u8, kind: u32, bytes: &[u8]) -> Self {
        let digest = self.bank.digest(&[bytes]);
        self.event(pcr, kind, &digest, bytes)
    }

    /// Extends a digest, and says this about it.
    #[must_use]
    pub fn event(mut self, pcr: u8, kind: u32, digest: &[u8], payload: &[u8]) -> Self {
        self.put(pcr, kind, digest, payload);
        if let Some(register) = self.registers.get_mut(usize::from(pcr)) {
            register.extend(digest);
        }
        self
    }

    /// The log.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The value of a register after it; empty for one above 23.
    pub fn value(&self, pcr: u8) -> &[u8] {
        let register = self.registers.get(usize::from(pcr));
        register.map_or(&[], Replay::value)
    }

    fn put(&mut self, pcr: u8, kind: u32, digest: &[u8], payload: &[u8]) {
        self.bytes.extend(u32::from(pcr).to_le_bytes());
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(1_u32.to_le_bytes());
        self.bytes.extend(self.bank.id().to_le_bytes());
        self.bytes.extend_from_slice(digest);
        put_sized(&mut self.bytes, payload);
    }
}

fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) {
    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend(size.to_le_bytes());
    out.extend_from_slice(bytes);
}
