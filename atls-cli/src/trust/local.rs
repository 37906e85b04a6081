//! Verifiers in this process, for the platforms that a policy file names.

use std::path::Path;
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
use super::reload::Reload;
use super::tables::Tables;
use crate::failure::Failure;
use crate::source;

/// One verifier for each table of the file.
pub(super) fn verifiers(options: &TrustOptions) -> Result<Vec<Local>, Failure> {
    let Some(path) = &options.policy else {
        return Ok(Vec::new());
    };
    let file = PolicyFile(path.clone());
    let named = file.names()?;
    if named.is_empty() {
        return Err(wrong(path).with_help("it has no table; `atls policy new` writes one"));
    }
    known::check_simulated(&named, &options.appraisal)?;
    // Keys are no policy: the tables `cca`, `psa` and `tpm` read them.
    let is_platform = |table: &&String| {
        !table.ends_with("-keys")
            && !known::RULES.contains(&table.as_str())
            && !azure::is_part(table, &named)
    };
    let platforms = named.iter().filter(is_platform);
    platforms
        .map(|table| verifier(table, &file, &options.appraisal))
        .collect()
}

/// A rule of the file about peers of all platforms, where it has that table.
pub(super) fn rule<T: Table>(options: &TrustOptions) -> Result<Option<Arc<Live<T>>>, Failure> {
    match &options.policy {
        Some(path) => PolicyFile(path.clone()).live_if_named(),
        None => Ok(None),
    }
}

/// A verifier, and its policies, which may be read again.
pub(crate) struct Local {
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) policies: Vec<Arc<dyn Reload>>,
}

/// The verifier of a table.
///
/// # Errors
/// A usage failure: the table cannot be used, or an argument.
pub(crate) fn verifier(
    table: &str,
    tables: &impl Tables,
    options: &AppraisalOptions,
) -> Result<Local, Failure> {
    match table {
        "azure" => {
            let parts = azure::Parts::of(tables)?;
            let policies = parts.policies();
            Ok(Local::of(azure(parts, options)?, policies))
        }
        "cca" => {
            let (policy, keys) = (tables.live()?, tables.live()?);
            let verifier = platforms::cca_under(policy.clone(), keys.clone());
            Ok(Local::of(verifier, vec![policy, keys]))
        }
        "nitro" => {
            let policy = tables.live()?;
            let verifier = platforms::nitro(policy.clone(), options)?;
            Ok(Local::of(verifier, vec![policy]))
        }
        "psa" => {
            let (policy, keys) = (tables.live()?, tables.live()?);
            let verifier = platforms::psa_under(policy.clone(), keys.clone());
            Ok(Local::of(verifier, vec![policy, keys]))
        }
        "sgx" => {
            let policy = tables.live()?;
            let verifier = platforms::sgx(policy.clone(), options)?;
            Ok(Local::of(verifier, vec![policy]))
        }
        "snp" => {
            let policy = tables.live()?;
            let verifier = platforms::snp(policy.clone(), options)?;
            Ok(Local::of(verifier, vec![policy]))
        }
        "tpm" => {
            let (policy, keys) = (tables.live()?, tables.live()?);
            let verifier = platforms::tpm_under(policy.clone(), keys.clone());
            Ok(Local::of(verifier, vec![policy, keys]))
        }
        _ => {
            let policy = tables.live()?;
            let verifier = platforms::tdx(policy.clone(), options)?;
            Ok(Local::of(verifier, vec![policy]))
        }
    }
}

impl Local {
    fn of(verifier: impl Verifier + 'static, policies: Vec<Arc<dyn Reload>>) -> Self {
        Self {
            verifier: Arc::new(verifier),
            policies,
        }
    }
}

/// A file that is read again while a proxy runs.
struct PolicyFile(PathBuf);

impl Tables for PolicyFile {
    fn names(&self) -> Result<Vec<String>, Failure> {
        let text = source::read_text(&self.0, MAX_FILE)?;
        let named = expect_tables(&text, Format::of(&self.0), known::TABLES);
        let named = named.map_err(|error| wrong(&self.0).because(&error))?;
        known::check_tables(&named).map_err(|cure| wrong(&self.0).with_help(cure))?;
        Ok(named)
    }

    /// A file that has further tables when it is read again is wrong: nothing would look at them.
    fn live<T: Table>(&self) -> Result<Arc<Live<T>>, Failure> {
        let tables = self.names()?;
        let tables: Vec<_> = tables.iter().map(String::as_str).collect();
        let opened = Live::open(&self.0).and_then(|live| live.expecting(&tables));
        opened
            .map(Arc::new)
            .map_err(|error| wrong(&self.0).because(&error))
    }
}

fn wrong(path: &Path) -> Failure {
    Failure::usage(format!("{}: the policy cannot be used", path.display()))
}
