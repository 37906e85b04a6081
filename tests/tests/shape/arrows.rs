//! Dependencies point one way, as docs/architecture.md draws them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The floors, lowest first, and the floors that each may stand on. Two folders of one floor may depend on each other only where
/// the floor names itself. Tests and examples stand on everything and carry nothing.
const FLOORS: &[(&str, &[&str])] = &[
    ("atls-core", &[]),
    ("formats", &["atls-core"]),
    ("support", &["atls-core", "formats", "support"]),
    ("platforms", &["atls-core", "formats", "support"]),
    ("verifiers", &["atls-core", "formats", "support"]),
    ("atls-tower", &["atls-core"]),
    ("atls-axum", &["atls-core", "atls-tower"]),
    ("atls-reqwest", &["atls-core", "atls-tower"]),
    (
        "atls-cli",
        &[
            "atls-core",
            "formats",
            "support",
            "platforms",
            "verifiers",
            "atls-tower",
            "atls-axum",
            "atls-reqwest",
        ],
    ),
    ("examples", EVERYTHING),
    ("tests", EVERYTHING),
];

const EVERYTHING: &[&str] = &[
    "atls-core",
    "formats",
    "support",
    "platforms",
    "verifiers",
    "atls-tower",
    "atls-axum",
    "atls-reqwest",
    "examples",
    "tests",
];

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    let floors: BTreeMap<&str, &str> = packages
        .iter()
        .map(|package| (package.name.as_str(), package.floor.as_str()))
        .collect();
    let mut wrong = Vec::new();
    for package in &packages {
        for dependency in &package.dependencies {
            let on = floors
                .get(dependency.name.as_str())
                .expect("a path dependency of the workspace");
            if !may_stand_on(&package.floor, on, dependency.for_tests) {
                wrong.push(format!(
                    "{} ({}) → {} ({on})",
                    package.name, package.floor, dependency.name
                ));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_dependency_that_points_up_is_seen() {
    assert!(!may_stand_on("atls-core", "atls-tower", false));
    assert!(!may_stand_on("platforms", "platforms", false));
    assert!(!may_stand_on("platforms", "verifiers", false));
    assert!(!may_stand_on("formats", "support", false));
    assert!(!may_stand_on("atls-axum", "atls-reqwest", false));
    assert!(!may_stand_on("examples", "atls-cli", false));
    assert!(!may_stand_on("atls-tower", "tests", false));
    assert!(may_stand_on("atls-tower", "tests", true));
    assert!(may_stand_on("platforms", "support", false));
}

fn may_stand_on(floor: &str, on: &str, for_tests: bool) -> bool {
    // Tests of a lower floor may use a higher one: they are not published, and close no cycle.
    if for_tests {
        return true;
    }
    let (_, allowed) = FLOORS
        .iter()
        .find(|(name, _)| *name == floor)
        .unwrap_or_else(|| panic!("{floor} is a folder that docs/architecture.md does not draw"));
    allowed.contains(&on)
}

struct Package {
    name: String,
    floor: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    for_tests: bool,
}

fn packages() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo metadata failed");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON of cargo");
    let root = text(&metadata["workspace_root"]);
    let packages = metadata["packages"].as_array().expect("packages");
    packages.iter().map(|json| package(json, &root)).collect()
}

fn package(json: &Value, root: &str) -> Package {
    let manifest = text(&json["manifest_path"]);
    let inside = Path::new(&manifest)
        .strip_prefix(root)
        .expect("inside of the workspace");
    let floor = inside.iter().next().expect("a folder");
    let dependencies = json["dependencies"].as_array().expect("dependencies");
    Package {
        name: text(&json["name"]),
        floor: floor.to_string_lossy().into_owned(),
        dependencies: dependencies
            .iter()
            .filter(|dependency| dependency["path"].is_string())
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                for_tests: dependency["kind"] == "dev",
            })
            .collect(),
    }
}

fn text(json: &Value) -> String {
    json.as_str().expect("a string").to_owned()
}
