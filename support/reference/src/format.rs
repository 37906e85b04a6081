//! TOML or JSON.

use std::path::Path;

/// The syntax of a file. Both have the same structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// RFC 8259.
    Json,
    /// TOML 1.0, the format for people.
    Toml,
}

impl Format {
    /// JSON where the name ends in `.json`, otherwise TOML.
    pub fn of(path: &Path) -> Self {
        match path.extension() {
            Some(extension) if extension == "json" => Self::Json,
            _ => Self::Toml,
        }
    }
}
