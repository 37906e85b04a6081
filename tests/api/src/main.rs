//! The public names of every published library: compares them with docs/api, or writes them there.
//!
//! ```text
//! cargo run -p api
//! cargo run -p api -- --write
//! ```
//!
//! So a change of what users may rely on is seen in review. Implementations that the compiler derives, and those for all types, are
//! left out. The crates of others whose types stand in the names must be those that docs/upgrading.md lists.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr, reason = "it is a program for a terminal")]

mod compared;
mod foreign;
mod libraries;
mod listing;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use libraries::Workspace;
use listing::Listing;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let ended = match *arguments {
        [] => check(),
        ["--write"] => libraries::published()
            .and_then(|workspace| listings(&workspace))
            .and_then(|now| write(&now)),
        _ => Err("usage: cargo run -p api [-- --write]".into()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            let is_other = error.is::<listing::OtherFormat>();
            ExitCode::from(if is_other { NOT_CHECKED } else { 1 })
        }
    }
}

/// Both checks are made, whatever the first says.
fn check() -> Result<(), Box<dyn Error>> {
    let workspace = libraries::published()?;
    let now = listings(&workspace)?;
    let files = compared::with_files(&now);
    match (files, foreign::with_page(&workspace, &now)) {
        (Err(files), Err(page)) => Err(format!("{files}\n{page}").into()),
        (files, page) => files.and(page),
    }
}

/// By the name of the package.
fn listings(workspace: &Workspace) -> Result<BTreeMap<String, Listing>, Box<dyn Error>> {
    libraries::document(workspace)?;
    let read = |name: &String| {
        let json = workspace.json_of(name);
        Ok((name.clone(), Listing::read(&json)?))
    };
    workspace.names.iter().map(read).collect()
}

fn write(now: &BTreeMap<String, Listing>) -> Result<(), Box<dyn Error>> {
    let folder = folder();
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder)?;
    for (name, listing) in now {
        std::fs::write(folder.join(format!("{name}.txt")), listing.text())?;
    }
    Ok(())
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api")
}

/// What `.ci/run` takes for a check that cannot be made on this machine.
const NOT_CHECKED: u8 = 77;
