//! The lines of a table's entries.

use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::PoisonError;

use atls_core::finding::Place;
use serde::Deserializer;
use serde::de;
use serde::de::DeserializeSeed;
use serde::de::MapAccess;
use serde::de::SeqAccess;

use crate::format::Format;
use crate::one_table::OneTable;
use crate::position::position;
use crate::shown::as_shown;

/// The entries of one table of a file, by their names, and the lines at which they stand.
pub(crate) struct Lines {
    file: String,
    text: String,
    format: Format,
    table: &'static str,
    /// The path of an entry by its `name`, as findings show it, and of a setting by its path within the table. The first of a name counts.
    paths: HashMap<String, String>,
    /// By path. A line costs a reading of the file, and whoever is refused has it looked up: once is enough.
    lines: Mutex<HashMap<String, usize>>,
}

impl Lines {
    /// Those of a file that was read before.
    pub(crate) fn of(file: String, text: String, format: Format, table: &'static str) -> Self {
        let mut paths = HashMap::new();
        let walk = OneTable {
            name: table,
            seed: Entry {
                table,
                path: table.to_owned(),
                paths: &mut paths,
            },
        };
        // A table that could be read can be walked through; without, findings name the file alone.
        let _ = match format {
            Format::Json => walk
                .deserialize(&mut serde_json::Deserializer::from_str(&text))
                .is_ok(),
            Format::Toml => toml::Deserializer::parse(&text)
                .is_ok_and(|parser| walk.deserialize(parser).is_ok()),
        };
        Self {
            file,
            text,
            format,
            table,
            paths,
            lines: Mutex::default(),
        }
    }

    /// The line of the entry, or setting, of this name.
    pub(crate) fn named(&self, name: &str) -> Option<Place> {
        let path = self.paths.get(name)?;
        Some(self.line(path))
    }

    /// The line of the table.
    pub(crate) fn whole(&self) -> Place {
        self.line(self.table)
    }

    /// The line of a field of the table.
    pub(crate) fn field(&self, field: &str) -> Place {
        self.line(&format!("{}.{field}", self.table))
    }

    fn line(&self, path: &str) -> Place {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.get(path).copied().unwrap_or_else(|| {
            let (line, _) = position(&self.text, self.format, path);
            lines.insert(path.to_owned(), line);
            line
        });
        Place::at_line(&self.file, line)
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("file", &self.file)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

/// Walks through the value at a path, and gives it where it is a text.
struct Entry<'a> {
    table: &'a str,
    path: String,
    paths: &'a mut HashMap<String, String>,
}

impl Entry<'_> {
    /// A value within this one.
    fn at(&mut self, path: String) -> Entry<'_> {
        Entry {
            table: self.table,
            path,
            paths: self.paths,
        }
    }

    /// Settings have no names. A key within an entry of a list says nothing alone.
    fn add_setting(&mut self, path: String) {
        let within = path.strip_prefix(self.table);
        let setting = within.and_then(|within| within.strip_prefix('.'));
        if let Some(setting) = setting.filter(|setting| !setting.contains('[')) {
            self.paths.entry(setting.to_owned()).or_insert(path);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Option<String>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> de::Visitor<'de> for Entry<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Option<String>, A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let within = format!("{}.{key}", self.path);
            let text = map.next_value_seed(self.at(within.clone()))?;
            if key == "name"
                && let Some(name) = text
            {
                let entry = self.paths.entry(as_shown(&name));
                entry.or_insert_with(|| self.path.clone());
            }
            self.add_setting(within);
        }
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<Option<String>, A::Error> {
        for index in 0_usize.. {
            let within = format!("{}[{index}]", self.path);
            let within = self.at(within);
            if elements.next_element_seed(within)?.is_none() {
                break;
            }
        }
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<String>, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<String>, E> {
        Ok(None)
    }
}
