//! Checks that every package of this workspace can be published, and prints in which order: one name a line, each after those
//! that it depends on. Fails with all faults that it found.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the order is its output")]
#![allow(clippy::print_stderr, reason = "the faults are its output")]

mod front_page;
mod oldest_rust;
mod order;
mod package;
mod readme;

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;

use serde::de::DeserializeOwned;

use oldest_rust::Locked;
use package::Metadata;
use package::Package;

fn main() -> ExitCode {
    match run() {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            for fault in faults {
                eprintln!("{fault}");
            }
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("cannot be checked: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Vec<String>, Box<dyn Error>> {
    let metadata: Metadata = metadata(&["--no-deps", "--offline"])?;
    let workspace = &metadata.workspace_root;
    let mut packages = metadata.packages;
    packages.retain(Package::is_published);
    let mut faults: Vec<_> = packages
        .iter()
        .flat_map(|package| package.faults(workspace))
        .collect();
    faults.extend(faults_of_changelog(&packages, workspace)?);
    faults.extend(faults_of_rust(&packages)?);
    match order::of(&packages) {
        Ok(order) => {
            for name in &order {
                println!("{name}");
            }
            let page = std::fs::read_to_string(workspace.join("CONTRIBUTING.md"))?;
            if !page.contains(&order::as_block(&order)) {
                faults.push(
                    "CONTRIBUTING.md: the order of publishing is another than the one above"
                        .to_owned(),
                );
            }
        }
        Err(fault) => faults.push(fault),
    }
    Ok(faults)
}

fn faults_of_changelog(
    packages: &[Package],
    workspace: &Path,
) -> Result<Vec<String>, Box<dyn Error>> {
    let changes = std::fs::read_to_string(workspace.join("CHANGELOG.md"))?;
    let versions: BTreeSet<_> = packages.iter().map(Package::version).collect();
    let missing = versions
        .into_iter()
        .filter(|version| !changes.contains(&format!("\n## {version}\n")));
    Ok(missing
        .map(|version| format!("CHANGELOG.md: no section {version}"))
        .collect())
}

fn faults_of_rust(packages: &[Package]) -> Result<Vec<String>, Box<dyn Error>> {
    // Those of other systems need not be on this machine.
    let host = host()?;
    let locked: Locked = metadata(&["--locked", "--filter-platform", &host])?;
    let stated: BTreeSet<_> = packages.iter().filter_map(Package::rust_version).collect();
    let mut faults = Vec::new();
    for stated in stated {
        faults.extend(locked.newer_than(stated)?);
    }
    Ok(faults)
}

/// What cargo says of the workspace that this is run in.
fn metadata<M: DeserializeOwned>(arguments: &[&str]) -> Result<M, Box<dyn Error>> {
    let always = ["metadata", "--format-version=1"];
    let output = cargo(&[&always, arguments].concat())?;
    Ok(serde_json::from_slice(&output)?)
}

/// The target of this machine.
fn host() -> Result<String, Box<dyn Error>> {
    let version = String::from_utf8(cargo(&["--version", "--verbose"])?)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.ok_or("cargo does not name its host")?.to_owned())
}

fn cargo(arguments: &[&str]) -> Result<Vec<u8>, Box<dyn Error>> {
    let output = Command::new(env!("CARGO")).args(arguments).output()?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}
