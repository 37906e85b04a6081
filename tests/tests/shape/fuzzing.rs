//! The table of parsers and fuzz targets names every target, and no other.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

#[test]
fn the_table_of_parsers_names_each_target_and_no_other() {
    let readme = text("README.md");
    let (_, table) = readme.split_once("\n## Targets\n").expect("the section");
    let (table, _) = table.split_once("\n## ").expect("the end of the section");
    let rows = table.lines().filter(|line| line.starts_with("| "));
    let cells = rows.filter_map(|row| row.trim_end_matches(" |").rsplit_once(" | "));
    let named: BTreeSet<_> = cells.flat_map(|(_, cell)| quoted(cell)).collect();
    assert_eq!(named, targets());
}

#[test]
fn each_target_is_compiled_and_has_seeds() {
    let manifest = text("Cargo.toml");
    let lines = manifest.lines();
    let compiled = lines.filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"));
    let compiled: BTreeSet<_> = compiled
        .map(|name| name.trim_end_matches(".rs\"").to_owned())
        .collect();
    assert_eq!(compiled, targets());
    for target in targets() {
        let seeds = fs::read_dir(folder().join("seeds").join(&target));
        assert!(
            seeds.is_ok_and(|mut seeds| seeds.next().is_some()),
            "{target}"
        );
    }
}

fn targets() -> BTreeSet<String> {
    let files = fs::read_dir(folder().join("fuzz_targets")).expect("a folder");
    let paths = files.map(|file| file.expect("an entry").path());
    paths
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into())
        .collect()
}

/// What stands between backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn text(file: &str) -> String {
    fs::read_to_string(folder().join(file)).expect("a text")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}
