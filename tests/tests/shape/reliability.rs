//! Each test that docs/reliability.md names exists, and each fault in it is shown by one.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::sources;

#[test]
fn each_test_that_the_page_on_reliability_names_exists() {
    let tests = tests();
    let page = page();
    let named = page.lines().flat_map(names);
    let absent: Vec<_> = named.filter(|name| !tests.contains(*name)).collect();
    assert!(
        absent.is_empty(),
        "docs/reliability.md names no tests: {absent:#?}"
    );
}

#[test]
fn each_fault_on_the_page_on_reliability_is_shown_by_a_test() {
    let page = page();
    let (_, faults) = page.split_once("\n## Faults\n").unwrap();
    let faults = faults.split("\n## ").next().unwrap();
    let lines: Vec<_> = faults.lines().collect();
    let is_row = |pair: &&[&str]| pair[0].starts_with("| ") && !pair[1].starts_with("|--");
    let rows: Vec<_> = lines
        .windows(2)
        .filter(is_row)
        .map(|pair| pair[0])
        .collect();
    assert!(rows.len() > 20, "{}", rows.len());
    let unshown: Vec<_> = rows
        .iter()
        .filter(|row| names(row).next().is_none())
        .collect();
    assert!(unshown.is_empty(), "{unshown:#?}");
}

/// The names of tests in a line: claims, which have many words. Metrics have the project's name in front.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|word| {
        let is_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        word.bytes().all(is_name) && word.matches('_').count() > 3 && !word.starts_with("atls_")
    })
}

fn tests() -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for (_, text) in sources::all() {
        let mut attributed = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[test") || line.starts_with("#[tokio::test") {
                attributed = true;
            } else if let Some((_, function)) = line.split_once("fn ")
                && attributed
            {
                let name = function.split('(').next().unwrap_or_default();
                tests.insert(name.to_owned());
                attributed = false;
            }
        }
    }
    tests
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md");
    fs::read_to_string(path).unwrap()
}
