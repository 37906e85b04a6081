//! A package, as `cargo metadata` tells of it, and what a registry and docs.rs want of one.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::Value;

use crate::front_page;
use crate::readme;
use crate::readme::Closing;

#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) packages: Vec<Package>,
    pub(crate) workspace_root: PathBuf,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
    /// Absent: to any registry. Empty: to none.
    publish: Option<Vec<String>>,
    description: Option<String>,
    documentation: Option<String>,
    license: Option<String>,
    readme: Option<PathBuf>,
    repository: Option<String>,
    rust_version: Option<String>,
    keywords: Vec<String>,
    categories: Vec<String>,
    dependencies: Vec<Dependency>,
    #[serde(default)]
    features: BTreeMap<String, Vec<String>>,
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

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    pub(crate) fn rust_version(&self) -> Option<&str> {
        self.rust_version.as_deref()
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
        // docs.rs has nothing of a program.
        let documentation = format!("https://docs.rs/{}", self.name);
        let documentation = self.is_library().then_some(documentation);
        demand(
            self.documentation == documentation,
            "documentation at docs.rs, of a library alone",
        );
        demand(
            self.repository.as_deref().is_none_or(is_linkable),
            "a repository at GitHub or GitLab, without `.git` or slash at its end: front pages append to it",
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
            !self.is_library() || docs_rs == Some(&Value::Bool(true)),
            "all features on docs.rs",
        );
        let readme = self.readme_text();
        demand(
            readme.starts_with(&format!("# {}\n", self.name)),
            "a README.md that opens with the package's name",
        );
        let closing = self.closing(workspace);
        demand(
            readme.ends_with(&closing),
            &format!("a README.md that ends with these lines:{closing}"),
        );
        for target in readme::broken_links(&readme, self.folder()) {
            demand(false, &format!("README.md has a link to nothing: {target}"));
        }
        demand(
            self.front_pages(front_page::has_example),
            "a front page in its root with an example that is compiled",
        );
        demand(
            self.front_pages(|root| front_page::links_to_guides(root, workspace)),
            "a front page in its root with a link to a guide, and none to nothing",
        );
        demand(
            self.features.is_empty() || self.front_pages(front_page::shows_features),
            "`#![cfg_attr(docsrs, feature(doc_cfg))]` in its root, so that docs.rs shows which item needs which feature",
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
            let is_own = on.req == "*" || on.req == format!("^{}", self.version);
            demand(
                is_own,
                &format!("the version of the workspace for {}", on.name),
            );
        }
        faults
    }

    /// Empty where there is none.
    fn readme_text(&self) -> String {
        let readme = self.readme.iter();
        let mut texts =
            readme.filter_map(|file| std::fs::read_to_string(self.folder().join(file)).ok());
        texts.next().unwrap_or_default()
    }

    fn closing(&self, workspace: &Path) -> String {
        let depth = self.folder().strip_prefix(workspace);
        let depth = depth.map_or(0, |folder| folder.components().count());
        let closing = Closing {
            name: &self.name,
            is_library: self.is_library(),
            rust_version: self.rust_version.as_deref().unwrap_or_default(),
            license: self.license.as_deref().unwrap_or_default(),
            up: &"../".repeat(depth),
        };
        closing.text()
    }

    fn is_library(&self) -> bool {
        self.libraries().next().is_some()
    }

    fn libraries(&self) -> impl Iterator<Item = &Target> {
        let is_library = |target: &&Target| target.kind.iter().any(|kind| kind == "lib");
        self.targets.iter().filter(is_library)
    }

    /// Whether the root of the library is so. A program has no front page but its README.
    fn front_pages(&self, are_so: impl Fn(&str) -> bool) -> bool {
        self.libraries()
            .all(|target| std::fs::read_to_string(&target.src_path).is_ok_and(|root| are_so(&root)))
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

/// Whether front pages may append to it `/blob/v0.1.0/docs/…`. Empty while the owner has not named it, which `.ci/packages` tells.
fn is_linkable(repository: &str) -> bool {
    if repository.is_empty() {
        return true;
    }
    let hosts = ["https://github.com/", "https://gitlab.com/"];
    hosts.iter().any(|host| repository.starts_with(host))
        && !repository.ends_with('/')
        && !repository.ends_with(".git")
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
    fn a_repository_is_one_that_front_pages_can_append_to() {
        assert!(is_linkable("https://github.com/someone/atls"));
        for unfit in [
            "https://github.com/someone/atls/",
            "https://github.com/someone/atls.git",
            "https://example.org/atls",
            "git@github.com:someone/atls",
        ] {
            assert!(!is_linkable(unfit), "{unfit}");
        }
    }

    #[test]
    fn a_bare_package_lacks_everything() {
        let bare = r#"{"name": "bare", "version": "0.2.0", "manifest_path": "/nowhere/Cargo.toml", "keywords": ["confidential-computing"],
            "categories": ["cryptography"], "metadata": null,
            "targets": [{"kind": ["lib"], "src_path": "/nowhere/src/lib.rs"}],
            "dependencies": [{"name": "near", "req": "*", "kind": null, "path": "/near"},
                {"name": "old", "req": "^0.1.0", "kind": null, "path": "/old"}]}"#;
        let bare: Package = serde_json::from_str(bare).unwrap();
        let faults = bare.faults(Path::new("/nowhere/else"));
        for lacking in [
            "description",
            "the workspace's licence",
            "Rust version",
            "docs.rs",
            "keywords as",
            "opens with the package's name",
            "ends with these lines",
            "an example that is compiled",
            "a link to a guide",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "beside the path of near",
            "of the workspace for old",
        ] {
            assert!(
                faults.iter().any(|fault| fault.contains(lacking)),
                "{lacking}: {faults:?}"
            );
        }
    }
}
