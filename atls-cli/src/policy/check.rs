//! `atls policy check`.

use std::path::PathBuf;

use atls_azure::AzurePolicy;
use atls_cca::CcaKeys;
use atls_cca::CcaPolicy;
use atls_cca::PsaKeys;
use atls_cca::PsaPolicy;
use atls_nitro::NitroPolicy;
use atls_reference::CompositionItem;
use atls_reference::CompositionTable;
use atls_reference::Instances;
use atls_snp::SnpPolicy;
use atls_tdx::SgxPolicy;
use atls_tdx::TdxPolicy;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use clap::Args;
use serde_json::json;

use crate::appraise::Policy;
use crate::failure::Failure;
use crate::terminal::Safe;
use crate::terminal::Terminal;

#[derive(Args, Debug)]
pub(super) struct CheckOptions {
    /// The policy file, or - for the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Write one JSON document
    #[arg(long)]
    json: bool,
}

/// One image or enclave that a table accepts.
pub(super) struct Accepted {
    table: &'static str,
    name: String,
}

pub(super) fn run(options: &CheckOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    let checked = check(options);
    match (checked, options.json) {
        (Ok(accepted), true) => {
            let accepted = accepted
                .iter()
                .map(|image| json!({ "table": image.table, "name": image.name }))
                .collect::<Vec<_>>();
            terminal.out_json(&json!({ "right": true, "accepts": accepted }))
        }
        (Ok(accepted), false) => print(&accepted, terminal),
        (Err(failure), true) => {
            terminal.out_json(&json!({ "right": false, "error": failure.to_json() }))?;
            Err(failure.already_reported())
        }
        (Err(failure), false) => Err(failure),
    }
}

fn print(accepted: &[Accepted], terminal: &mut Terminal) -> Result<(), Failure> {
    let style = terminal.out_style();
    terminal.out_line(&style.good("the policy is right"))?;
    for image in accepted {
        let line = format!("  [{}] accepts {}", image.table, Safe(&image.name));
        terminal.out_line(&line)?;
    }
    Ok(())
}

fn check(options: &CheckOptions) -> Result<Vec<Accepted>, Failure> {
    accepted(&Policy::open(&options.file)?)
}

/// # Errors
/// A failure of usage for a policy that no command takes.
pub(super) fn accepted(policy: &Policy) -> Result<Vec<Accepted>, Failure> {
    let tables = policy.tables()?;
    if tables.is_empty() {
        return Err(
            Failure::usage("the policy has no table, and so accepts nobody")
                .with_help("`atls policy new` writes one"),
        );
    }
    let mut accepted = Vec::new();
    for table in &tables {
        accepted.extend(images(table, policy)?);
    }
    Ok(accepted)
}

fn images(table: &str, policy: &Policy) -> Result<Vec<Accepted>, Failure> {
    let of = |table, names: Vec<String>| {
        let names = names.into_iter();
        names.map(|name| Accepted { table, name }).collect()
    };
    Ok(match table {
        "azure" => {
            let machines = policy.table::<AzurePolicy>()?.vm_unique_ids;
            let any = || vec!["any VM of the images in [snp], [tdx] and [tpm]".to_owned()];
            of("azure", machines.unwrap_or_else(any))
        }
        "cca" => {
            let realms = policy.table::<CcaPolicy>()?.realms;
            of("cca", realms.into_iter().map(|realm| realm.name).collect())
        }
        "cca-keys" => {
            let keys = policy.table::<CcaKeys>()?.keys;
            of("cca-keys", keys.into_iter().map(|key| key.name).collect())
        }
        "composition" => {
            let items = policy.table::<CompositionTable>()?.items;
            of("composition", items.iter().map(item).collect())
        }
        "instances" => {
            let instances = policy.table::<Instances>()?;
            of("instances", instances.names().map(str::to_owned).collect())
        }
        "nitro" => {
            let images = policy.table::<NitroPolicy>()?.images;
            of(
                "nitro",
                images.into_iter().map(|image| image.name).collect(),
            )
        }
        "psa" => {
            let devices = policy.table::<PsaPolicy>()?.devices;
            of(
                "psa",
                devices.into_iter().map(|device| device.name).collect(),
            )
        }
        "psa-keys" => {
            let keys = policy.table::<PsaKeys>()?.keys;
            of("psa-keys", keys.into_iter().map(|key| key.name).collect())
        }
        "sgx" => {
            let enclaves = policy.table::<SgxPolicy>()?.enclaves;
            of(
                "sgx",
                enclaves.into_iter().map(|enclave| enclave.name).collect(),
            )
        }
        "snp" => {
            let images = policy.table::<SnpPolicy>()?.images;
            of("snp", images.into_iter().map(|image| image.name).collect())
        }
        "tpm" => {
            let images = policy.table::<TpmPolicy>()?.images;
            of("tpm", images.into_iter().map(|image| image.name).collect())
        }
        "tpm-keys" => {
            let table = policy.table::<TpmKeys>()?;
            let keys = table.keys.into_iter().map(|key| key.name);
            let authorities = table.authorities.into_iter().map(|known| known.name);
            of("tpm-keys", keys.chain(authorities).collect())
        }
        _ => {
            let images = policy.table::<TdxPolicy>()?.images;
            of("tdx", images.into_iter().map(|image| image.name).collect())
        }
    })
}

/// An item of a peer's message, by its media type and label.
fn item(item: &CompositionItem) -> String {
    match &item.label {
        Some(label) => format!("{} ({label})", item.media_type),
        None => item.media_type.to_string(),
    }
}
