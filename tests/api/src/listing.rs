//! The public names of one library.

use std::error::Error;
use std::fmt;
use std::path::Path;

use public_api::Builder;
use serde::Deserialize;

/// One item a line, sorted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listing(String);

impl Listing {
    #[cfg(test)]
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Of what rustdoc wrote.
    pub(crate) fn read(json: &Path) -> Result<Self, Box<dyn Error>> {
        let text = std::fs::read_to_string(json)?;
        let Header { format_version } = serde_json::from_str(&text)?;
        if format_version != FORMAT {
            return Err(OtherFormat(format_version).into());
        }
        let api = Builder::from_rustdoc_json(json)
            .omit_blanket_impls(true)
            .omit_auto_trait_impls(true)
            .omit_auto_derived_impls(true)
            .build()?;
        let lines = api.items().map(|item| format!("{item}\n"));
        Ok(Self(lines.collect()))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
struct Header {
    format_version: u32,
}

/// rustdoc of this toolchain writes another format than the one that is read here.
#[derive(Debug)]
pub(crate) struct OtherFormat(u32);

impl fmt::Display for OtherFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.0;
        write!(
            f,
            "rustdoc of this toolchain writes format {found}, and `public-api` of this workspace reads {FORMAT}"
        )
    }
}

impl Error for OtherFormat {}

/// Of rustdoc's JSON, for Rust 1.93 to 1.95.
const FORMAT: u32 = 57;
