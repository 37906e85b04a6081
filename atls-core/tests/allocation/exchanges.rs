//! The messages of an exchange.

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_core::ProtocolError;
use atls_core::exchange::ATTESTATION_PARAMETERS;
use atls_core::exchange::CMW_ATTESTATION;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_core::exchange::authenticator;
use atls_core::exchange::batch::InclusionProof;
use atls_core::session::Side;
use rustls::crypto::ring;
use test_support::ObservedSession;

use crate::LINEAR;
use crate::suite;
use crate::support::forge;
use crate::support::forge::Forge;
use crate::values;

/// RFC 9261's request, its extensions, and `attestation_parameters` in one of them.
pub(crate) fn requests(findings: &mut Findings) {
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

pub(crate) fn authenticators(findings: &mut Findings) {
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
pub(crate) fn batches(findings: &mut Findings) {
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
    let identity = crate::support::identity(&ring::default_provider());
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
