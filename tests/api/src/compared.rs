//! The names of now beside those in the files.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;

use crate::folder;
use crate::listing::Listing;

/// # Errors
/// What differs.
pub(crate) fn with_files(now: &BTreeMap<String, Listing>) -> Result<(), Box<dyn Error>> {
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder())? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        files.insert(name, std::fs::read_to_string(path)?);
    }
    match differences(&files, now) {
        none if none.is_empty() => Ok(()),
        found => Err(format!("{found}{HELP}").into()),
    }
}

fn differences(files: &BTreeMap<String, String>, now: &BTreeMap<String, Listing>) -> String {
    let mut found = String::new();
    let names: BTreeSet<_> = files.keys().chain(now.keys()).collect();
    for name in names {
        let old = files.get(name).map_or("", String::as_str);
        let new = now.get(name).map_or("", Listing::text);
        let (was, is): (BTreeSet<_>, BTreeSet<_>) = (old.lines().collect(), new.lines().collect());
        for (mark, lines) in [('-', was.difference(&is)), ('+', is.difference(&was))] {
            for line in lines {
                // A `String` takes everything.
                let _ = writeln!(found, "{name}: {mark} {line}");
            }
        }
    }
    found
}

const HELP: &str = "docs/api has other public names than the libraries. Write them by `cargo run -p api -- --write`, and see whether the \
                    version may change so: docs/upgrading.md";

#[cfg(test)]
mod tests {
    use super::*;

    fn differing(file: &[(&str, &str)], now: &[(&str, &str)]) -> String {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        let listed = |(name, text): &(&str, &str)| ((*name).to_owned(), Listing::of(text));
        let files = file.iter().map(owned).collect();
        differences(&files, &now.iter().map(listed).collect())
    }

    #[test]
    fn names_that_come_and_go_are_told() {
        let found = differing(
            &[("a", "pub fn a\npub fn b\n")],
            &[("a", "pub fn b\npub fn c\n")],
        );
        assert_eq!(found, "a: - pub fn a\na: + pub fn c\n");
    }

    #[test]
    fn a_library_without_file_and_a_file_without_library_are_told() {
        let found = differing(&[("gone", "pub fn a\n")], &[("new", "pub fn b\n")]);
        assert_eq!(found, "gone: - pub fn a\nnew: + pub fn b\n");
    }

    #[test]
    fn the_same_names_differ_in_nothing() {
        let same = [("a", "pub fn a\n")];
        assert_eq!(differing(&same, &same), "");
    }
}
