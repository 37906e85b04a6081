//! Nitro documents: each rule of the form, with a case that breaks it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use allocation::hostile;
use allocation::on_small_stack;
use atls_formats::nitro::Document;
use atls_formats::nitro::DocumentError;
use atls_formats::nitro::SignedDocument;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use coset::CoseSign1Builder;
use coset::Header;
use coset::HeaderBuilder;
use coset::ProtectedHeader;
use coset::TaggedCborSerializable;
use coset::iana::Algorithm;
use proptest::prelude::*;

type Fields = Vec<(Value, Value)>;

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

#[test]
fn the_envelope_is_exactly_that_of_the_security_module() {
    let es384 = || HeaderBuilder::new().algorithm(Algorithm::ES384);
    let with = |protected: Header, unprotected: Header| {
        let sign1 = CoseSign1 {
            protected: ProtectedHeader {
                original_data: None,
                header: protected,
            },
            unprotected,
            payload: Some(content(fields())),
            signature: vec![9; 96],
        };
        decode(&sign1.to_vec().unwrap())
    };
    assert_eq!(with(es384().build(), Header::default()), Ok(()));
    for protected in [
        Header::default(),
        HeaderBuilder::new().algorithm(Algorithm::ES256).build(),
        HeaderBuilder::new().algorithm(Algorithm::ES512).build(),
        es384().key_id(b"key".to_vec()).build(),
        es384().value(4242, Value::Null).build(),
    ] {
        let refused = with(protected, Header::default());
        assert_eq!(refused, Err(DocumentError::Envelope));
    }
    let unprotected = with(es384().build(), es384().build());
    assert_eq!(unprotected, Err(DocumentError::Envelope));

    let mut sign1 = CoseSign1::from_slice(&document()).unwrap();
    let tagged = sign1.clone().to_tagged_vec().unwrap();
    assert_eq!(decode(&tagged), Err(DocumentError::Envelope), "tag 18");
    let trailing = [&document()[..], &[0xf6]].concat();
    assert_eq!(decode(&trailing), Err(DocumentError::Envelope));
    sign1.payload = None;
    let detached = sign1.to_vec().unwrap();
    assert_eq!(decode(&detached), Err(DocumentError::Envelope));
}

/// The signature does not cover the lengths in the frame.
#[test]
fn a_frame_in_another_encoding_is_refused() {
    let document = document();
    let payload = content(fields());
    let head = b"\x84\x44\xa1\x01\x38\x22\xa0";
    let signature = &document[document.len() - 98..];
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    let frame = |prefix: &[u8], suffix: &[u8]| {
        [head, prefix, &length, &payload, suffix, signature].concat()
    };
    assert_eq!(frame(&[0x59], &[]), document);
    let longer_length = frame(&[0x5a, 0, 0], &[]);
    let in_pieces = frame(&[0x5f, 0x40, 0x40, 0x59], &[0xff]);
    let array = [&[0x9f], &document[1..], &[0xff]].concat();
    for altered in [longer_length, in_pieces, array] {
        assert!(CoseSign1::from_slice(&altered).is_ok());
        assert_eq!(decode(&altered), Err(DocumentError::Envelope));
    }
}

#[test]
fn a_document_of_more_than_16_kib_is_refused() {
    let named = |length| {
        let mut fields = fields();
        *field(&mut fields, "module_id") = "i".repeat(length).into();
        frame(content(fields))
    };
    let rest = named(1000).len() - 1000;
    let largest = named(16 * 1024 - rest);
    assert_eq!(largest.len(), 16 * 1024);
    assert_eq!(decode(&largest), Ok(()));
    let larger = named(16 * 1024 - rest + 1);
    assert_eq!(decode(&larger), Err(DocumentError::TooLarge));
}

#[test]
fn nesting_is_bounded_at_16() {
    // {"nonce": [[[[…
    let nested = |depth| [&b"\xa1\x65nonce"[..], &[0x81].repeat(depth), &[0xf6]].concat();
    let read = |depth| Document::decode(&nested(depth)).map(drop);
    assert_eq!(read(15), Err(DocumentError::Field("digest")));
    assert_eq!(read(16), Err(DocumentError::Content));
}

