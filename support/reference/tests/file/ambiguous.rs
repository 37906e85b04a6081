//! JSON that could be meant in two ways.

use std::collections::BTreeMap;

use atls_reference::FieldProblem;
use atls_reference::ReferenceError;
use atls_reference::Table;
use atls_reference::from_json;
use serde::Deserialize;

#[test]
fn a_key_that_stands_twice_is_refused_at_any_depth() {
    let good = read(r#"{"values":{"a":{"b":1,"c":2}}}"#);
    assert_eq!(good.unwrap().values["a"]["c"], 2);
    // Of these a map takes the last.
    for (table, field) in [
        (r#"{"values":{"a":{},"a":{}}}"#, "loose.values"),
        (r#"{"values":{"a":{"b":1,"b":2}}}"#, "loose.values.a"),
        (
            r#"{"values":{},"list":[{},{"b":1,"b":2}]}"#,
            "loose.list[1]",
        ),
    ] {
        let Err(ReferenceError::Syntax(error)) = read(table) else {
            panic!("{table}");
        };
        assert_eq!((error.line, error.field.as_str()), (1, field), "{table}");
        assert!(error.problem.starts_with("duplicate key"), "{error}");
    }
}

#[test]
fn a_null_is_no_field_that_was_left_out() {
    assert_eq!(read(r#"{"values":{}}"#).unwrap().most, None);
    assert_eq!(read(r#"{"values":{},"most":7}"#).unwrap().most, Some(7));
    let Err(ReferenceError::Syntax(error)) = read(r#"{"values":{},"most":null}"#) else {
        panic!("null was taken");
    };
    assert_eq!((error.line, error.field.as_str()), (1, "loose.most"));
    assert!(error.problem.contains("leave the field out"), "{error}");
}

#[test]
fn tables_of_others_are_not_looked_at() {
    let text = r#"{"version":1,"other":{"a":null,"b":1,"b":2},"loose":{"values":{}}}"#;
    assert!(from_json::<Loose>(text).is_ok());
}

fn read(table: &str) -> Result<Loose, ReferenceError> {
    from_json(&format!(r#"{{"version":1,"loose":{table}}}"#))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Loose {
    values: BTreeMap<String, BTreeMap<String, u8>>,
    #[serde(default)]
    most: Option<u8>,
    #[serde(default, rename = "list")]
    _list: Vec<BTreeMap<String, u8>>,
}

impl Table for Loose {
    const NAME: &'static str = "loose";

    fn check(&self) -> Result<(), FieldProblem> {
        Ok(())
    }
}
