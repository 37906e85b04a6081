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

#[path = "../support/mod.rs"]
mod support;

mod cmws;
mod exchanges;
mod leaves;
mod tokens;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use atls_core::MediaType;
use atls_core::exchange::Verdict;
use rustls::Tls13CipherSuite;
use rustls::crypto::ring;

use crate::cmws::cmw;
use crate::exchanges::authenticators;
use crate::exchanges::batches;
use crate::exchanges::requests;
use crate::leaves::certificates;
use crate::tokens::cwt;
use crate::tokens::jwt;
use crate::tokens::key_sets;

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

pub(crate) fn suite() -> &'static Tls13CipherSuite {
    ring::cipher_suite::TLS13_AES_128_GCM_SHA256
        .tls13()
        .unwrap()
}

pub(crate) fn byte_string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[0x5a][..], &length, bytes].concat()
}

/// A bound for a parser that allows so many values, of 256 bytes each at most.
pub(crate) const fn values(per_byte: usize, values: usize) -> Bound {
    Bound {
        per_byte,
        constant: values * 256,
    }
}

/// Eight bytes for each byte, and what a connection holds.
pub(crate) const LINEAR: Bound = Bound {
    per_byte: 8,
    constant: 32 * 1024,
};
