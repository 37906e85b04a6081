//! Nothing that a peer or a verifier sends costs much more memory than its length.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::as_conversions,
    clippy::print_stdout,
    clippy::type_complexity,
    reason = "a test fails by panicking"
)]

mod support;

use std::time::Duration;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_core::MediaType;
use atls_core::ProtocolError;
use atls_core::authenticator;
use atls_core::batch::InclusionProof;
use atls_core::cmw::Cmw;
use atls_core::ear::Algorithm;
use atls_core::ear::Check;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::VerificationKeys;
use atls_core::ear::cwt;
use atls_core::ear::jwt;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use atls_core::exchange::Parameters;
use atls_core::exchange::Verdict;
use atls_core::limits::MAX_CERTIFICATE_VALUES;
use atls_core::limits::MAX_CMW;
use atls_core::limits::MAX_HEADER_VALUES;
use atls_core::limits::MAX_KEY_SET_VALUES;
use atls_core::limits::MAX_KEY_VALUES;
use atls_core::limits::MAX_TOKEN_VALUES;
use atls_core::session::Handshake;
use atls_core::session::Side;
use coset::TaggedCborSerializable;
use rustls::Tls13CipherSuite;
use rustls::crypto::ring;
use support::forge;
use support::forge::Forge;
use support::issuer::Issuer;
use test_support::ObservedSession;

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut findings = Findings::new();
    cmw(&mut findings);
    jwt(&mut findings);
    cwt(&mut findings);
    key_sets(&mut findings);
    requests(&mut findings);
    authenticators(&mut findings);
    batches(&mut findings);
    certificates(&mut findings);
    small(&mut findings);
    findings.assert_none();
}

fn cmw(findings: &mut Findings) {
    const LENGTH: usize = MAX_CMW;
    let member = |within: usize| hostile::cbor(LENGTH - within);
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::json(LENGTH));
    // As a member of a collection, as a field of a record, under a tag.
    inputs.extend(hostile::within(member(3), |item| {
        [&[0xa1, 0x61, b'a'], item].concat()
    }));
    inputs.extend(hostile::within(member(5), |item| {
        [&[0x83, 0x63, b'a', b'/', b'b'], item].concat()
    }));
    inputs.extend(hostile::within(member(5), |item| {
        [&[0xda, 0x63, 0x74, 0x01, 0x01], item].concat()
    }));
    inputs.extend(hostile::within(hostile::json(LENGTH - 6), |value| {
        [b"{\"a\":", value, b"}"].concat()
    }));
    inputs.extend([
        Hostile::new("one label above 512 records", labelled_records(60_000, 512)),
        Hostile::new("one label above 8 records", labelled_records(60_000, 8)),
        Hostile::new("8 long labels", long_labels()),
    ]);
    let bound = Bound {
        per_byte: 4,
        constant: 64 * 1024,
    };
    findings.check("CMW", bound, &inputs, |input| {
        Cmw::decode(input).inspect(|cmw| {
            let _ = cmw.items().len();
        })
    });
}

/// A label of `~`, and a collection of so many records under it.
fn labelled_records(label: u16, records: u16) -> Vec<u8> {
    let mut cmw = vec![0xa1, 0x79];
    cmw.extend(label.to_be_bytes());
    cmw.extend(vec![b'~'; label.into()]);
    cmw.push(0xb9);
    cmw.extend(records.to_be_bytes());
    for index in 0..records {
        cmw.push(0x19);
        cmw.extend(index.to_be_bytes());
        // [0, h'']
        cmw.extend([0x82, 0x00, 0x40]);
    }
    cmw
}

fn long_labels() -> Vec<u8> {
    let mut cmw = vec![0xa8];
    for index in b'a'..=b'h' {
        cmw.extend([0x79, 0x1f, 0x00, index]);
        cmw.extend([b'~'; 0x1f00 - 1]);
        cmw.extend([0x82, 0x00, 0x40]);
    }
    cmw
}

