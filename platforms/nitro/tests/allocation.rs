//! No policy costs much more memory than its length.
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
use atls_reference::from_json;

#[test]
fn allocations_are_bounded_by_the_input() {
    const LENGTH: usize = 200_000;
    let mut findings = Findings::new();
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
    findings.check("policy", BOUND, &inputs, |text| {
        from_json::<NitroPolicy>(std::str::from_utf8(text).unwrap()).map(drop)
    });
    findings.assert_none();
}

const BOUND: Bound = Bound {
    per_byte: 16,
    constant: 16 * 1024,
};
