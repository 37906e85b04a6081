//! Files that are right, and what is said of those that are wrong.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::path::Path;

use atls_reference::Digest;
use atls_reference::FieldProblem;
use atls_reference::Format;
use atls_reference::MAX_FILE;
use atls_reference::MAX_TOML_MARKS;
use atls_reference::ReferenceError;
use atls_reference::SyntaxError;
use atls_reference::Table;
use atls_reference::expect_tables;
use atls_reference::from_json;
use atls_reference::from_text;
use atls_reference::from_toml;
use atls_reference::tables;
use proptest::prelude::any;
use proptest::proptest;
use serde::Deserialize;
use support::Example;
use support::GOOD;
use support::GOOD_JSON;

#[test]
fn both_formats_have_the_same_meaning() {
    let example: Example = from_toml(GOOD).unwrap();
    assert_eq!(example.image.len(), 1);
    assert_eq!(
        example.image[0].measurement,
        Digest::from([0, 1, 2, 3, 0xa, 0xb, 0xc, 0xd])
    );
    assert_eq!(from_json::<Example>(GOOD_JSON).unwrap(), example);
}

#[test]
fn a_file_holds_tables_of_other_platforms() {
    let text = GOOD.replace("[example]", "[other]\nwhatever = [1, { a = 2 }]\n[example]");
    assert_eq!(
        from_toml::<Example>(&text).unwrap(),
        from_toml(GOOD).unwrap()
    );
}

// --- What is wrong, and where ------------------------------------------------------------------------------------------

#[test]
fn an_unknown_field_is_named_with_its_line() {
    let text = GOOD.replace("name =", "nmae =");
    let error = syntax(&text);
    assert_eq!((error.line, error.column), (7, 1));
    assert_eq!(error.field, "example.image[0].nmae");
    assert!(error.problem.contains("unknown field `nmae`"), "{error}");
}

#[test]
fn a_digest_of_another_length_is_named_with_its_line() {
    for wrong in [
        "000102030a0b0c",
        "000102030a0b0c0",
        "000102030a0b0c0d0e",
        "",
        "0x0102030a0b0c0d",
    ] {
        let error = syntax(&GOOD.replace("000102030A0b0c0d", wrong));
        assert_eq!((error.line, error.column), (8, 15), "{error}");
        assert_eq!(error.field, "example.image[0].measurement");
        assert!(
            error.problem.contains("16 hexadecimal digits"),
            "{}",
            error.problem
        );
    }
}

#[test]
fn a_value_of_another_type_is_named_with_its_line() {
    let error = syntax(&GOOD.replace("debug = false", "debug = \"false\""));
    assert_eq!((error.line, error.column), (4, 9), "{error}");
    assert_eq!(error.field, "example.debug");
    assert!(error.problem.contains("expected a boolean"), "{error}");
}

#[test]
fn a_missing_field_is_named_with_the_line_of_its_table() {
    let error = syntax(&GOOD.replace("debug = false", ""));
    assert_eq!(error.line, 3, "{error}");
    assert_eq!(error.field, "example");
    assert_eq!(error.problem, "missing field `debug`");
}

#[test]
fn text_that_is_no_toml_is_named_with_its_line() {
    let error = syntax(&GOOD.replace("debug = false", "debug = = false"));
    assert_eq!((error.line, error.column), (4, 9), "{error}");
}

#[test]
fn a_table_that_stands_twice_is_named_with_its_line() {
    let error = syntax(&format!("{GOOD}\n[example]\ndebug = true\n"));
    assert_eq!(error.line, 10, "{error}");
    assert!(error.problem.contains("duplicate key"), "{error}");
}

#[test]
fn json_errors_have_line_and_field_too() {
    for (from, to, line, field, problem) in [
        (
            "\"debug\": false",
            "\"debug\": 0",
            4,
            "example.debug",
            "expected a boolean",
        ),
        (
            "0a0b0c0d",
            "0a0b0c",
            7,
            "example.image[0].measurement",
            "16 hexadecimal digits",
        ),
        (
            "\"name\"",
            "\"nmae\"",
            6,
            "example.image[0].nmae",
            "unknown field `nmae`",
        ),
        (
            "\"debug\": false,",
            "",
            10,
            "example",
            "missing field `debug`",
        ),
        (
            "\"debug\": false,",
            "\"debug\": false, \"debug\": true,",
            4,
            "example",
            "duplicate field `debug`",
        ),
        (
            "\"example\":",
            "\"example\": {\"debug\": true, \"image\": []}, \"example\":",
            11,
            "",
            "duplicate key `example`",
        ),
        ("\"version\": 1", "\"version\": 1,,", 2, "", ""),
        (
            "\"version\": 1",
            "\"version\": \"1\"",
            2,
            "version",
            "expected u64",
        ),
        (
            "\"version\": 1,",
            "\"version\": 1, \"version\": 1,",
            2,
            "",
            "duplicate key `version`",
        ),
    ] {
        let text = GOOD_JSON.replacen(from, to, 1);
        assert_ne!(text, GOOD_JSON);
        let ReferenceError::Syntax(error) = from_json::<Example>(&text).unwrap_err() else {
            panic!("another error for {to}");
        };
        assert_eq!(error.line, line, "{error}");
        assert_eq!(error.field, field, "{error}");
        assert!(error.problem.contains(problem), "{error}");
        assert!(!error.problem.contains(" at line "), "{error}");
    }
}

