//! The crates of others whose types stand in public names: a breaking version of one of them breaks ours.
//!
//! docs/upgrading.md lists them, by hand. So a new one is somebody's decision.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;
use std::path::Path;

use crate::libraries::Workspace;
use crate::listing::Listing;

/// # Errors
/// What the page lists and no library has, or the other way round.
pub(crate) fn with_page(
    workspace: &Workspace,
    now: &BTreeMap<String, Listing>,
) -> Result<(), Box<dyn Error>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/upgrading.md");
    let listed = on_page(&std::fs::read_to_string(page)?);
    let mut found = BTreeSet::new();
    for (library, listing) in now {
        let name = underscored(library);
        let promised = match workspace.with_testing.contains(library) {
            true => without_testing(listing.text(), &name),
            false => listing.text().to_owned(),
        };
        let crates = in_names(&promised).into_iter();
        found.extend(crates.map(|other| (other, name.clone())));
    }
    match differences(&listed, &found) {
        none if none.is_empty() => Ok(()),
        text => Err(text.into()),
    }
}

/// Of pairs of such a crate and a library of ours, both with underscores.
fn differences(listed: &BTreeSet<(String, String)>, found: &BTreeSet<(String, String)>) -> String {
    let mut text = String::new();
    for (other, library) in found.difference(listed) {
        // A `String` takes everything.
        let _ = writeln!(
            text,
            "{library} has types of {other} in its public names, which docs/upgrading.md does not list: hide them, or list it"
        );
    }
    for (other, library) in listed.difference(found) {
        let _ = writeln!(
            text,
            "docs/upgrading.md lists {other} for {library}, whose public names have none of its types"
        );
    }
    text
}

fn without_testing(names: &str, library: &str) -> String {
    let testing = format!("{library}::testing::");
    let promised = names.lines().filter(|line| !line.contains(&testing));
    promised.map(|line| format!("{line}\n")).collect()
}

/// The crates of others in the names of one library.
fn in_names(names: &str) -> BTreeSet<String> {
    let inside = |character: char| character.is_ascii_alphanumeric() || "_:".contains(character);
    names
        .split(move |character| !inside(character))
        // What a macro hides, nobody can name.
        .filter(|path| !path.contains("::__private"))
        .filter_map(|path| path.split_once("::"))
        .map(|(first, _)| first)
        // Generic parameters and `Self` begin with capitals, the rest of `<T as Trait>::Name` with nothing.
        .filter(|first| first.starts_with(|letter: char| letter.is_ascii_lowercase()))
        .filter(|first| !["alloc", "core", "std"].contains(first) && !first.starts_with("atls_"))
        .map(str::to_owned)
        .collect()
}

/// Rows of the table: a crate in the first cell, libraries in the second, each as code.
fn on_page(page: &str) -> BTreeSet<(String, String)> {
    let lines = page.lines().skip_while(|line| *line != HEADING).skip(1);
    let rows = lines
        .take_while(|line| !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once('|'))
        .flat_map(|(other, libraries)| {
            let other = other.split('`').next().unwrap_or_default();
            let libraries = libraries.split('`').skip(1).step_by(2);
            libraries.map(move |library| (underscored(other), underscored(library)))
        })
        .collect()
}

fn underscored(name: &str) -> String {
    name.replace('-', "_")
}

const HEADING: &str = "## Types of other crates";

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(&str, &str)]) -> BTreeSet<(String, String)> {
        let owned = |(other, library): &(&str, &str)| ((*other).to_owned(), (*library).to_owned());
        of.iter().map(owned).collect()
    }

    #[test]
    fn crates_are_found_wherever_their_types_stand() {
        let names = "\
pub fn atls_a::A::new(&'static rustls::crypto::CryptoProvider) -> core::result::Result<Self, std::io::error::Error>
impl<S> tower_service::Service<http::uri::Uri> for atls_a::A<S> where <S as axum::L>::Addr: core::marker::Send
pub type atls_a::A<S>::Response = S::Response
pub fn atls_a::A::b(&self) -> atls_b::B
";
        let expected = ["axum", "http", "rustls", "tower_service"].map(str::to_owned);
        assert_eq!(in_names(names), BTreeSet::from(expected));
    }

    #[test]
    fn names_that_macros_hide_do_not_count() {
        let names = "impl core::marker::Unpin for atls_a::A where pin_project_lite::__private::PinnedFieldsOf<A>: core::marker::Unpin";
        assert_eq!(in_names(names), BTreeSet::new());
    }

    #[test]
    fn names_for_tests_are_told_from_the_others() {
        let names = "\
pub fn atls_a::A::new(u8)
pub fn atls_a::testing::Forged::key(&self) -> &ring::ec::EcdsaKeyPair
";
        assert_eq!(
            without_testing(names, "atls_a"),
            "pub fn atls_a::A::new(u8)\n"
        );
    }

    #[test]
    fn a_row_of_the_page_has_a_crate_and_its_libraries() {
        let page = "\
| `other` | `atls-x` |

## Types of other crates

| crate | in the names of |
|---|---|
| `serde_core`, of `serde` | `atls-core`, `atls-tdx` |

## After

| `later` | `atls-y` |
";
        let expected = pairs(&[("serde_core", "atls_core"), ("serde_core", "atls_tdx")]);
        assert_eq!(on_page(page), expected);
    }

    #[test]
    fn a_type_that_is_not_listed_and_a_row_without_type_are_told() {
        let found = differences(
            &pairs(&[("axum", "atls_axum"), ("http", "atls_core")]),
            &pairs(&[("http", "atls_core"), ("ring", "atls_core")]),
        );
        let lines: Vec<_> = found.lines().collect();
        assert!(lines[0].starts_with("atls_core has types of ring"));
        assert!(lines[1].starts_with("docs/upgrading.md lists axum for atls_axum"));
        assert_eq!(lines.len(), 2);
    }
}
