//! The limits of a file.

use std::path::Path;

use atls_reference::Digest;
use atls_reference::FieldProblem;
use atls_reference::Format;
use atls_reference::MAX_FILE;
use atls_reference::MAX_TOML_MARKS;
use atls_reference::ReferenceError;
use atls_reference::Table;
use atls_reference::expect_tables;
use atls_reference::from_json;
use atls_reference::from_toml;
use atls_reference::tables;
use proptest::prelude::any;
use proptest::proptest;
use serde::Deserialize;

use crate::levels::syntax;
use crate::support::Example;
use crate::support::GOOD;
use crate::support::GOOD_JSON;

#[test]
fn a_file_larger_than_the_limit_is_refused() {
    let filler = "a".repeat(MAX_FILE - GOOD.len() - 1);
    let text = format!("{GOOD}#{filler}");
    assert!(from_toml::<Example>(&text).is_ok());
    for format in [Format::Toml, Format::Json] {
        let error = tables(&format!("{text}#"), format).unwrap_err();
        assert!(matches!(error, ReferenceError::TooLarge), "{error}");
    }
}

#[test]
fn a_toml_file_of_too_many_values_is_refused() {
    let marks = |text: &str| {
        let marks = text.bytes().filter(|byte| !byte.is_ascii_alphanumeric());
        marks.count()
    };
    let filler = "#".repeat(MAX_TOML_MARKS - marks(GOOD));
    let text = format!("{GOOD}{filler}");
    assert!(from_toml::<Example>(&text).is_ok());
    let error = from_toml::<Example>(&format!("{text}#")).unwrap_err();
    assert!(matches!(error, ReferenceError::TooLarge), "{error}");
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let json = format!("{{\"version\":1,\"x\":{}", "{\"a\":".repeat(500_000));
    assert!(tables(&json, Format::Json).is_err());
    let toml = format!("version = 1\nx = {}", "[".repeat(500_000));
    assert!(tables(&toml, Format::Toml).is_err());
    let toml = format!("version = 1\n[x{}]\n", ".a".repeat(500_000));
    assert!(tables(&toml, Format::Toml).is_err());
}

#[test]
fn tables_are_listed() {
    let text = "version = 1\n[tdx]\n[snp.firmware]\n[nitro]\n";
    assert_eq!(tables(text, Format::Toml).unwrap(), ["nitro", "snp", "tdx"]);
    assert_eq!(tables(GOOD_JSON, Format::Json).unwrap(), ["example"]);
}

#[test]
fn a_misspelt_table_is_an_error_where_the_application_says_which_it_uses() {
    let text = "version = 1\n[tdxx]\n[snp]\n";
    let error = expect_tables(text, Format::Toml, &["tdx", "snp"]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "file has a table [tdxx]; those in use are: tdx, snp"
    );
    let found = expect_tables(text, Format::Toml, &["tdxx", "snp", "nitro"]).unwrap();
    assert_eq!(found, ["snp", "tdxx"]);
}

#[test]
fn a_value_that_is_neither_version_nor_table_is_an_error() {
    for extra in ["debug = false", "measurements = []"] {
        let error = syntax(&format!("{extra}\n{GOOD}"));
        assert_eq!(error.line, 1, "{error}");
    }
}

#[test]
fn the_format_follows_the_name() {
    assert_eq!(Format::of(Path::new("a/b.json")), Format::Json);
    assert_eq!(Format::of(Path::new("a/b.toml")), Format::Toml);
    assert_eq!(Format::of(Path::new("json")), Format::Toml);
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Anything {}

impl Table for Anything {
    const NAME: &'static str = "x";

    fn check(&self) -> Result<(), FieldProblem> {
        Ok(())
    }
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".{0,200}", head in any::<bool>()) {
        let text = if head { format!("version = 1\n[x]\n{text}") } else { text };
        let _ = from_toml::<Anything>(&text).map_err(|error| error.to_string());
        let _ = from_json::<Anything>(&text).map_err(|error| error.to_string());
    }

    #[test]
    fn digests_survive_hexadecimal(bytes in any::<[u8; 16]>()) {
        let digest = Digest::from(bytes);
        assert_eq!(Digest::from_hex(&digest.to_string()), Some(digest));
        assert_eq!(Digest::from_hex(&digest.to_string().to_uppercase()), Some(digest));
    }
}

#[test]
fn every_truncation_is_an_error_or_a_shorter_file() {
    for end in 0..GOOD_JSON.trim_end().len() {
        assert!(from_json::<Example>(&GOOD_JSON[..end]).is_err(), "{end}");
        let _ = from_toml::<Example>(GOOD.get(..end).unwrap_or(""));
    }
}
