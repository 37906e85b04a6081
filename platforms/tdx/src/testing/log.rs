//! Event logs.

use atls_reference::Digest;
use ring::digest;

/// An event log under construction, and the RTMRs that it leads to.
#[derive(Clone, Debug)]
pub struct ForgedLog {
    octets: Vec<u8>,
    rtmr: [[u8; 48]; 4],
}

impl ForgedLog {
    /// Without events: nothing but the one that says which digests follow.
    pub fn new() -> Self {
        let header = [
            &b"Spec ID Event03\0"[..],
            &[0; 4],
            &[0, 2, 0, 2],
            &1_u32.to_le_bytes(),
            &SHA384.to_le_bytes(),
            &48_u16.to_le_bytes(),
            &[0],
        ]
        .concat();
        let mut octets = [
            &1_u32.to_le_bytes()[..],
            &EV_NO_ACTION.to_le_bytes(),
            &[0; 20],
        ]
        .concat();
        octets.extend(sized(&header));
        Self {
            octets,
            rtmr: [[0; 48]; 4],
        }
    }

    /// An event of which the payload is what was measured.
    #[must_use]
    pub fn measured(self, rtmr: u32, kind: u32, payload: &[u8]) -> Self {
        let digest = sha384(payload);
        self.event(rtmr, kind, &digest, payload)
    }

    /// An event whose payload only describes what was measured, or lies about it.
    #[must_use]
    pub fn event(mut self, rtmr: u32, kind: u32, digest: &[u8; 48], payload: &[u8]) -> Self {
        self.octets.extend(rtmr.saturating_add(1).to_le_bytes());
        self.octets.extend(kind.to_le_bytes());
        self.octets.extend(1_u32.to_le_bytes());
        self.octets.extend(SHA384.to_le_bytes());
        self.octets.extend(digest);
        self.octets.extend(sized(payload));
        let register = usize::try_from(rtmr)
            .ok()
            .and_then(|rtmr| self.rtmr.get_mut(rtmr));
        if let (Some(register), true) = (register, kind != EV_NO_ACTION) {
            *register = sha384(&[&register[..], digest].concat());
        }
        self
    }

    /// The log.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Where it leads.
    pub fn rtmr(&self) -> [Digest<48>; 4] {
        self.rtmr.map(Digest::from)
    }
}

impl Default for ForgedLog {
    fn default() -> Self {
        Self::new()
    }
}

fn sized(octets: &[u8]) -> Vec<u8> {
    let length = u32::try_from(octets.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes()[..], octets].concat()
}

fn sha384(octets: &[u8]) -> [u8; 48] {
    let mut out = [0; 48];
    out.copy_from_slice(digest::digest(&digest::SHA384, octets).as_ref());
    out
}

const EV_NO_ACTION: u32 = 3;
const SHA384: u16 = 0x000c;
