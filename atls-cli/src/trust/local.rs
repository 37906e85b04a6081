//! Verifiers in this process, for the platforms that a policy file names.

use std::path::Path;
use std::sync::Arc;

use atls_core::Verifier;
use atls_reference::CompositionTable;
use atls_reference::Format;
use atls_reference::Instances;
use atls_reference::Live;
use atls_reference::MAX_FILE;
use atls_reference::ReferenceError;
use atls_reference::Table;
use atls_reference::expect_tables;

use super::azure;
use super::options::AppraisalOptions;
use super::options::TrustOptions;
use super::platforms::cca;
use super::platforms::nitro;
use super::platforms::sgx;
use super::platforms::snp;
use super::platforms::tdx;
use super::platforms::tpm;
use super::reload::Reload;
use crate::failure::Failure;
use crate::source;

/// The tables that a policy file may have.
pub(crate) const TABLES: &[&str] = &[
    "azure",
    "cca",
    "cca-keys",
    "composition",
    "instances",
    "nitro",
    "sgx",
    "snp",
    "tdx",
    "tpm",
    "tpm-keys",
];

/// The tables that are rules about a peer, of whatever platform.
pub(crate) const RULES: &[&str] = &[CompositionTable::NAME, Instances::NAME];

/// One verifier for each table of the file.
pub(crate) fn verifiers(options: &TrustOptions) -> Result<Vec<Local>, Failure> {
    let Some(path) = &options.policy else {
        return Ok(Vec::new());
    };
    let named = tables(path)?;
    if named.is_empty() {
        return Err(wrong(path).with_help("it has no table; `atls policy new` writes one"));
    }
    // Keys are no policy: the tables `cca` and `tpm` read them.
    let is_platform = |table: &&String| {
        !table.ends_with("-keys")
            && !RULES.contains(&table.as_str())
            && !azure::is_part(table, &named)
    };
    let platforms = named.iter().filter(is_platform);
    platforms
        .map(|table| verifier(table, path, &named, &options.appraisal))
        .collect()
}

/// A rule of the file about peers of all platforms, where it has that table.
pub(crate) fn rule<T: Table>(options: &TrustOptions) -> Result<Option<Arc<Live<T>>>, Failure> {
    match &options.policy {
        Some(path) => live_if_named(path, &tables(path)?),
        None => Ok(None),
    }
}

/// The names of the tables in a policy file.
///
/// # Errors
/// A usage failure with file and line.
pub(crate) fn tables(path: &Path) -> Result<Vec<String>, Failure> {
    let text = source::read_text(path, MAX_FILE)?;
    let named = expect_tables(&text, Format::of(path), TABLES);
    let named = named.map_err(|error| wrong(path).because(&error))?;
    azure::check_tables(&named).map_err(|cure| wrong(path).with_help(cure))?;
    Ok(named)
}

/// A verifier, and its policy, which may be read again.
pub(crate) struct Local {
    pub(crate) verifier: Arc<dyn Verifier>,
    pub(crate) policies: Vec<Arc<dyn Reload>>,
}

fn verifier(
    table: &str,
    path: &Path,
    named: &[String],
    options: &AppraisalOptions,
) -> Result<Local, Failure> {
    match table {
        "azure" => {
            let parts = azure::Parts {
                azure: live(path)?,
                snp: live_if_named(path, named)?,
                tdx: live_if_named(path, named)?,
                tpm: live(path)?,
            };
            let policies = parts.policies();
            Ok(Local {
                verifier: Arc::new(azure(parts, options)?),
                policies,
            })
        }
        "cca" => {
            let (policy, keys) = (live(path)?, live(path)?);
            let verifier = cca(policy.clone(), keys.clone());
            Ok(Local {
                verifier: Arc::new(verifier),
                policies: vec![policy, keys],
            })
        }
        "nitro" => {
            let policy = live(path)?;
            local(nitro(policy.clone(), options), policy)
        }
        "sgx" => {
            let policy = live(path)?;
            local(sgx(policy.clone(), options), policy)
        }
        "snp" => {
            let policy = live(path)?;
            local(snp(policy.clone(), options), policy)
        }
        "tpm" => {
            let (policy, keys) = (live(path)?, live(path)?);
            let verifier = tpm(policy.clone(), keys.clone());
            Ok(Local {
                verifier: Arc::new(verifier),
                policies: vec![policy, keys],
            })
        }
        _ => {
            let policy = live(path)?;
            local(tdx(policy.clone(), options), policy)
        }
    }
}

fn local<T: Table>(
    verifier: Result<impl Verifier + 'static, Failure>,
    policy: Arc<Live<T>>,
) -> Result<Local, Failure> {
    Ok(Local {
        verifier: Arc::new(verifier?),
        policies: vec![policy],
    })
}

fn live_if_named<T: Table>(path: &Path, named: &[String]) -> Result<Option<Arc<Live<T>>>, Failure> {
    let is_there = named.iter().any(|table| table == T::NAME);
    is_there.then(|| live(path)).transpose()
}

/// A file that has further tables when it is read again is wrong: nothing would look at them.
fn live<T: Table>(path: &Path) -> Result<Arc<Live<T>>, Failure> {
    let tables = tables(path)?;
    let tables: Vec<_> = tables.iter().map(String::as_str).collect();
    let opened = Live::open(path).and_then(|live| live.expecting(&tables));
    opened
        .map(Arc::new)
        .map_err(|error: ReferenceError| wrong(path).because(&error))
}

fn wrong(path: &Path) -> Failure {
    Failure::usage(format!("{}: the policy cannot be used", path.display()))
}
