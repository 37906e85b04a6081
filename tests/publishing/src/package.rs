//! A package, as `cargo metadata` tells of it, and what a registry and docs.rs want of one.

use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::front_page;

#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_root: PathBuf,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    name: String,
    manifest_path: PathBuf,
    /// Absent: to any registry. Empty: to none.
    publish: Option<Vec<String>>,
    description: Option<String>,
    documentation: Option<String>,
    license: Option<String>,
    readme: Option<PathBuf>,
    rust_version: Option<String>,
    keywords: Vec<String>,
    categories: Vec<String>,
    dependencies: Vec<Dependency>,
    #[serde(default)]
    targets: Vec<Target>,
    metadata: Value,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `*` where the manifest names none.
    req: String,
    kind: Option<String>,
    path: Option<PathBuf>,
}

impl Package {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_published(&self) -> bool {
        !self.publish.as_ref().is_some_and(Vec::is_empty)
    }

    /// The packages that must be in the registry before this one. Development dependencies without version are left out of a
    /// published manifest.
    pub(crate) fn registry_dependencies(&self) -> impl Iterator<Item = &str> {
        let kept = |on: &&Dependency| on.kind.as_deref() != Some("dev") || on.req != "*";
        self.dependencies
            .iter()
            .filter(kept)
            .map(|on| on.name.as_str())
    }

    /// The faults that a registry or docs.rs would object to, or show badly.
    pub(crate) fn faults(&self, workspace: &Path) -> Vec<String> {
        let mut faults = Vec::new();
        let mut demand = |holds: bool, what: &str| {
            if !holds {
                faults.push(format!("{}: {what}", self.name));
            }
        };
        let described = self.description.as_deref().unwrap_or_default();
        demand(
            !described.is_empty() && !described.ends_with('.'),
            "a description, without full stop",
        );
        demand(
            self.license.as_deref() == Some("MIT OR Apache-2.0"),
            "the workspace's licence",
        );
        demand(self.rust_version.is_some(), "the workspace's Rust version");
        let documentation = format!("https://docs.rs/{}", self.name);
        demand(
            self.documentation.as_ref() == Some(&documentation),
            "documentation at docs.rs",
        );
        demand(
            (1..=5).contains(&self.keywords.len()),
            "one to five keywords",
        );
        demand(
            self.keywords.iter().all(|word| is_keyword(word)),
            "keywords as crates.io takes them",
        );
        demand(
            (1..=5).contains(&self.categories.len()),
            "one to five categories",
        );
        demand(
            self.categories
                .iter()
                .all(|slug| CATEGORIES.contains(&slug.as_str())),
            "categories of crates.io; a new one goes on the list in tests/publishing",
        );
        let docs_rs = self.metadata.pointer("/docs/rs/all-features");
        demand(
            docs_rs == Some(&Value::Bool(true)),
            "all features on docs.rs",
        );
        demand(
            self.titled_readme(),
            "a README.md that opens with the package's name",
        );
        demand(
            self.front_pages_have_examples(),
            "a front page in its root with an example that is compiled",
        );
        for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
            demand(
                self.has(licence, workspace),
                &format!("{licence}, the same as the workspace's"),
            );
        }
        for on in self.dependencies.iter().filter(|on| on.path.is_some()) {
            // A test may need what is not published; everything else must be found in the registry.
            let found = on.kind.as_deref() == Some("dev") || on.req != "*";
            demand(found, &format!("a version beside the path of {}", on.name));
        }
        faults
    }

    fn titled_readme(&self) -> bool {
        let Some(readme) = &self.readme else {
            return false;
        };
        std::fs::read_to_string(self.folder().join(readme))
            .is_ok_and(|text| text.starts_with(&format!("# {}\n", self.name)))
    }

    /// A program has none: its page is its README.
    fn front_pages_have_examples(&self) -> bool {
        let is_library = |target: &&Target| target.kind.iter().any(|kind| kind == "lib");
        self.targets.iter().filter(is_library).all(|target| {
            std::fs::read_to_string(&target.src_path)
                .is_ok_and(|root| front_page::has_example(&root))
        })
    }

    /// The same file as the workspace.
    fn has(&self, file: &str, workspace: &Path) -> bool {
        match (
            std::fs::read(self.folder().join(file)),
            std::fs::read(workspace.join(file)),
        ) {
            (Ok(own), Ok(workspaces)) => own == workspaces,
            _ => false,
        }
    }

    fn folder(&self) -> &Path {
        self.manifest_path.parent().unwrap_or(&self.manifest_path)
    }
}

/// crates.io: ASCII, at most 20 characters, begins with a letter or digit.
fn is_keyword(word: &str) -> bool {
    let inside = |character: char| character.is_ascii_alphanumeric() || "+-_".contains(character);
    word.len() <= 20
        && word.starts_with(|first: char| first.is_ascii_alphanumeric())
        && word.chars().all(inside)
}

/// Those of crates.io that are used here.
const CATEGORIES: [&str; 4] = [
    "command-line-utilities",
    "cryptography",
    "network-programming",
    "web-programming",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_package_lacks_everything() {
        let bare = r#"{"name": "bare", "manifest_path": "/nowhere/Cargo.toml", "keywords": ["confidential-computing"],
            "categories": ["cryptography"], "metadata": null,
            "targets": [{"kind": ["lib"], "src_path": "/nowhere/src/lib.rs"}],
            "dependencies": [{"name": "near", "req": "*", "kind": null, "path": "/near"}]}"#;
        let bare: Package = serde_json::from_str(bare).unwrap();
        let faults = bare.faults(Path::new("/nowhere/else"));
        for lacking in [
            "description",
            "the workspace's licence",
            "Rust version",
            "docs.rs",
            "keywords as",
            "README.md",
            "an example that is compiled",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "beside the path of near",
        ] {
            assert!(
                faults.iter().any(|fault| fault.contains(lacking)),
                "{lacking}: {faults:?}"
            );
        }
    }
}
