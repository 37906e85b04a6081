//! The fields of a document.

use atls_formats::nitro::DocumentError;
use ciborium::Value;

use crate::documents::altered;
use crate::documents::field;
use crate::documents::pcrs;

const REQUIRED: [&str; 6] = [
    "module_id",
    "digest",
    "timestamp",
    "pcrs",
    "certificate",
    "cabundle",
];

const OPTIONAL: [&str; 3] = ["public_key", "user_data", "nonce"];

#[test]
fn a_document_is_read_with_and_without_its_optional_fields() {
    assert!(altered(|_| {}).is_ok());
    for name in OPTIONAL {
        assert!(altered(|fields| *field(fields, name) = Value::Null).is_ok());
        assert!(altered(|fields| fields.retain(|(key, _)| *key != name.into())).is_ok());
    }
}

#[test]
fn every_field_is_there_once_and_has_its_type() {
    for name in REQUIRED {
        let wrong = Err(DocumentError::Field(name));
        assert_eq!(
            altered(|fields| fields.retain(|(key, _)| *key != name.into())),
            wrong
        );
        assert_eq!(
            altered(|fields| *field(fields, name) = Value::Null),
            wrong,
            "{name}"
        );
    }
    for name in [&REQUIRED[..], &OPTIONAL].concat() {
        let mistyped = altered(|fields| *field(fields, name) = Value::Bool(true));
        assert_eq!(mistyped, Err(DocumentError::Field(name)));
        let repeated = altered(|fields| {
            let value = field(fields, name).clone();
            fields.push((name.into(), value));
        });
        assert_eq!(repeated, Err(DocumentError::UnknownField), "{name}");
    }
}

/// AWS's root also vouches for what a NitroTPM says of an ordinary instance, over any nonce and key that its owner likes.
#[test]
fn an_unknown_field_is_refused_such_as_that_of_a_nitro_tpm() {
    for key in [
        "debug".into(),
        "nitrotpm_pcrs".into(),
        1.into(),
        Value::Null,
    ] {
        let unknown = altered(|fields| fields.push((key, Value::Map(pcrs(&[0, 1, 2])))));
        assert_eq!(unknown, Err(DocumentError::UnknownField));
    }
    let instead = altered(|fields| {
        let registers = fields.iter_mut().find(|(key, _)| *key == "pcrs".into());
        registers.unwrap().0 = "nitrotpm_pcrs".into();
    });
    assert_eq!(instead, Err(DocumentError::Field("pcrs")));
}

#[test]
fn every_field_is_within_its_bounds() {
    let bytes = |length| Value::Bytes(vec![7; length]);
    let bundle = |lengths: &[usize]| Value::Array(lengths.iter().copied().map(bytes).collect());
    for (name, value, is_good) in [
        ("module_id", "".into(), false),
        ("digest", "SHA256".into(), false),
        ("digest", "SHA512".into(), false),
        ("digest", "sha384".into(), false),
        ("timestamp", 0.into(), false),
        ("timestamp", (-1).into(), false),
        ("timestamp", Value::Float(1e12), false),
        ("timestamp", Value::Tag(2, Box::new(bytes(9))), false),
        ("certificate", bytes(0), false),
        ("certificate", bytes(1), true),
        ("certificate", bytes(1024), true),
        ("certificate", bytes(1025), false),
        ("cabundle", bundle(&[]), false),
        ("cabundle", bundle(&[600; 7]), true),
        ("cabundle", bundle(&[600; 8]), false),
        ("cabundle", bundle(&[0]), false),
        ("cabundle", bundle(&[1025]), false),
        ("cabundle", Value::Array(vec!["text".into()]), false),
        ("public_key", bytes(0), false),
        ("public_key", bytes(1024), true),
        ("public_key", bytes(1025), false),
        ("user_data", bytes(0), true),
        ("user_data", bytes(512), true),
        ("user_data", bytes(513), false),
        ("nonce", bytes(0), true),
        ("nonce", bytes(512), true),
        ("nonce", bytes(513), false),
    ] {
        let shown = format!("{name}: {value:?}");
        let read = altered(|fields| *field(fields, name) = value);
        let expected = is_good.then_some(()).ok_or(DocumentError::Field(name));
        assert_eq!(read, expected, "{shown}");
    }
}

#[test]
fn registers_are_counted_measured_and_complete() {
    let register = |index: i32, length| (Value::from(index), Value::Bytes(vec![0xc0; length]));
    let wrong = Err(DocumentError::Field("pcrs"));
    for one in [
        register(-1, 48),
        register(32, 48),
        register(256, 48),
        register(2, 48),
        register(16, 0),
        register(16, 32),
        register(16, 47),
        register(16, 49),
        register(16, 64),
        ("16".into(), Value::Bytes(vec![0; 48])),
        (16.into(), Value::Null),
    ] {
        let shown = format!("{one:?}");
        let read = altered(|fields| field(fields, "pcrs").as_map_mut().unwrap().push(one));
        assert_eq!(read, wrong, "{shown}");
    }
    for incomplete in [&[1, 2][..], &[0, 2], &[0, 1], &[]] {
        let read = altered(|fields| *field(fields, "pcrs") = Value::Map(pcrs(incomplete)));
        assert_eq!(read, wrong, "{incomplete:?}");
    }
    let backwards: Vec<u8> = (0..32).rev().collect();
    let all = altered(|fields| *field(fields, "pcrs") = Value::Map(pcrs(&backwards)));
    assert_eq!(all, Ok(()), "32 registers in any order");
}