/// Headers are read before the signature is checked, claims only of tokens that the issuer signed.
fn jwt(findings: &mut Findings) {
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

fn cwt(findings: &mut Findings) {
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

fn key_sets(findings: &mut Findings) {
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

/// RFC 9261's request, its extensions, and `attestation_parameters` in one of them.
fn requests(findings: &mut Findings) {
    const LENGTH: usize = 65_000;
    let schemes = [0, 2, 4, 3];
    let request = |extensions: &[(u16, &[u8])]| forge::request(17, &[7; 32], extensions);
    let parameters = |value: &[u8]| {
        request(&[
            (13, &schemes),
            (CMW_ATTESTATION, &[]),
            (ATTESTATION_PARAMETERS, value),
        ])
    };
    let mut inputs = hostile::within(hostile::cbor(LENGTH), parameters);
    inputs.extend(hostile::within(hostile::cbor(LENGTH - 5), |item| {
        parameters(&[&[0xa2, 0x01, 0x01, 0x02], item].concat())
    }));
    let long = format!("a/b; c=\"{}\"", "\\\"".repeat(100));
    let format = [&[0x78, long.len() as u8], long.as_bytes()].concat();
    for count in [64_u8, 250] {
        let formats = format.repeat(count.into());
        let value = [&[0xa2, 0x01, 0x01, 0x02, 0x98, count][..], &formats];
        inputs.push(Hostile::new(
            "long media types",
            parameters(&value.concat()),
        ));
    }
    let tiny: Vec<(u16, &[u8])> = (0..16_000).map(|code| (code, &[][..])).collect();
    inputs.push(Hostile::new("many extensions", request(&tiny)));
    let repeated: Vec<(u16, &[u8])> = (0..16_000).map(|_| (40, &[][..])).collect();
    inputs.push(Hostile::new("repeated extensions", request(&repeated)));
    let schemes = forge::vec16(&[4, 3].repeat(32_000));
    inputs.push(Hostile::new("many schemes", request(&[(13, &schemes)])));
    findings.check("request", LINEAR, &inputs, |input| {
        let session = ObservedSession::new(Side::Server, suite(), &[1; 32], None, Vec::new());
        Challenge::receive(&session, input)
    });
}

fn authenticators(findings: &mut Findings) {
    let certificate = |entries: &[_]| forge::certificate(&[7; 32], entries);
    let whole = |certificate: Vec<u8>| {
        let verify = forge::message(15, &[4, 3, 0, 0]);
        [certificate, verify, forge::message(20, &[0; 32])].concat()
    };
    let many =
        |count: u16| -> Vec<(u16, &[u8])> { (0..count).map(|code| (code, &[][..])).collect() };
    let mut cut = whole(certificate(&[(vec![0x30; 1000], many(3))]));
    cut[1..4].copy_from_slice(&[0xff; 3]);
    let inputs = [
        Hostile::new(
            "many certificates",
            whole(certificate(&vec![(vec![0x30], vec![]); 20_000])),
        ),
        Hostile::new(
            "empty certificates",
            whole(certificate(&vec![(vec![], vec![]); 25_000])),
        ),
        Hostile::new(
            "many extensions",
            whole(certificate(&[(vec![0x30], many(16_000))])),
        ),
        Hostile::new(
            "many extensions of many certificates",
            whole(certificate(&vec![(vec![0x30], many(32)); 900])),
        ),
        Hostile::new(
            "one large certificate",
            whole(certificate(&[(vec![0x30; 120_000], vec![])])),
        ),
        Hostile::new("a length beyond the end", cut),
        Hostile::new("messages without content", [20, 0, 0, 0].repeat(30_000)),
    ];
    let bound = Bound {
        per_byte: 2,
        constant: 16 * 1024,
    };
    let provider = ring::default_provider();
    let chain = vec![hostile::certificate(1, &[]).into()];
    findings.check("authenticator", bound, &inputs, |input| {
        let session = ObservedSession::new(Side::Client, suite(), &[1; 32], None, chain.clone());
        let request = authenticator::request(&session, &provider, Vec::new()).unwrap();
        let refused = request.verify(input).map(drop);
        assert!(refused.is_err());
    });
}

/// An inclusion proof, and the message of a batch with one, in an authenticator of the peer's own key.
fn batches(findings: &mut Findings) {
    let proof = [&[0x83, 0, 0x1a, 0, 1, 0, 0, 0x59, 2, 0][..], &[7; 512]].concat();
    assert!(InclusionProof::decode(&proof).is_ok());
    let mut inputs = hostile::cbor(60_000);
    inputs.extend(hostile::cbor(500));
    inputs.push(Hostile::new("the largest proof", proof.clone()));
    findings.check("inclusion proof", values(8, 4), &inputs, |input| {
        InclusionProof::decode(input)
    });

    const LENGTH: usize = 65_518;
    let kind = "application/vnd.atls.inclusion-proof+cbor";
    let shortest = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0x59][..], &length, bytes].concat()
    };
    let record = [&[0x82, 0x78, 41], kind.as_bytes(), &shortest(&proof)].concat();
    let around = |item: &[u8]| [&[0xa2, 0][..], item, &[1], &record].concat();
    let room = LENGTH - around(&[]).len();
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(room), around));
    inputs.extend(hostile::within(hostile::cbor(room), |item| {
        [&[0xa2, 0, 0x80, 1][..], item].concat()
    }));
    inputs.push(Hostile::new(
        "large evidence",
        around(&[&[0x82, 0][..], &shortest(&vec![7; room - 5])].concat()),
    ));
    let identity = support::identity(&ring::default_provider());
    let offered = Parameters::client(Vec::new(), true, CanAttest::No);
    let bound = Bound {
        per_byte: 16,
        constant: 64 * 1024,
    };
    findings.check("message of a batch", bound, &inputs, |input| {
        let [client, server] = [Side::Client, Side::Server].map(|side| {
            let chain = identity.cert.clone();
            ObservedSession::new(side, suite(), &[1; 32], Some(identity.clone()), chain)
        });
        let provider = ring::default_provider();
        let (request, pending) =
            atls_core::exchange::request(&client, &provider, Some(&offered)).unwrap();
        let forge = Forge::new(&server, Side::Server, &identity, &request);
        let data = forge::vec16(input);
        let selection = [0xa3, 1, 1, 3, 0xf5, 4, 0xf5];
        let extensions = [
            (CMW_ATTESTATION, &data[..]),
            (ATTESTATION_PARAMETERS, &selection[..]),
        ];
        let read = pending.finish(&forge.seal(&forge.certificate(&extensions)));
        let reached = matches!(
            read,
            Ok(_) | Err(ProtocolError::Cmw(_) | ProtocolError::Proof(_))
        );
        assert!(reached, "{read:?}");
    });
}

