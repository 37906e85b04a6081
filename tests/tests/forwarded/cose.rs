//! Statements as CWT whose envelope says something else than its key does. Each is signed, or MACed, over exactly what it says.

use atls_core::ear::EarError;
use atls_tower::forward::ReceiveError;
use ciborium::Value as Cbor;

use crate::envelope::SIGN1;
use crate::envelope::Statement;
use crate::envelope::encoded;
use crate::envelope::map;
use crate::envelope::tagged;
use crate::hop::Hop;
use crate::jose::public_keys;

/// Labels of headers (RFC 9052 §3.1).
const ALG: i32 = 1;
const CRIT: i32 = 2;
const KID: i32 = 4;
/// RFC 9360 §2.
const X5CHAIN: i32 = 33;

const ES256: i32 = -7;
const HS256: i32 = 5;

/// Tags of COSE_Encrypt0, COSE_Mac0 and COSE_Sign; and of a CWT.
const ENCRYPT0: u64 = 16;
const MAC0: u64 = 17;
const SIGN: u64 = 98;
const CWT: u64 = 61;

#[tokio::test]
async fn the_algorithm_is_that_of_the_key_and_stands_in_the_protected_header_once() {
    let statement = Statement::new().await;
    let own = || vec![(ALG, ES256.into())];
    let says = |protected: Vec<(i32, Cbor)>, unprotected: Vec<(i32, Cbor)>| {
        statement.signed(&protected, &unprotected)
    };
    assert_eq!(says(own(), vec![]), Ok(()));
    for (what, protected, unprotected) in [
        ("none", vec![], vec![]),
        ("unprotected", vec![], own()),
        ("in both", own(), own()),
        ("another one outside", own(), vec![(ALG, HS256.into())]),
        ("a MAC inside", vec![(ALG, HS256.into())], own()),
        ("as text", vec![(ALG, "ES256".into())], vec![]),
        ("as bytes", vec![(ALG, Cbor::Bytes(vec![0x26]))], vec![]),
        ("as a fraction", vec![(ALG, Cbor::Float(-7.0))], vec![]),
        ("null", vec![(ALG, Cbor::Null)], vec![]),
        ("twice", [own(), own()].concat(), vec![]),
        (
            "twice, two",
            [own(), vec![(ALG, HS256.into())]].concat(),
            vec![],
        ),
    ] {
        assert_refused(says(protected, unprotected), what);
    }
    // ES384, ES512, ES256K, EdDSA, PS256, PS384, RS256, RS1; HS256, HS384, HS512, AES-MAC, A128GCM, direct; reserved, private.
    for algorithm in [
        -35, -36, -47, -8, -37, -38, -257, -65535, 5, 6, 7, 14, 1, -6, 0, -70_000,
    ] {
        let stated = says(vec![(ALG, algorithm.into())], vec![]);
        assert!(
            matches!(
                stated,
                Err(ReceiveError::Invalid(
                    EarError::Algorithm | EarError::UnknownKey | EarError::Malformed
                ))
            ),
            "{algorithm}: {stated:?}"
        );
    }
}

#[tokio::test]
async fn a_header_that_is_critical_is_refused_known_or_not_and_wherever_it_stands() {
    let statement = Statement::new().await;
    for listed in [
        vec![ALG.into()],
        vec![KID.into()],
        vec![(-70_000).into()],
        vec!["atls".into()],
        vec![],
    ] {
        let critical = (CRIT, Cbor::Array(listed.clone()));
        let own = (ALG, ES256.into());
        let inside = [own.clone(), critical.clone()];
        assert_refused(statement.signed(&inside, &[]), "inside");
        assert_refused(statement.signed(&[own], &[critical]), "outside");
    }
}

#[tokio::test]
async fn a_key_in_the_message_is_not_looked_at() {
    let statement = Statement::new().await;
    let strange = Hop::new();
    let point = Cbor::Bytes(strange.public_key().to_vec());
    for brought in [X5CHAIN, KID, -70_000] {
        let protected = [(ALG, ES256.into()), (brought, point.clone())];
        let message = statement.structure("Signature1", &encoded(&map(&protected)), b"");
        let forged = strange.sign(&message);
        let token = statement.message(&protected, &[], &forged);
        assert_refused(statement.receive(&tagged(&[SIGN1], token)), "another key");
    }
}

/// The public key as the secret: whoever knows it could make one.
#[tokio::test]
async fn a_mac_under_the_public_key_is_no_signature() {
    let statement = Statement::new().await;
    for secret in public_keys(&statement.hop) {
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        for (algorithm, context) in [
            (HS256, "MAC0"),
            (ES256, "MAC0"),
            (HS256, "Signature1"),
            (ES256, "Signature1"),
        ] {
            let protected = [(ALG, algorithm.into())];
            let message = statement.structure(context, &encoded(&map(&protected)), b"");
            let mac = ring::hmac::sign(&secret, &message);
            let token = statement.message(&protected, &[], mac.as_ref());
            for tags in [
                &[MAC0][..],
                &[SIGN1],
                &[],
                &[CWT, MAC0],
                &[CWT, SIGN1],
                &[CWT],
            ] {
                let received = statement.receive(&tagged(tags, token.clone()));
                assert_refused(received, &format!("{algorithm} {context} {tags:?}"));
            }
        }
    }
}

