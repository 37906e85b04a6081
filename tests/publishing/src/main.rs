//! Checks that every package of this workspace can be published, and prints in which order: one name a line, each after those
//! that it depends on. Fails with all faults that it found.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "the order is its output")]
#![allow(clippy::print_stderr, reason = "the faults are its output")]

mod front_page;
mod order;
mod package;

use std::error::Error;
use std::process::Command;
use std::process::ExitCode;

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
    let metadata = metadata()?;
    let workspace = &metadata.workspace_root;
    let mut packages = metadata.packages;
    packages.retain(Package::is_published);
    let mut faults: Vec<_> = packages
        .iter()
        .flat_map(|package| package.faults(workspace))
        .collect();
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

/// The metadata of the workspace that this is run in.
fn metadata() -> Result<Metadata, Box<dyn Error>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
