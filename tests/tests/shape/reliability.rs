//! Each test that docs/reliability.md or docs/pitfalls.md names exists, and each fault in the first is shown by one.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use crate::sources;

#[test]
fn each_test_that_the_page_on_reliability_names_exists() {
    let tests = tests();
    let page = page("reliability");
    let named = page.lines().flat_map(names);
    let absent: Vec<_> = named.filter(|name| !tests.contains_key(*name)).collect();
    assert!(
        absent.is_empty(),
        "docs/reliability.md names no tests: {absent:#?}"
    );
}

#[test]
fn each_fault_on_the_page_on_reliability_is_shown_by_a_test() {
    let page = page("reliability");
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

/// Names may be of a module, `module::name`, and a `…` or `*` in them stands for anything.
#[test]
fn each_test_that_the_page_on_pitfalls_names_exists() {
    let tests = tests();
    let page = page("pitfalls");
    let quoted = page
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let is_name = |sign: char| matches!(sign, 'a'..='z' | '0'..='9' | '_' | ':' | '…' | '*');
    let is_named = |name: &&str| {
        let is_crate = name.starts_with("atls_");
        let is_long = name.contains("::") || name.matches('_').count() > 3;
        name.chars().all(is_name) && is_long && !is_crate
    };
    let named: Vec<_> = quoted.filter(is_named).collect();
    assert!(named.len() > 50, "{}", named.len());
    let absent: Vec<_> = named.iter().filter(|name| !exists(name, &tests)).collect();
    assert!(
        absent.is_empty(),
        "docs/pitfalls.md names no tests: {absent:#?}"
    );
}

#[test]
fn a_name_with_gaps_is_that_of_a_test_or_of_none() {
    let file = PathBuf::from("tests/tests/layers.rs");
    let tests = BTreeMap::from([("a_layer_of_another_is_none".to_owned(), vec![file])]);
    for (name, is_there) in [
        ("layers::a_layer_of_…", true),
        ("layers::*", true),
        ("…::a_layer_…_none", true),
        ("a_layer_of_another_is_none", true),
        ("orders::a_layer_of_…", false),
        ("layers::a_layer_of", false),
        ("layers::…_a_layer_…", false),
        ("layers::a_layer_…_some", false),
    ] {
        assert_eq!(exists(name, &tests), is_there, "{name}");
    }
}

fn exists(name: &str, tests: &BTreeMap<String, Vec<PathBuf>>) -> bool {
    let (module, name) = name.rsplit_once("::").unwrap_or(("…", name));
    let modules: Vec<_> = module.split("::").filter(|part| *part != "…").collect();
    let is_in = |path: &PathBuf| {
        let mut parts = modules.iter();
        parts.all(|module| path.with_extension("").iter().any(|part| part == *module))
    };
    let mut fitting = tests.iter().filter(|(test, _)| fits(test, name));
    fitting.any(|(_, paths)| paths.iter().any(is_in))
}

fn fits(test: &str, name: &str) -> bool {
    let mut parts = name.split(['…', '*']);
    let Some(mut rest) = parts.next().and_then(|start| test.strip_prefix(start)) else {
        return false;
    };
    let mut last = "";
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        last = part;
    }
    // What is behind the last gap is the end.
    match name.contains(['…', '*']) {
        true => test.ends_with(last),
        false => rest.is_empty(),
    }
}

/// The names of tests in a line: claims, which have many words. Metrics have the project's name in front.
fn names(line: &str) -> impl Iterator<Item = &str> {
    let quoted = line.split('`').skip(1).step_by(2);
    quoted.filter(|word| {
        let is_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
        word.bytes().all(is_name) && word.matches('_').count() > 3 && !word.starts_with("atls_")
    })
}

/// Each test with the files that have one of its name.
fn tests() -> BTreeMap<String, Vec<PathBuf>> {
    let mut tests = BTreeMap::<String, Vec<PathBuf>>::new();
    for (path, text) in sources::all() {
        let mut attributed = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("#[test") || line.starts_with("#[tokio::test") {
                attributed = true;
            } else if let Some((_, function)) = line.split_once("fn ")
                && attributed
            {
                let name = function.split('(').next().unwrap_or_default();
                tests.entry(name.to_owned()).or_default().push(path.clone());
                attributed = false;
            }
        }
    }
    tests
}

fn page(name: &str) -> String {
    let path = sources::root().join(format!("docs/{name}.md"));
    fs::read_to_string(path).unwrap()
}
