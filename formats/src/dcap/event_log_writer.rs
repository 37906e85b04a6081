//! Event logs written: for simulators and tests.

use super::event_log::EV_NO_ACTION;
use super::event_log::SHA384;
use super::event_log::SIGNATURE;
use super::event_log::sha384;
use crate::Digest;

/// An event log under construction, and the RTMRs that it leads to.
#[derive(Clone, Debug)]
pub struct EventLogWriter {
    bytes: Vec<u8>,
    rtmr: [[u8; 48]; 4],
}

impl EventLogWriter {
    /// Without events but the first, which says that the digests are SHA-384.
    pub fn new() -> Self {
        let header = [
            &SIGNATURE[..],
            &[0; 4],
            &[0, 2, 0, 2],
            &1_u32.to_le_bytes(),
            &SHA384.to_le_bytes(),
            &48_u16.to_le_bytes(),
            &[0],
        ]
        .concat();
        let mut bytes = [
            &1_u32.to_le_bytes()[..],
            &EV_NO_ACTION.to_le_bytes(),
            &[0; 20],
        ]
        .concat();
        bytes.extend(sized(&header));
        Self {
            bytes,
            rtmr: [[0; 48]; 4],
        }
    }

    /// Adds an event whose payload was measured.
    #[must_use]
    pub fn measured(self, rtmr: u32, kind: u32, payload: &[u8]) -> Self {
        let digest = sha384(payload);
        self.event(rtmr, kind, &digest, payload)
    }

    /// Adds an event with this digest, whose payload describes the measured bytes, or lies about them.
    #[must_use]
    pub fn event(mut self, rtmr: u32, kind: u32, digest: &[u8; 48], payload: &[u8]) -> Self {
        self.bytes.extend(rtmr.saturating_add(1).to_le_bytes());
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(1_u32.to_le_bytes());
        self.bytes.extend(SHA384.to_le_bytes());
        self.bytes.extend(digest);
        self.bytes.extend(sized(payload));
        let register = usize::try_from(rtmr)
            .ok()
            .and_then(|rtmr| self.rtmr.get_mut(rtmr));
        if let (Some(register), true) = (register, kind != EV_NO_ACTION) {
            *register = sha384(&[&register[..], digest].concat());
        }
        self
    }

    /// The log.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The RTMRs that it leads to.
    pub fn rtmr(&self) -> [Digest<48>; 4] {
        self.rtmr.map(Digest::from)
    }
}

impl Default for EventLogWriter {
    fn default() -> Self {
        Self::new()
    }
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes()[..], bytes].concat()
}
