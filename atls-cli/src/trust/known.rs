//! The tables that a policy file may have, and which of them go together.

use atls_reference::CompositionTable;
use atls_reference::Instances;
use atls_reference::Table;

use super::azure;
use super::options::AppraisalOptions;
use crate::failure::Failure;

/// The tables that a policy file may have.
pub(crate) const TABLES: &[&str] = &[
    "azure",
    "cca",
    "cca-keys",
    "composition",
    "instances",
    "nitro",
    "psa",
    "psa-keys",
    "sgx",
    "snp",
    "tdx",
    "tpm",
    "tpm-keys",
];

/// The tables that are rules about a peer, of whatever platform.
pub(crate) const RULES: &[&str] = &[CompositionTable::NAME, Instances::NAME];

/// Checks that each table has the tables beside it that it needs, and none that would not be applied.
///
/// # Errors
/// The cure.
pub(crate) fn check_tables(named: &[String]) -> Result<(), &'static str> {
    azure::check_tables(named)?;
    let is_of_keys_alone = named.iter().all(|table| table.ends_with("-keys"));
    for (table, keys, without_keys, alone) in KEYED {
        let is_part = azure::is_part(table, named);
        if has(table, named) && !has(keys, named) && !is_part {
            return Err(without_keys);
        }
        if has(keys, named) && !has(table, named) && !is_of_keys_alone {
            return Err(alone);
        }
    }
    Ok(())
}

/// Checks that one verifier alone takes tokens of PSA: that of the policy, or that of simulated devices.
///
/// # Errors
/// A usage failure.
pub(crate) fn check_simulated(named: &[String], options: &AppraisalOptions) -> Result<(), Failure> {
    if !has("psa", named) || !options.knows_a_simulator() {
        return Ok(());
    }
    Err(
        Failure::usage("--trust-sim and the table [psa] are about the same kind of token").with_help(
            "leave one out, or name the simulated device in [psa-keys] with software = true, and say --dangerous-accept-simulated",
        ),
    )
}

fn has(table: &str, named: &[String]) -> bool {
    named.iter().any(|name| name == table)
}

/// Platforms whose makers have no root: policy, keys, and the cure where one of them is missing.
const KEYED: [(&str, &str, &str, &str); 3] = [
    (
        "cca",
        "cca-keys",
        "[cca] needs [cca-keys] beside it, which says whose tokens are looked at",
        "[cca-keys] needs [cca] beside it, which says what they must say",
    ),
    (
        "psa",
        "psa-keys",
        "[psa] needs [psa-keys] beside it, which says whose tokens are looked at",
        "[psa-keys] needs [psa] beside it, which says what they must say",
    ),
    (
        "tpm",
        "tpm-keys",
        "[tpm] needs [tpm-keys] beside it, which says whose quotes are looked at",
        "[tpm-keys] needs [tpm] beside it, which says what they must say",
    ),
];
