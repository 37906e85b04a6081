//! The envelope, and limits.

use allocation::hostile;
use allocation::on_small_stack;
use atls_formats::nitro::Document;
use atls_formats::nitro::DocumentError;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1;
use coset::Header;
use coset::HeaderBuilder;
use coset::ProtectedHeader;
use coset::TaggedCborSerializable;
use coset::iana::Algorithm;
use proptest::prelude::*;

use crate::documents::content;
use crate::documents::decode;
use crate::documents::field;
use crate::documents::fields;
use crate::documents::frame;

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

fn document() -> Vec<u8> {
    frame(content(fields()))
}
