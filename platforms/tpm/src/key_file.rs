//! The file of keys, written.

use std::fmt;
use std::fmt::Write as _;
use std::fs;
use std::fs::File;
use std::io;
use std::io::Write as _;
use std::path::PathBuf;

use atls_reference::ReferenceError;
use atls_reference::Table;
use atls_reference::from_toml;

use crate::keys::TpmKeys;
use crate::policy::hexadecimal;
use crate::trusted_key::TrustedKey;

/// A file with the table `[tpm-keys]` alone, in TOML, to which enrolment adds. A verifier reads it through
/// [`Live`](atls_reference::Live), which sees that it was replaced.
///
/// One process writes it at a time: two that add at once may lose a key.
#[derive(Clone, Debug)]
pub struct KeyFile {
    path: PathBuf,
}

/// Why a key was not added. The file is as before.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyFileError {
    /// It cannot be read or written.
    Io(io::Error),
    /// The file there is no file of keys, or has the key already.
    Table(ReferenceError),
}

impl KeyFile {
    /// A file that is there, or will be.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Adds a key, by another file that is renamed over this one.
    ///
    /// # Errors
    /// [`KeyFileError`]
    pub fn add(&self, key: TrustedKey) -> Result<(), KeyFileError> {
        let mut keys = match fs::read_to_string(&self.path) {
            Ok(text) => from_toml(&text).map_err(KeyFileError::Table)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => TpmKeys::new(Vec::new()),
            Err(error) => return Err(KeyFileError::Io(error)),
        };
        keys.keys.push(key);
        let text = written(&keys);
        // Reading it back finds the intended keys, each once.
        from_toml::<TpmKeys>(&text).map_err(KeyFileError::Table)?;
        self.replace(text.as_bytes()).map_err(KeyFileError::Io)
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        let mut name = self.path.clone().into_os_string();
        name.push(".new");
        let mut file = File::create(&name)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&name, &self.path)
    }
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Io(_) => "file of keys cannot be read or written",
            Self::Table(_) => "file of keys would not be one",
        })
    }
}

impl std::error::Error for KeyFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Table(error) => Some(error),
        }
    }
}

fn written(keys: &TpmKeys) -> String {
    let mut text = "version = 1\n".to_owned();
    for key in &keys.keys {
        let table = TpmKeys::NAME;
        let (name, public) = (quoted(&key.name), hexadecimal::of(key.public.as_bytes()));
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "\n[[{table}.ak]]\nname = {name}\npublic = \"{public}\"\n"
        );
        if let Some(certificate) = &key.ek_certificate {
            let _ = writeln!(text, "ek-certificate = \"{certificate}\"");
        }
        if let Some(certificate) = &key.ak_certificate {
            let _ = writeln!(text, "ak-certificate = \"{certificate}\"");
        }
        if key.vouched_for {
            text.push_str("vouched-for = true\n");
        }
        if key.software {
            text.push_str("software = true\n");
        }
        if let Some(count) = key.reset_count {
            let _ = writeln!(text, "reset-count = {count}");
        }
    }
    for authority in &keys.authorities {
        let (name, root) = (
            quoted(&authority.name),
            hexadecimal::of(authority.root.as_bytes()),
        );
        let table = TpmKeys::NAME;
        let _ = write!(
            text,
            "\n[[{table}.authority]]\nname = {name}\nroot = \"{root}\"\n"
        );
        if authority.software {
            text.push_str("software = true\n");
        }
    }
    text
}

/// A basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            character => quoted.push(character),
        }
    }
    quoted.push('"');
    quoted
}