#[test]
fn bombs_are_refused() {
    let huge = b"\x7f\xff\xff\xff\xff\xff\xff\xff";
    for bytes in [
        vec![0x81; 16_000],
        vec![0xa1; 16_000],
        vec![0xd2; 16_000],
        vec![0x9f; 16_000],
        // Arrays, maps and strings that say they have 2^63 elements.
        [&[0x9b], &huge[..]].concat(),
        [&[0xbb], &huge[..]].concat(),
        [&[0x5b], &huge[..]].concat(),
        [b"\xa1\x65nonce\x5b", &huge[..]].concat(),
        [b"\x84\x44\xa1\x01\x38\x22\xa0\x5b", &huge[..]].concat(),
        Vec::new(),
    ] {
        assert_eq!(decode(&bytes), Err(DocumentError::Envelope));
        assert_eq!(
            Document::decode(&bytes).map(drop),
            Err(DocumentError::Content)
        );
        assert_eq!(decode(&frame(bytes)), Err(DocumentError::Content));
    }
}

/// As in the test of `atls-core` of this name, in the unprotected header.
#[test]
fn nested_countersignatures_do_not_overflow_the_stack() {
    for length in [100, 4000, 15_000] {
        for header in hostile::countersigned(length) {
            let start = [0x84, 0x44, 0xa1, 0x01, 0x38, 0x22];
            let end = [&[0x41, 0xa0, 0x58, 96][..], &[0; 96]].concat();
            let document = [&start[..], &header.bytes, &end].concat();
            let read = on_small_stack(&header.name, || decode(&document));
            assert_eq!(read, Err(DocumentError::Envelope), "{}", header.name);
        }
    }
}

#[test]
fn every_truncation_is_refused() {
    let document = document();
    for length in 0..document.len() {
        assert!(decode(&document[..length]).is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(decode(&bytes).is_err());
        prop_assert!(Document::decode(&bytes).is_err());
        prop_assert!(decode(&frame(bytes)).is_err());
    }
}

// --- Helpers -----------------------------------------------------------------------------------------------------------

fn decode(bytes: &[u8]) -> Result<(), DocumentError> {
    SignedDocument::decode(bytes).map(drop)
}

/// Reads a document that is good but for what is altered.
fn altered(alter: impl FnOnce(&mut Fields)) -> Result<(), DocumentError> {
    let mut fields = fields();
    alter(&mut fields);
    decode(&frame(content(fields)))
}

fn document() -> Vec<u8> {
    frame(content(fields()))
}

fn frame(payload: Vec<u8>) -> Vec<u8> {
    let protected = HeaderBuilder::new().algorithm(Algorithm::ES384).build();
    let sign1 = CoseSign1Builder::new()
        .protected(protected)
        .payload(payload)
        .signature(vec![9; 96]);
    sign1.build().to_vec().unwrap()
}

fn content(fields: Fields) -> Vec<u8> {
    Value::Map(fields).to_vec().unwrap()
}

fn fields() -> Fields {
    let bytes = |length| Value::Bytes(vec![7; length]);
    vec![
        ("module_id".into(), "i-0forged-enc0forged".into()),
        ("digest".into(), "SHA384".into()),
        ("timestamp".into(), 1_800_000_000_000_u64.into()),
        ("pcrs".into(), Value::Map(pcrs(&[0, 1, 2, 4]))),
        ("certificate".into(), bytes(600)),
        ("cabundle".into(), Value::Array(vec![bytes(600); 4])),
        ("public_key".into(), bytes(91)),
        ("user_data".into(), bytes(1)),
        ("nonce".into(), bytes(32)),
    ]
}

fn pcrs(indices: &[u8]) -> Fields {
    let register = |index: &u8| ((*index).into(), Value::Bytes(vec![*index; 48]));
    indices.iter().map(register).collect()
}

fn field<'a>(fields: &'a mut Fields, name: &str) -> &'a mut Value {
    let mut found = fields.iter_mut().filter(|(key, _)| *key == name.into());
    &mut found.next().unwrap().1
}
