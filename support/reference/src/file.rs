//! Reads one platform's table from a file.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::marker::PhantomData;
use std::path::Path;

use serde::Deserialize;
use serde::Deserializer;
use serde::de;
use serde::de::DeserializeOwned;
use serde::de::IgnoredAny;
use serde::de::MapAccess;

use crate::ambiguity;
use crate::error::ReferenceError;
use crate::format::Format;
use crate::position::position;
use crate::syntax::SyntaxError;
use crate::syntax::field_at;
use crate::table::Table;

/// Reads one platform's table. Tables of other platforms may stand beside it and are not read; [`expect_tables`] finds a
/// misspelt one.
///
/// # Errors
/// [`ReferenceError`] with line and field. A file without this platform's table is an error too.
pub fn from_toml<T: Table>(text: &str) -> Result<T, ReferenceError> {
    from_text(text, Format::Toml)
}

/// As [`from_toml`], of the same structure in JSON. The table has no key twice and no `null`, however deep.
///
/// # Errors
/// As [`from_toml`].
pub fn from_json<T: Table>(text: &str) -> Result<T, ReferenceError> {
    from_text(text, Format::Json)
}

/// As [`from_toml`], in either format.
///
/// # Errors
/// As [`from_toml`].
pub fn from_text<T: Table>(text: &str, format: Format) -> Result<T, ReferenceError> {
    // The version comes first, wherever it stands: another version may have other fields.
    tables(text, format)?;
    let Selected(table) = parse(text, format)?;
    let table: T = table.ok_or(ReferenceError::Missing(T::NAME))?;
    if format == Format::Json {
        ambiguity::check(text, T::NAME)?;
    }
    match table.check() {
        Ok(()) => Ok(table),
        Err(found) => {
            let field = found.clone().within(T::NAME).field;
            let place = position(text, format, &field);
            Err(ReferenceError::meaning(T::NAME, found, place))
        }
    }
}

/// The names of the tables in a file, sorted.
///
/// # Errors
/// [`ReferenceError::Syntax`], [`ReferenceError::TooLarge`], [`ReferenceError::Version`].
pub fn tables(text: &str, format: Format) -> Result<Vec<String>, ReferenceError> {
    if text.len() > MAX_FILE || (format == Format::Toml && !has_few_marks(text)) {
        return Err(ReferenceError::TooLarge);
    }
    let outline: Outline = parse(text, format)?;
    if outline.version != VERSION {
        return Err(ReferenceError::Version(outline.version));
    }
    Ok(outline.tables.into_iter().collect())
}

/// Checks that every table of the file is one of `used`, so that a misspelt `[tdxx]` is an error rather than a policy that
/// nobody reads. Gives the names in the file.
///
/// [`Live::expecting`](crate::Live::expecting) checks at each reload.
///
/// # Errors
/// [`ReferenceError::UnknownTable`], and as [`tables`].
pub fn expect_tables(
    text: &str,
    format: Format,
    used: &[&str],
) -> Result<Vec<String>, ReferenceError> {
    let found = tables(text, format)?;
    match found.iter().find(|table| !used.contains(&table.as_str())) {
        None => Ok(found),
        Some(table) => Err(ReferenceError::UnknownTable {
            table: table.clone(),
            used: used.iter().map(|name| (*name).to_owned()).collect(),
        }),
    }
}

/// The parser of TOML takes up to 400 bytes for each sign of the syntax and each run of white space, however short the file is.
/// All of those are marks, so this count bounds them.
fn has_few_marks(text: &str) -> bool {
    let is_mark = |byte: &u8| byte.is_ascii() && !byte.is_ascii_alphanumeric();
    text.bytes().filter(is_mark).count() <= MAX_TOML_MARKS
}

/// Reads at most one byte more than [`MAX_FILE`] of an open file.
pub(crate) fn read(file: File, path: &Path) -> Result<String, ReferenceError> {
    let mut text = String::new();
    let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
    file.take(limit.saturating_add(1))
        .read_to_string(&mut text)
        .map_err(|error| ReferenceError::unreadable(path, error))?;
    Ok(text)
}

fn parse<T: DeserializeOwned>(text: &str, format: Format) -> Result<T, SyntaxError> {
    match format {
        Format::Json => parse_json(text),
        Format::Toml => parse_toml(text),
    }
}

fn parse_toml<T: DeserializeOwned>(text: &str) -> Result<T, SyntaxError> {
    let parser = toml::Deserializer::parse(text)
        .map_err(|error| SyntaxError::of_toml(text, String::new(), &error))?;
    serde_path_to_error::deserialize(parser)
        .map_err(|error| SyntaxError::of_toml(text, field_at(error.path()), error.inner()))
}

fn parse_json<T: DeserializeOwned>(text: &str) -> Result<T, SyntaxError> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut parser)
        .map_err(|error| SyntaxError::of_json(field_at(error.path()), error.inner()))?;
    parser
        .end()
        .map_err(|error| SyntaxError::of_json(String::new(), &error))?;
    Ok(value)
}

/// The outline of a file: its version and the names of its tables.
struct Outline {
    version: u64,
    tables: BTreeSet<String>,
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OutlineVisitor)
    }
}

struct OutlineVisitor;

impl<'de> de::Visitor<'de> for OutlineVisitor {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`version` and a table per platform")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let mut version = None;
        let mut tables = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let first = if key == "version" {
                version.replace(map.next_value()?).is_none()
            } else {
                map.next_value::<SomeTable>()?;
                tables.insert(key.clone())
            };
            if !first {
                return Err(de::Error::custom(format_args!("duplicate key `{key}`")));
            }
        }
        Ok(Outline {
            version: version.ok_or_else(|| de::Error::missing_field("version"))?,
            tables,
        })
    }
}

/// A table with any content. Another value beside `version`, such as a misspelt `verison`, is an error.
struct SomeTable;

impl<'de> Deserialize<'de> for SomeTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SomeTableVisitor)
    }
}

struct SomeTableVisitor;

impl<'de> de::Visitor<'de> for SomeTableVisitor {
    type Value = SomeTable;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`version` or the table of a platform")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SomeTable, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(SomeTable)
    }
}

/// One table of a file whose [`Outline`] was read.
struct Selected<T>(Option<T>);

impl<'de, T: Table> Deserialize<'de> for Selected<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(SelectedVisitor(PhantomData))
    }
}

struct SelectedVisitor<T>(PhantomData<T>);

impl<'de, T: Table> de::Visitor<'de> for SelectedVisitor<T> {
    type Value = Selected<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        OutlineVisitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Selected<T>, A::Error> {
        let mut table = None;
        while let Some(key) = map.next_key::<String>()? {
            if key == T::NAME {
                table = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Selected(table))
    }
}

/// The version of the format.
const VERSION: u64 = 1;

/// Largest file in bytes: room for ten thousand reference values, and a bound on a file that was named by mistake.
pub const MAX_FILE: usize = 4 * 1024 * 1024;

/// Most ASCII characters of a TOML file that are neither letters nor digits. A reference value with its names has some 30 of
/// them: there is room for three thousand, and reading them takes at most 40 MB. JSON has no such limit.
pub const MAX_TOML_MARKS: usize = 100_000;
