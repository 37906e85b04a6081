//! SHA-2, of bytes and of files of any size.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::Digest;
use sha2::Sha256;
use sha2::Sha384;

use crate::failure::Failure;

pub(super) const ZERO: [u8; 48] = [0; 48];

pub(super) fn sha384(parts: &[&[u8]]) -> [u8; 48] {
    let mut hash = Sha384::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 of a file.
pub(super) fn sha256_of_file(path: &Path) -> Result<[u8; 32], Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::usage(format!("{}: cannot be read", path.display())).because(&error)
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = file.read(&mut buffer).map_err(unreadable)?;
        let Some(read @ [_, ..]) = buffer.get(..length) else {
            return Ok(hash.finalize().into());
        };
        hash.update(read);
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
