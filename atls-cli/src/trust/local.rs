//! Verifiers in this process, for the platforms that a policy file names.

use std::path::PathBuf;
use std::sync::Arc;

use atls_core::Verifier;
use atls_reference::Format;
use atls_reference::Live;
use atls_reference::MAX_FILE;
use atls_reference::Table;
use atls_reference::expect_tables;

use super::azure;
use super::known;
use super::options::AppraisalOptions;
use super::options::TrustOptions;
use super::platforms;
use super::tables::Tables;
use crate::failure::Failure;
use crate::source;

/// A policy file, read once: all of its tables are of one moment.
pub(super) struct PolicyFile {
    path: PathBuf,
    text: String,
}

impl PolicyFile {
    /// The file of these arguments, if they name one.
    pub(super) fn of(options: &TrustOptions) -> Result<Option<Self>, Failure> {
        let Some(path) = &options.policy else {
            return Ok(None);
        };
        Ok(Some(Self {
            text: source::read_text(path, MAX_FILE)?,
            path: path.clone(),
        }))
    }

    /// One verifier for each table of the file.
    pub(super) fn verifiers(
        &self,
        options: &AppraisalOptions,
    ) -> Result<Vec<Arc<dyn Verifier>>, Failure> {
        let named = self.names()?;
        if named.is_empty() {
            let wrong = self.wrong();
            return Err(wrong.with_help("it has no table; `atls policy new` writes one"));
        }
        known::check_simulated(&named, options)?;
        // Keys are no policy: the tables `cca`, `psa` and `tpm` read them.
        let is_platform = |table: &&String| {
            !table.ends_with("-keys")
                && !known::RULES.contains(&table.as_str())
                && !azure::is_part(table, &named)
        };
        let platforms = named.iter().filter(is_platform);
        platforms
            .map(|table| verifier(table, self, options))
            .collect()
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    fn wrong(&self) -> Failure {
        let shown = self.path.display();
        Failure::usage(format!("{shown}: the policy cannot be used"))
    }
}

impl Tables for PolicyFile {
    fn names(&self) -> Result<Vec<String>, Failure> {
        let named = expect_tables(&self.text, Format::of(&self.path), known::TABLES);
        let named = named.map_err(|error| self.wrong().because(&error))?;
        known::check_tables(&named).map_err(|cure| self.wrong().with_help(cure))?;
        Ok(named)
    }

    fn live<T: Table>(&self) -> Result<Arc<Live<T>>, Failure> {
        let shown = self.path.display().to_string();
        let live = Live::of_text(shown, &self.text, Format::of(&self.path));
        live.map(Arc::new)
            .map_err(|error| self.wrong().because(&error))
    }
}

/// The verifier of a table.
///
/// # Errors
/// A usage failure: the table cannot be used, or an argument.
pub(crate) fn verifier(
    table: &str,
    tables: &impl Tables,
    options: &AppraisalOptions,
) -> Result<Arc<dyn Verifier>, Failure> {
    Ok(match table {
        "azure" => Arc::new(azure(azure::Parts::of(tables)?, options)?),
        "cca" => Arc::new(platforms::cca(tables)?),
        "nitro" => Arc::new(platforms::nitro(tables.live()?, options)?),
        "psa" => Arc::new(platforms::psa(tables)?),
        "sgx" => Arc::new(platforms::sgx(tables.live()?, options)?),
        "snp" => Arc::new(platforms::snp(tables.live()?, options)?),
        "tpm" => Arc::new(platforms::tpm(tables)?),
        _ => Arc::new(platforms::tdx(tables.live()?, options)?),
    })
}
