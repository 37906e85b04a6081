//! PSA and CCA tokens: what is written is read, and each rule of the form has a case that breaks it.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_formats::psa::CcaToken;
use atls_formats::psa::ClaimsToSign;
use atls_formats::psa::Lifecycle;
use atls_formats::psa::Profile;
use atls_formats::psa::SignedToken;
use atls_formats::psa::SoftwareComponent;
use atls_formats::psa::TokenError;
use atls_formats::psa::TokenToSign;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1Builder;
use coset::Header;
use coset::HeaderBuilder;
use coset::TaggedCborSerializable;
use coset::iana::Algorithm;
use coset::iana::HeaderParameter;
use proptest::prelude::*;

type Entries = Vec<(Value, Value)>;

#[test]
fn a_claim_is_read_if_it_stands_once_with_its_type() {
    let nonce = |claims: Entries| {
        let token = SignedToken::decode(&sign1(claims)).unwrap();
        token.claims().nonce().map(<[u8]>::to_vec)
    };
    let bytes = || (10.into(), Value::Bytes(vec![7; 32]));
    let wrong = Err(TokenError::Claim(10));
    assert_eq!(nonce(vec![bytes()]), Ok(vec![7; 32]));
    assert_eq!(
        nonce(vec![bytes(), ("10".into(), Value::Null)]),
        Ok(vec![7; 32])
    );
    assert_eq!(nonce(vec![]), wrong);
    assert_eq!(nonce(vec![bytes(), bytes()]), wrong);
    assert_eq!(nonce(vec![(10.into(), "text".into())]), wrong);
    assert_eq!(
        nonce(vec![(10.into(), Value::Array(vec![bytes().1]))]),
        wrong
    );
}

#[test]
fn only_a_plain_header_of_es256_is_plain_es256() {
    let es256 = || HeaderBuilder::new().algorithm(Algorithm::ES256);
    let critical = |header: HeaderBuilder| header.add_critical(HeaderParameter::ContentType);
    let none = HeaderBuilder::new;
    for (protected, unprotected, is_plain) in [
        (es256().build(), Header::default(), true),
        (es256().build(), none().key_id(vec![1]).build(), true),
        (Header::default(), Header::default(), false),
        (Header::default(), es256().build(), false),
        (es256().build(), es256().build(), false),
        (critical(es256()).build(), Header::default(), false),
        (es256().build(), critical(none()).build(), false),
        (
            none().algorithm(Algorithm::ES384).build(),
            Header::default(),
            false,
        ),
    ] {
        let token = CoseSign1Builder::new()
            .protected(protected)
            .unprotected(unprotected)
            .payload(content(Vec::new()));
        let token = token.build().to_tagged_vec().unwrap();
        let token = SignedToken::decode(&token).unwrap();
        assert_eq!(token.is_plain_es256(), is_plain, "{token:?}");
    }
}

#[test]
fn claims_nest_at_most_16_deep() {
    let nested = |depth| [&[0xa1, 0x00][..], &[0x81].repeat(depth), &[0xf6]].concat();
    let read = |depth| SignedToken::decode(&around(nested(depth))).map(drop);
    assert_eq!(read(15), Ok(()));
    assert_eq!(read(16), Err(TokenError::Claims));
}

#[test]
fn a_frame_is_a_tagged_sign1_with_content_and_nothing_after_it() {
    let token = sign1(Vec::new());
    let trailing = [&token[..], &[0]].concat();
    let detached = CoseSign1Builder::new().build().to_tagged_vec().unwrap();
    for other in [&token[1..], &trailing, &detached, &[]] {
        let refused = SignedToken::decode(other).map(drop);
        assert_eq!(refused, Err(TokenError::Envelope));
    }
    let array = around(Value::Array(Vec::new()).to_vec().unwrap());
    assert_eq!(
        SignedToken::decode(&array).map(drop),
        Err(TokenError::Claims)
    );
}

#[test]
fn a_collection_nests_at_most_16_deep_and_holds_two_tokens() {
    let token = Value::Bytes(sign1(Vec::new()));
    let collection = |entries: Entries| {
        let collection = Value::Tag(399, Box::new(Value::Map(entries)));
        CcaToken::decode(&collection.to_vec().unwrap()).map(drop)
    };
    let platform = || (44234.into(), token.clone());
    let realm = || (44241.into(), token.clone());
    let wrong = Err(TokenError::Collection);
    assert_eq!(collection(vec![platform(), realm()]), Ok(()));
    assert_eq!(collection(vec![platform()]), wrong);
    assert_eq!(collection(vec![platform(), platform()]), wrong);
    assert_eq!(
        collection(vec![platform(), realm(), (1.into(), Value::Null)]),
        wrong
    );
    assert_eq!(
        collection(vec![platform(), (44241.into(), "text".into())]),
        wrong
    );
    let deep = [&[0xd9, 0x01, 0x8f][..], &[0x81; 60_000]].concat();
    assert_eq!(CcaToken::decode(&deep).map(drop), wrong);
}

proptest! {
    #[test]
    fn a_token_that_is_written_is_read_and_cut_anywhere_refused(
        nonce in proptest::collection::vec(any::<u8>(), 0..65),
        client_id in any::<i32>(),
        code in any::<u16>(),
        name in ".{0,20}",
        profile in prop_oneof![Just(Profile::Tfm), Just(Profile::Predecessor), Just(Profile::Legacy)],
    ) {
        let software = [SoftwareComponent::new(&name, [3; 32]), SoftwareComponent::new("BL", [4; 32])];
        let lifecycle = Lifecycle::from(code);
        let token = TokenToSign::over(&ClaimsToSign {
            profile,
            nonce: &nonce,
            instance_id: &[1; 33],
            implementation_id: &[2; 32],
            client_id,
            lifecycle,
            boot_seed: &[5; 32],
            software: &software,
        }).unwrap();
        let signed = token.bytes();
        let bytes = token.with_signature(&[6; 64]).unwrap();
        let read = SignedToken::decode(&bytes).unwrap();
        prop_assert!(read.is_plain_es256());
        prop_assert_eq!(read.signed(), signed);
        prop_assert_eq!(read.signature(), &[6; 64]);
        let claims = read.claims();
        prop_assert_eq!(claims.profile(), Ok(profile));
        prop_assert_eq!(claims.nonce(), Ok(&nonce[..]));
        prop_assert_eq!(claims.instance_id(), Ok(&[1; 33][..]));
        prop_assert_eq!(claims.implementation_id(), Ok(&[2; 32][..]));
        prop_assert_eq!(claims.client_id(), Ok(client_id));
        prop_assert_eq!(claims.lifecycle(), Ok(lifecycle));
        prop_assert_eq!(claims.boot_seed(), Ok(&[5; 32][..]));
        prop_assert_eq!(claims.software(), Ok(software.to_vec()));
        for length in 0..bytes.len() {
            prop_assert!(SignedToken::decode(&bytes[..length]).is_err());
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = SignedToken::decode(&bytes);
        let _ = CcaToken::decode(&[&[0xd9, 0x01, 0x8f], &bytes[..]].concat());
        if let Ok(token) = SignedToken::decode(&around(bytes)) {
            let _ = token.claims().software();
        }
    }
}

fn sign1(claims: Entries) -> Vec<u8> {
    around(content(claims))
}

fn around(payload: Vec<u8>) -> Vec<u8> {
    let sign1 = CoseSign1Builder::new().payload(payload).build();
    sign1.to_tagged_vec().unwrap()
}

fn content(claims: Entries) -> Vec<u8> {
    Value::Map(claims).to_vec().unwrap()
}
