//! Certificates that carry Evidence.

use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_core::exchange::Credential;
use atls_core::limits::MAX_CERTIFICATE_VALUES;
use atls_core::session::Handshake;
use atls_core::session::Side;

use crate::byte_string;
use crate::suite;
use crate::values;

/// Evidence in certificates: all old forms, and the certificate around it.
pub(crate) fn certificates(findings: &mut Findings) {
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