/// A good signature of this key, over another thing than a COSE_Sign1 with this payload.
#[tokio::test]
async fn a_signature_in_another_context_is_refused() {
    let statement = Statement::new().await;
    let own = [(ALG, ES256.into())];
    let header = encoded(&map(&own));
    for (context, external) in [
        ("Signature", &b""[..]),
        ("CounterSignature", b""),
        ("MAC0", b""),
        ("signature1", b""),
        ("Signature1", b"aad"),
    ] {
        let signature = statement
            .hop
            .sign(&statement.structure(context, &header, external));
        let token = statement.message(&own, &[], &signature);
        assert_refused(statement.receive(&tagged(&[SIGN1], token)), context);
    }
    // Over the payload alone.
    let signature = statement.hop.sign(&statement.payload);
    let token = statement.message(&own, &[], &signature);
    assert_refused(statement.receive(&tagged(&[SIGN1], token)), "payload");
}

#[tokio::test]
async fn a_message_of_another_kind_is_refused() {
    let statement = Statement::new().await;
    let own = [(ALG, ES256.into())];
    let header = encoded(&map(&own));
    let signature = statement
        .hop
        .sign(&statement.structure("Signature1", &header, b""));
    let honest = statement.message(&own, &[], &signature);
    for tags in [&[SIGN1][..], &[], &[CWT, SIGN1], &[CWT]] {
        assert_eq!(statement.receive(&tagged(tags, honest.clone())), Ok(()));
    }
    for tags in [
        &[MAC0][..],
        &[ENCRYPT0],
        &[SIGN],
        &[CWT, MAC0],
        &[CWT, SIGN],
        &[CWT, CWT, SIGN1],
        &[SIGN1, SIGN1],
        &[SIGN1, CWT],
    ] {
        let received = statement.receive(&tagged(tags, honest.clone()));
        assert_refused(received, &format!("{tags:?}"));
    }
    let Cbor::Array(parts) = honest else {
        unreachable!("it is a message");
    };
    let with = |place: usize, part: Cbor| {
        let mut parts = parts.clone();
        parts[place] = part;
        Cbor::Array(parts)
    };
    let signer = Cbor::Array(vec![parts[0].clone(), map(&[]), parts[3].clone()]);
    for (what, message) in [
        ("several signers", with(3, Cbor::Array(vec![signer]))),
        ("a detached payload", with(2, Cbor::Null)),
        (
            "a payload that is no string",
            with(2, Cbor::Text(String::new())),
        ),
        ("a header that is no string", with(0, map(&own))),
        ("an empty header", with(0, Cbor::Bytes(Vec::new()))),
        ("a header of a list", with(0, Cbor::Bytes(vec![0x80]))),
        (
            "a header with a rest",
            with(0, Cbor::Bytes([&header[..], &[0]].concat())),
        ),
        ("three parts", Cbor::Array(parts[..3].to_vec())),
        (
            "five parts",
            Cbor::Array([&parts[..], &[Cbor::Null]].concat()),
        ),
    ] {
        assert_refused(statement.receive(&encoded(&message)), what);
    }
}

#[tokio::test]
async fn what_is_no_signature_is_none() {
    let statement = Statement::new().await;
    let own = [(ALG, ES256.into())];
    let header = encoded(&map(&own));
    let good = statement
        .hop
        .sign(&statement.structure("Signature1", &header, b""));
    let (r, s) = good.split_at(32);
    let der = [&[0x30, 68, 2, 32][..], r, &[2, 32], s].concat();
    for (what, signature) in [
        ("nothing", vec![]),
        ("zeros", vec![0; 64]),
        ("ones", [[0; 31].as_slice(), &[1], &[0; 31], &[1]].concat()),
        ("r alone", r.to_vec()),
        ("halves in the other order", [s, r].concat()),
        ("DER", der),
        ("a rest", [&good[..], &[0]].concat()),
        ("a byte in front", [&[0], &good[..]].concat()),
        ("twice", [&good[..], &good].concat()),
    ] {
        let token = statement.message(&own, &[], &signature);
        let received = statement.receive(&tagged(&[SIGN1], token));
        assert_eq!(received, Err(EarError::BadSignature.into()), "{what}");
    }
}

fn assert_refused(received: Result<(), ReceiveError>, what: &str) {
    let refused = received.expect_err(what);
    assert!(matches!(refused, ReceiveError::Invalid(_)), "{what}");
}
