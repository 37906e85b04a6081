//! The nonces of the intra-handshake mode: the name of a certificate authority, and the `random` of a ClientHello.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use rustls::KeyLog;

/// `O = atls intra-handshake nonce, CN = <nonce>`, in DER.
pub fn name_of(nonce: &[u8; 32]) -> Vec<u8> {
    let digits: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
    let organisation = attribute(&[0x55, 4, 10], ORGANISATION);
    let common_name = attribute(&[0x55, 4, 3], digits.as_bytes());
    der(0x30, &[organisation, common_name].concat())
}

/// The nonces among these names.
pub fn nonces_in(names: &[&[u8]]) -> Vec<[u8; 32]> {
    let of = |name: &&[u8]| {
        let digits = name.get(name.len().checked_sub(64)?..)?;
        let mut nonce = [0; 32];
        for (byte, pair) in nonce.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        (name_of(&nonce) == *name).then_some(nonce)
    };
    names.iter().filter_map(of).collect()
}

fn attribute(oid: &[u8], value: &[u8]) -> Vec<u8> {
    der(
        0x31,
        &der(0x30, &[der(0x06, oid), der(0x0c, value)].concat()),
    )
}

/// A value of less than 64 KiB with its shortest length.
pub fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u16::try_from(contents.len()).unwrap_or(u16::MAX);
    let [high, low] = length.to_be_bytes();
    let head = match length {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [&head, contents].concat()
}

/// The `random` in the first record of a ClientHello.
pub fn random_in(record: &[u8]) -> Option<[u8; 32]> {
    match record {
        [0x16, _, _, _, _, 1, _, _, _, _, _, rest @ ..] => rest.first_chunk().copied(),
        _ => None,
    }
}

/// Notes the `random` of this end's ClientHello, which rustls tells its key log alone.
#[derive(Clone, Debug, Default)]
pub struct RandomLog {
    seen: Arc<Mutex<Option<[u8; 32]>>>,
}

impl RandomLog {
    pub fn random(&self) -> Option<[u8; 32]> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyLog for RandomLog {
    fn log(&self, _: &str, client_random: &[u8], _: &[u8]) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = client_random.try_into().ok();
    }
}

const ORGANISATION: &[u8] = b"atls intra-handshake nonce";