#[test]
fn bytes_after_the_json_are_an_error() {
    let error = from_json::<Example>(&format!("{GOOD_JSON} x")).unwrap_err();
    assert!(matches!(error, ReferenceError::Syntax(_)), "{error}");
}

#[test]
fn the_text_of_an_error_says_place_field_and_problem() {
    let error = from_toml::<Example>(&GOOD.replace("debug = false", "debug = 7")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 4, column 9: example.debug: invalid type: integer `7`, expected a boolean"
    );
}

#[test]
fn columns_count_characters() {
    let text = GOOD.replace("name = \"payments\"", "name = \"zahlung-ü\", x = 1");
    let error = syntax(&text);
    assert_eq!((error.line, error.column), (7, 19), "{error}");
}

#[test]
fn a_file_without_the_table_is_an_error() {
    for text in ["version = 1", "version = 1\n[exmaple]\ndebug = false"] {
        let error = from_toml::<Example>(text).unwrap_err();
        assert!(
            matches!(error, ReferenceError::Missing("example")),
            "{error}"
        );
    }
}

#[test]
fn a_file_without_version_is_an_error() {
    for text in [GOOD.replace("version = 1", ""), String::new()] {
        assert_eq!(syntax(&text).problem, "missing field `version`");
    }
    let error = syntax(&GOOD.replace("version", "verison"));
    assert_eq!((error.line, &*error.field), (1, "verison"), "{error}");
}

#[test]
fn another_version_is_told_even_where_its_fields_are_unknown() {
    let text = GOOD
        .replace("version = 1", "version = 2")
        .replace("debug", "debugging");
    for version in ["0", "2", "18446744073709551615"] {
        let text = text.replace("version = 2", &format!("version = {version}"));
        match from_toml::<Example>(&text) {
            Err(ReferenceError::Version(found)) => assert_eq!(found.to_string(), version),
            // TOML's integers end at 2^63.
            Err(ReferenceError::Syntax(error)) => assert_eq!(error.line, 1, "{error}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        tables("version = 2", Format::Toml),
        Err(ReferenceError::Version(2))
    ));
}

#[test]
fn an_objection_of_a_platform_has_its_words() {
    let error = from_toml::<Example>("version = 1\nexample = { debug = false }").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2, column 11: table [example]: image: no image is accepted; add [[example.image]]"
    );
    let error = from_toml::<Example>("version = 1\n\n[example]\ndebug = false").unwrap_err();
    assert!(
        error.to_string().starts_with("line 3, column 1: table"),
        "{error}"
    );
}

#[test]
fn an_objection_to_a_field_has_its_line() {
    let toml = r#"version = 1
[other]
level = 0
[levels]
least.level = 1
[[levels.step]]
level = 1
[[levels.step]]
name = "ü"
level = 0
"#;
    let inline = r#"version = 1
levels = { least = { level = 1 }, step = [
  { level = 1 },
  { name = "ü", level = 0 },
] }
"#;
    let json = r#"{
  "version": 1,
  "levels": {
    "least": { "level": 1 },
    "step": [
      { "level": 1 },
      {
        "level": 0
      }
    ]
  }
}"#;
    for (text, format, place) in [
        (toml, Format::Toml, (10, 9)),
        (inline, Format::Toml, (4, 25)),
        (json, Format::Json, (8, 17)),
    ] {
        assert_eq!(meaning(text, format), (place, "step[1].level".to_owned()));
    }
    let least = toml.replace("least.level = 1", "least.level = 0");
    let expected = ((5, 15), "least.level".to_owned());
    assert_eq!(meaning(&least, Format::Toml), expected);
    // Left out, it has the line of what it is missing from.
    let absent = toml.replace("level = 0\n", "").replace("[other]\n", "");
    let ((line, _), field) = meaning(&absent, Format::Toml);
    assert_eq!((line, &*field), (6, "step[1].level"));
}

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

// --- Names of tables ---------------------------------------------------------------------------------------------------

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

// --- Anything ----------------------------------------------------------------------------------------------------------

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Anything {}

impl Table for Anything {
    const NAME: &'static str = "x";

    fn check(&self) -> Result<(), FieldProblem> {
        Ok(())
    }
}

/// A table that objects to a level of zero.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Levels {
    least: Step,
    step: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(default)]
    level: u8,
    #[serde(default, rename = "name")]
    _name: String,
}

impl Table for Levels {
    const NAME: &'static str = "levels";

    fn check(&self) -> Result<(), FieldProblem> {
        let check = |step: &Step, outer: String| match step.level {
            0 => Err(FieldProblem::new("level", "zero").within(&outer)),
            _ => Ok(()),
        };
        check(&self.least, "least".to_owned())?;
        let mut steps = self.step.iter().enumerate();
        steps.try_for_each(|(index, step)| check(step, format!("step[{index}]")))
    }
}

fn meaning(text: &str, format: Format) -> ((usize, usize), String) {
    match from_text::<Levels>(text, format) {
        Err(ReferenceError::Meaning {
            line,
            column,
            field,
            ..
        }) => ((line, column), field),
        other => panic!("{other:?}"),
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

fn syntax(text: &str) -> SyntaxError {
    match from_toml::<Example>(text) {
        Err(ReferenceError::Syntax(error)) => error,
        other => panic!("{other:?}"),
    }
}
