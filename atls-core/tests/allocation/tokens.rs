//! Results in both envelopes, and the keys that sign them.

use std::time::Duration;

use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_core::ear::Algorithm;
use atls_core::ear::Check;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::VerificationKeys;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use atls_core::limits::MAX_HEADER_VALUES;
use atls_core::limits::MAX_KEY_SET_VALUES;
use atls_core::limits::MAX_KEY_VALUES;
use atls_core::limits::MAX_TOKEN_VALUES;
use coset::TaggedCborSerializable;
use rustls::crypto::ring;

use crate::byte_string;
use crate::support::issuer::Issuer;
use crate::values;

/// Headers are read before the signature is checked, claims only of tokens that the issuer signed.
pub(crate) fn jwt(findings: &mut Findings) {
    let issuer = Issuer::ed25519();
    let keys = issuer.keys();
    let provider = ring::default_provider();
    let verify = |input: &[u8]| {
        let token = std::str::from_utf8(input).unwrap();
        jwt::decode(
            token,
            &keys,
            &provider.signature_verification_algorithms,
            &check(),
        )
    };
    let header = |value: &[u8]| {
        let value = String::from_utf8(value.to_vec()).unwrap();
        let header = format!("{{\"alg\":\"EdDSA\",\"x5c\":{value}}}");
        issuer.jwt_of(&header, "{}").into_bytes()
    };
    let inputs = hostile::within(hostile::json(40_000), header);
    findings.check(
        "header of a JWT",
        values(8, MAX_HEADER_VALUES),
        &inputs,
        verify,
    );
    let claims = |value: &[u8]| {
        let value = String::from_utf8(value.to_vec()).unwrap();
        let claims = format!("{{\"submods\":{{\"a\":{value}}},\"cnf\":{value}}}");
        issuer.jwt_of("{\"alg\":\"EdDSA\"}", &claims).into_bytes()
    };
    let inputs = hostile::within(hostile::json(20_000), claims);
    findings.check(
        "claims of a JWT",
        values(8, MAX_TOKEN_VALUES),
        &inputs,
        verify,
    );
    let dots = [Hostile::new("dots", ".".repeat(60_000))];
    findings.check("a JWT of dots", values(0, 0), &dots, verify);
}

pub(crate) fn cwt(findings: &mut Findings) {
    let issuer = Issuer::ed25519();
    let keys = issuer.keys();
    let provider = ring::default_provider();
    let verify = |input: &[u8]| {
        cwt::decode(
            input,
            &keys,
            &provider.signature_verification_algorithms,
            &check(),
        )
    };
    let mut inputs = hostile::cbor(60_000);
    // In the protected header, beside it, as one of its values.
    inputs.extend(hostile::within(hostile::cbor(60_000), |item| {
        [
            &[0xd2, 0x84][..],
            &byte_string(item),
            &[0xa0, 0x41, 0xa0, 0x40],
        ]
        .concat()
    }));
    inputs.extend(hostile::within(hostile::cbor(60_000), |item| {
        let header = [&[0xa2, 0x01, 0x27, 0x18, 0x21][..], item].concat();
        [
            &[0xd2, 0x84][..],
            &byte_string(&header),
            &[0xa0, 0x41, 0xa0, 0x40],
        ]
        .concat()
    }));
    inputs.extend(hostile::within(hostile::cbor(60_000), |item| {
        [
            &[0xd2, 0x84, 0x43, 0xa1, 0x01, 0x27, 0xa1, 0x18, 0x21][..],
            item,
            &[0x41, 0xa0, 0x40],
        ]
        .concat()
    }));
    for header in hostile::countersigned(60_000) {
        let protected = [
            &[0xd2, 0x84][..],
            &byte_string(&header.bytes),
            &[0xa0, 0x41, 0xa0, 0x40],
        ];
        let unprotected = [
            &[0xd2, 0x84, 0x43, 0xa1, 0x01, 0x27][..],
            &header.bytes,
            &[0x41, 0xa0, 0x40],
        ];
        for sign1 in [protected, unprotected] {
            inputs.push(Hostile::new(&header.name, sign1.concat()));
        }
    }
    findings.check(
        "headers of a CWT",
        values(8, MAX_HEADER_VALUES),
        &inputs,
        verify,
    );
    let signed = |item: &[u8]| {
        let payload = [&[0xa1, 0x08][..], item].concat();
        let header = coset::HeaderBuilder::new().algorithm(issuer.cose).build();
        coset::CoseSign1Builder::new()
            .protected(header)
            .payload(payload)
            .create_signature(b"", &issuer.sign)
            .build()
            .to_tagged_vec()
            .unwrap()
    };
    let inputs = hostile::within(hostile::cbor(60_000), signed);
    findings.check(
        "claims of a CWT",
        values(8, 2 * MAX_TOKEN_VALUES),
        &inputs,
        |token| assert_ne!(verify(token), Err(EarError::BadSignature)),
    );
}

pub(crate) fn key_sets(findings: &mut Findings) {
    const LENGTH: usize = 1024 * 1024 - 64;
    let mut inputs = hostile::json(LENGTH);
    inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
        [b"{\"keys\":", value, b"}"].concat()
    }));
    inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
        let start = b"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":";
        [&start[..], value, b"}]}"].concat()
    }));
    let key = Issuer::ed25519().jwk.to_string();
    let certificate = b"{\"kid\":\"a\",\"x5c\":[\"MAAA\"]}";
    for (name, key) in [("keys", key.as_bytes()), ("certificates", certificate)] {
        let piece = [key, b","].concat();
        inputs.push(Hostile::new(
            &format!("many {name}"),
            hostile::filled(LENGTH, b"{\"keys\":[", &piece, &[key, b"]}"].concat()),
        ));
    }
    let algorithms = [
        Algorithm::EdDsa,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
        Algorithm::Rs256,
    ];
    findings.check("JWK set", values(8, MAX_KEY_SET_VALUES), &inputs, |input| {
        VerificationKeys::from_jwk_set(std::str::from_utf8(input).unwrap())
    });
    // A sum over seven algorithms, one after the other.
    findings.check(
        "JWK set for any algorithm",
        values(40, MAX_KEY_SET_VALUES),
        &inputs,
        |input| {
            VerificationKeys::from_jwk_set_allowing(
                std::str::from_utf8(input).unwrap(),
                &algorithms,
            )
        },
    );
    findings.check("JWK", values(8, 2 * MAX_KEY_VALUES), &inputs, |input| {
        VerificationKeys::from_jwk(std::str::from_utf8(input).unwrap())
    });
}

pub(crate) fn check() -> Check<'static> {
    let now = test_support::at(1_800_000_000);
    Check::new(
        now,
        Duration::from_secs(3600),
        ExpectedNonce::InAnotherClaim,
    )
}
