//! Files that are wrong, and where they say so.

use atls_reference::ReferenceError;
use atls_reference::from_json;
use atls_reference::from_toml;

use crate::levels::syntax;
use crate::support::Example;
use crate::support::GOOD;
use crate::support::GOOD_JSON;

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
