//! The libraries that are published, and their documentation in JSON.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;

/// The published libraries of this workspace.
pub(crate) struct Workspace {
    pub(crate) names: Vec<String>,
    /// Those whose module `testing` is behind a feature, and promises nothing.
    pub(crate) with_testing: BTreeSet<String>,
    target: PathBuf,
}

impl Workspace {
    /// Where rustdoc leaves what it says of a library.
    pub(crate) fn json_of(&self, name: &str) -> PathBuf {
        let file = format!("{}.json", name.replace('-', "_"));
        self.target.join("doc").join(file)
    }
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    /// Absent: to any registry. Empty: to none.
    publish: Option<Vec<String>>,
    targets: Vec<Target>,
    features: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

pub(crate) fn published() -> Result<Workspace, Box<dyn Error>> {
    let metadata = run(cargo().args(["metadata", "--no-deps", "--offline", "--format-version=1"]))?;
    let metadata: Metadata = serde_json::from_slice(&metadata)?;
    let is_library = |package: &Package| {
        let mut kinds = package.targets.iter().flat_map(|target| &target.kind);
        kinds.any(|kind| kind == "lib")
    };
    let is_published =
        |package: &Package| !package.publish.as_ref().is_some_and(|to| to.is_empty());
    let mut packages = metadata.packages;
    packages.retain(|package| is_library(package) && is_published(package));
    let with_testing = packages
        .iter()
        .filter(|package| package.features.contains_key("testing"));
    Ok(Workspace {
        with_testing: with_testing.map(|package| package.name.clone()).collect(),
        names: packages.into_iter().map(|package| package.name).collect(),
        target: metadata.target_directory,
    })
}

/// Has rustdoc write JSON. The whole workspace: of a part of it the features would be others, and everything would be built again.
pub(crate) fn document(workspace: &Workspace) -> Result<(), Box<dyn Error>> {
    for name in &workspace.names {
        // One of before would be taken for one of now.
        let _ = std::fs::remove_file(workspace.json_of(name));
    }
    let rustdoc = Path::new(env!("CARGO_MANIFEST_DIR")).join("rustdoc");
    let mut documenting = cargo();
    documenting
        .args(["doc", "--quiet", "--workspace", "--all-features"])
        .args(["--no-deps", "--lib"])
        .env("RUSTDOC", rustdoc)
        .env("RUSTDOCFLAGS", "-Zunstable-options --output-format=json");
    run(&mut documenting).map(drop)
}

/// Without what the outer cargo says of this package: build scripts that heed it would run again, and what depends on them be compiled again.
fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let is_of_package = |start| name.to_string_lossy().starts_with(start);
        if ["CARGO_MANIFEST_", "CARGO_PKG_"]
            .into_iter()
            .any(is_of_package)
        {
            cargo.env_remove(name);
        }
    }
    cargo
}

fn run(command: &mut Command) -> Result<Vec<u8>, Box<dyn Error>> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(String::from_utf8_lossy(&output.stderr).into()),
    }
}
