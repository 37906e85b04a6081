//! The text of a policy, and its tables.

use std::path::Path;
use std::sync::Arc;

use atls_reference::Format;
use atls_reference::Live;
use atls_reference::MAX_FILE;
use atls_reference::Table;
use atls_reference::from_text;
use serde_json::Value;

use crate::failure::Failure;
use crate::source;
use crate::trust;
use crate::trust::Tables;

/// The text of a policy file.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    text: String,
    format: Format,
    shown: String,
    /// Its tables of keys are taken from here.
    keys: Option<Arc<Self>>,
}

impl Policy {
    /// Reads a file.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            text: source::read_text(path, MAX_FILE)?,
            format: Format::of(path),
            shown: path.display().to_string(),
            keys: None,
        })
    }

    /// One that was just written.
    pub(crate) fn written(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            format: Format::Toml,
            shown: "the policy of what was seen".to_owned(),
            keys: None,
        }
    }

    /// One of this process.
    pub(crate) fn of_json(shown: &str, tables: &Value) -> Self {
        Self {
            text: tables.to_string(),
            format: Format::Json,
            shown: shown.to_owned(),
            keys: None,
        }
    }

    /// The same with other attestation keys than its own.
    pub(crate) fn with_keys(mut self, keys: &Arc<Self>) -> Self {
        self.keys = Some(keys.clone());
        self
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// The names of its tables.
    pub(crate) fn tables(&self) -> Result<Vec<String>, Failure> {
        let named = atls_reference::expect_tables(&self.text, self.format, trust::TABLES);
        let named = named.map_err(|error| self.wrong().because(&error))?;
        trust::check_tables(&named).map_err(|cure| self.wrong().with_help(cure))?;
        Ok(named)
    }

    /// Reads one of its tables.
    pub(crate) fn table<T: Table>(&self) -> Result<T, Failure> {
        let holder = self.holder::<T>();
        let table = from_text(&holder.text, holder.format);
        table.map_err(|error| holder.wrong().because(&error))
    }

    /// The file that has this table.
    fn holder<T: Table>(&self) -> &Self {
        match &self.keys {
            Some(keys) if T::NAME.ends_with("-keys") => keys,
            _ => self,
        }
    }

    fn wrong(&self) -> Failure {
        Failure::usage(format!("{}: the policy cannot be used", self.shown))
    }
}

impl Tables for Policy {
    fn names(&self) -> Result<Vec<String>, Failure> {
        self.tables()
    }

    fn live<T: Table>(&self) -> Result<Arc<Live<T>>, Failure> {
        let holder = self.holder::<T>();
        let live = Live::of_text(&holder.shown, &holder.text, holder.format);
        live.map(Arc::new)
            .map_err(|error| holder.wrong().because(&error))
    }
}
