//! No document costs much more memory than its length.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_nitro::NitroPolicy;
use atls_nitro::testing::parse;
use atls_nitro::testing::parse_content;
use atls_reference::from_json;

#[test]
fn allocations_are_bounded_by_the_input() {
    const LENGTH: usize = 16_000;
    let mut findings = Findings::new();
    let byte_string = |bytes: &[u8]| {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        [&[0x59][..], &length, bytes].concat()
    };
    let framed = |protected: &[u8], unprotected: &[u8], payload: &[u8]| {
        let signature = byte_string(&[0; 96]);
        let parts = [protected, unprotected, &byte_string(payload), &signature];
        [&[0x84][..], &parts.concat()].concat()
    };
    let protected = [0x44, 0xa1, 0x01, 0x38, 0x22];
    let mut inputs = hostile::cbor(LENGTH);
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(&byte_string(item), &[0xa0], &[0xa0])
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(
            &protected,
            &[&[0xa1, 0x18, 0x21][..], item].concat(),
            &[0xa0],
        )
    }));
    inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
        framed(&protected, &[0xa0], item)
    }));
    for Hostile { name, bytes, .. } in hostile::countersigned(LENGTH) {
        let inside = framed(&byte_string(&bytes), &[0xa0], &[0xa0]);
        let outside = framed(&protected, &bytes, &[0xa0]);
        inputs.extend([inside, outside].map(|document| Hostile::new(&name, document)));
    }
    findings.check("document", BOUND, &inputs, parse);

    let mut inputs = hostile::cbor(LENGTH);
    for field in ["pcrs", "cabundle", "module_id", "other"] {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            let name = u8::try_from(field.len()).unwrap() | 0x60;
            [&[0xa1, name][..], field.as_bytes(), item].concat()
        }));
    }
    findings.check("content of a document", BOUND, &inputs, parse_content);
    policies(&mut findings);
    findings.assert_none();
}

fn policies(findings: &mut Findings) {
    const LENGTH: usize = 200_000;
    let mut inputs = Vec::new();
    for field in ["image", "max-age-seconds", "other"] {
        inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
            let start = format!("{{\"version\":1,\"nitro\":{{\"{field}\":");
            [start.as_bytes(), value, b"}}"].concat()
        }));
    }
    let image = format!("{{\"name\":\"a\",\"pcr0\":\"{}\"}}", "01".repeat(48));
    let many = hostile::filled(
        LENGTH,
        b"{\"version\":1,\"nitro\":{\"image\":[",
        format!("{image},").as_bytes(),
        format!("{image}]}}}}").as_bytes(),
    );
    inputs.push(Hostile::new("images", many));
    findings.check("policy", POLICY, &inputs, |text| {
        from_json::<NitroPolicy>(std::str::from_utf8(text).unwrap()).map(drop)
    });
}

const BOUND: Bound = Bound {
    per_byte: 8,
    constant: 32 * 1024,
};

const POLICY: Bound = Bound {
    per_byte: 16,
    constant: 16 * 1024,
};
