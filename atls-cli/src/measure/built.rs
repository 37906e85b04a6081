//! The things that an image is built of.

use std::path::Path;

use super::digest::hex;
use super::digest::sha256;
use super::digest::sha256_of_file;
use crate::failure::Failure;

/// Each part, and its SHA-256.
#[derive(Default)]
pub(super) struct Built(Vec<(&'static str, String)>);

impl Built {
    pub(super) fn of(mut self, what: &'static str, content: &[u8]) -> Self {
        self.0.push((what, hex(&sha256(content))));
        self
    }

    pub(super) fn of_file(mut self, what: &'static str, path: &Path) -> Result<Self, Failure> {
        self.0.push((what, hex(&sha256_of_file(path)?)));
        Ok(self)
    }

    /// The hash of one part its own; of several, that of the lines `HASH  WHAT`, as `sha256sum` writes them.
    pub(super) fn name(&self) -> String {
        match self.0.as_slice() {
            [(_, hash)] => format!("sha256:{hash}"),
            parts => {
                let lines = parts.iter().map(|(what, hash)| format!("{hash}  {what}\n"));
                let lines: String = lines.collect();
                format!("sha256:{}", hex(&sha256(lines.as_bytes())))
            }
        }
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(what, hash)| (*what, hash.as_str()))
    }
}
