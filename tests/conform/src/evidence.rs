//! The Evidence that the kit presents. It is opaque to the kit, which appraises nothing.

use std::error::Error;
use std::path::Path;
use std::process::Command;

use atls_core::cmw::Cmw;
use atls_formats::psa::SignedToken;

use crate::keys::Keys;
use crate::keys::TOKEN;
use crate::wire::cmw::Payload;

/// Where the kit's Evidence comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// The simulated device of [`Keys`], over any value.
    Device,
    /// One CMW that was made beforehand, over no value of this run.
    File(Vec<u8>),
    /// A command that gets the value in hexadecimal digits and prints a CMW.
    Command(Vec<String>),
}

/// Evidence over one value.
#[derive(Clone, Debug)]
pub enum Made {
    /// One record, which can be wrapped in any way.
    Record(Payload),
    /// Bytes that are sent as they are.
    Opaque(Vec<u8>),
}

impl Source {
    /// # Errors
    /// Those of reading the file.
    pub fn file(path: &Path) -> Result<Self, Box<dyn Error>> {
        Ok(Self::File(std::fs::read(path)?))
    }

    /// Whether it makes Evidence over a value of the kit's choice.
    pub fn is_bound(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    /// # Errors
    /// Where the command fails.
    pub fn over(&self, value: &[u8], keys: &Keys) -> Result<Made, Box<dyn Error>> {
        Ok(match self {
            Self::Device => Made::Record(keys.token(value)),
            Self::File(bytes) => of(bytes.clone()),
            Self::Command(words) => of(printed(words, value)?),
        })
    }
}

fn printed(words: &[String], value: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    let (program, arguments) = words.split_first().ok_or("no command")?;
    let arguments = arguments.iter().map(|word| word.replace("{value}", &hex));
    let output = Command::new(program).args(arguments).output()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{program} ended with {}", output.status).into())
    }
}

/// A CMW of one record of Evidence is taken apart, any other is not.
fn of(bytes: Vec<u8>) -> Made {
    let record = Cmw::decode(&bytes)
        .ok()
        .and_then(|cmw| match &cmw.items()[..] {
            [item] if item.is_evidence() && item.label().is_empty() => Some(Payload {
                media_type: item.media_type()?.to_string(),
                value: item.value().to_vec(),
            }),
            _ => None,
        });
    record.map_or(Made::Opaque(bytes), Made::Record)
}

/// The value that Evidence carries, where this kit can read it: that of the simulated device.
pub fn value_of(media_type: Option<&str>, evidence: &[u8]) -> Option<Vec<u8>> {
    if media_type.map(normal) != Some(normal(TOKEN)) {
        return None;
    }
    let token = SignedToken::decode(evidence).ok()?;
    Some(token.claims().nonce().ok()?.to_vec())
}

/// Without spaces and quotation marks.
pub fn normal(media_type: &str) -> String {
    let letters = media_type
        .chars()
        .filter(|letter| !matches!(letter, ' ' | '"'));
    letters.collect::<String>().to_ascii_lowercase()
}
