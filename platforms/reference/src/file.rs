//! One platform's table out of a file.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::Deserialize;
use serde::Deserializer;
use serde::de;
use serde::de::DeserializeOwned;
use serde::de::IgnoredAny;
use serde::de::MapAccess;

/// The policy of one platform: a `serde` type that denies unknown fields and whose required fields have no default.
pub trait Table: DeserializeOwned + Send + Sync + 'static {
    /// The name of its table: `tdx`, `snp`, `nitro`.
    const NAME: &'static str;

    /// What the types cannot say, such as that there is a reference value at all: a policy without one must never read
    /// as success.
    ///
    /// # Errors
    /// What is wrong, and what to do, in words for whoever wrote the file.
    fn check(&self) -> Result<(), String>;
}

/// Reads one platform's table.
///
/// # Errors
/// [`ReferenceError`] with line and field. A file without this platform's table is an error too.
pub fn from_toml<T: Table>(text: &str) -> Result<T, ReferenceError> {
    let file: File<T> =
        toml::from_str(text).map_err(|error| ReferenceError::Syntax(error.to_string()))?;
    file.checked()
}

/// As [`from_toml`], of the same structure in JSON.
///
/// # Errors
/// As [`from_toml`].
pub fn from_json<T: Table>(text: &str) -> Result<T, ReferenceError> {
    let file: File<T> =
        serde_json::from_str(text).map_err(|error| ReferenceError::Syntax(error.to_string()))?;
    file.checked()
}

/// A file of reference values cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReferenceError {
    /// The file cannot be read.
    #[error("file of reference values cannot be read")]
    Io(#[source] Arc<io::Error>),
    /// The table is there, and what it says cannot be a policy.
    #[error("table [{table}]: {problem}")]
    Meaning {
        /// The platform's table.
        table: &'static str,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// No table for this platform. Without one nothing could be accepted, so it is not guessed.
    #[error("file has no table [{0}]")]
    Missing(&'static str),
    /// Not TOML or JSON, a field that is unknown or missing, or a value of the wrong form; names line and field.
    #[error("{0}")]
    Syntax(String),
    /// Another version of the format than 1.
    #[error("file has version {0} of the format; this build reads version 1")]
    Version(u64),
}

struct File<T> {
    version: u64,
    table: Option<T>,
}

impl<T: Table> File<T> {
    fn checked(self) -> Result<T, ReferenceError> {
        if self.version != 1 {
            return Err(ReferenceError::Version(self.version));
        }
        let table = self.table.ok_or(ReferenceError::Missing(T::NAME))?;
        match table.check() {
            Ok(()) => Ok(table),
            Err(problem) => Err(ReferenceError::Meaning {
                table: T::NAME,
                problem,
            }),
        }
    }
}

impl<'de, T: Table> Deserialize<'de> for File<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FileVisitor(PhantomData))
    }
}

struct FileVisitor<T>(PhantomData<T>);

impl<'de, T: Table> de::Visitor<'de> for FileVisitor<T> {
    type Value = File<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`version` and a table per platform")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<File<T>, A::Error> {
        let mut version = None;
        let mut table = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == "version" {
                version = Some(map.next_value()?);
            } else if key == T::NAME {
                if table.is_some() {
                    return Err(de::Error::duplicate_field(T::NAME));
                }
                table = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(File {
            version: version.ok_or_else(|| de::Error::missing_field("version"))?,
            table,
        })
    }
}