/// Evidence in certificates: all old forms, and the certificate around it.
fn certificates(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    const CMW: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 35];
    const TAGGED: &[u8] = &[0x67, 0x81, 0x05, 5, 4, 9];
    const SGX_SDK: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 1, 0x0d, 1];
    const RATS_TLS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x8a, 0x39, 6];
    let quote = [&[3][..], &[0; 599]].concat();
    let holding = |oid: &[u8], value: &[u8]| hostile::certificate(1, &[(oid, value)]);
    let mut inputs = Vec::new();
    for oid in [CMW, TAGGED, SGX_SDK, RATS_TLS] {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            holding(oid, item)
        }));
        inputs.extend(hostile::within(hostile::der(LENGTH), |value| {
            holding(oid, value)
        }));
    }
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        holding(CMW, &hostile::element(4, item))
    }));
    inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
        holding(CMW, &hostile::element(0x0c, value))
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |claims| {
        let parts = [byte_string(&quote), byte_string(claims)].concat();
        holding(TAGGED, &[&[0xd9, 0xea, 0x60, 0x82][..], &parts].concat())
    }));
    inputs.push(Hostile::new("many names", hostile::certificate(4_000, &[])));
    let unknown: &[u8] = &[0x2a, 3];
    let many: Vec<(&[u8], &[u8])> = vec![(unknown, &[]); 9_000];
    inputs.push(Hostile::new(
        "many extensions",
        hostile::certificate(1, &many),
    ));
    let bound = values(8, MAX_CERTIFICATE_VALUES);
    findings.check("certificate", bound, &inputs, |input| {
        let leaf = input.to_vec().into();
        let handshake = Handshake::observed(Side::Client, suite(), None, vec![leaf]).unwrap();
        Credential::in_certificate(&handshake).map(drop)
    });
    let holds = hostile::certificate(1, &[(SGX_SDK, &quote)]);
    let handshake = Handshake::observed(Side::Client, suite(), None, vec![holds.into()]);
    let read = Credential::in_certificate(&handshake.unwrap());
    assert!(read.is_ok(), "the inputs reach the parser: {read:?}");
}

/// Verdicts and media types.
fn small(findings: &mut Findings) {
    let bytes: Vec<_> = [0_usize, 5, 6, 60_000]
        .map(|length| Hostile::new("zeros", vec![0; length]))
        .into();
    findings.check("verdict", values(0, 0), &bytes, Verdict::decode);
    let texts = [
        Hostile::new("parameters", format!("a/b{}", ";c=d".repeat(60))),
        Hostile::new("long", "a/b;".repeat(20_000)),
        Hostile::new("quotes", format!("a/b;c=\"{}\"", "\\\"".repeat(100))),
    ];
    findings.check("media type", values(4, 1), &texts, |text| {
        MediaType::parse(std::str::from_utf8(text).unwrap())
    });
}

fn check() -> Check<'static> {
    let now = test_support::at(1_800_000_000);
    Check::new(
        now,
        Duration::from_secs(3600),
        ExpectedNonce::InAnotherClaim,
    )
}

fn suite() -> &'static Tls13CipherSuite {
    ring::cipher_suite::TLS13_AES_128_GCM_SHA256
        .tls13()
        .unwrap()
}

fn byte_string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[0x5a][..], &length, bytes].concat()
}

/// A bound for a parser that allows so many values, of 256 bytes each at most.
const fn values(per_byte: usize, values: usize) -> Bound {
    Bound {
        per_byte,
        constant: values * 256,
    }
}

/// Eight bytes for each byte, and what a connection holds.
const LINEAR: Bound = Bound {
    per_byte: 8,
    constant: 32 * 1024,
};
