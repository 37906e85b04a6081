//! Versions and tables that are missing, and the objections of a platform.

use atls_reference::FieldProblem;
use atls_reference::Format;
use atls_reference::ReferenceError;
use atls_reference::Table;
use atls_reference::from_text;
use atls_reference::from_toml;
use atls_reference::tables;
use serde::Deserialize;

use crate::levels::syntax;
use crate::support::Example;
use crate::support::GOOD;

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
