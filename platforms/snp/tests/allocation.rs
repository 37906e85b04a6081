//! No certificate or revocation list costs much more memory than its length.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;

use allocation::Bound;
use allocation::Findings;
use allocation::Hostile;
use allocation::hostile;
use atls_collateral::Fetch;
use atls_core::limits::MAX_CERTIFICATE_VALUES;
use atls_reference::from_json;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::Kds;
use atls_snp::Product;
use atls_snp::SigningKey;
use atls_snp::SnpEvidence;
use atls_snp::SnpPolicy;
use atls_snp::SuppliedCollateral;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use support::CHALLENGE;
use support::NOW;
use support::milan;
use support::verifier_with;
use test_support::Script;
use test_support::at;
use test_support::ready;

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut findings = Findings::new();
    certificates(&mut findings);
    large_lists(&mut findings);
    answers(&mut findings);
    policies(&mut findings);
    findings.assert_none();
}

fn certificates(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    let platform = milan();
    let table = platform.certificates();
    let report = platform.signed_report(&CHALLENGE);
    let verifier = verifier_with(&platform, platform.policy(), CollateralFromPeer::new());
    let mut inputs = hostile::der(LENGTH);
    inputs.extend(large_certificates());
    inputs.push(Hostile::new(
        "many revoked",
        hostile::revocation_list(3_000),
    ));
    for kind in [
        CertificateKind::Ark,
        CertificateKind::Ask,
        CertificateKind::Crl,
        CertificateKind::Vcek,
    ] {
        let bound = match kind {
            CertificateKind::Crl => Bound {
                per_byte: 24,
                constant: 64 * 1024,
            },
            _ => Bound {
                per_byte: 4,
                constant: MAX_CERTIFICATE_VALUES * 128,
            },
        };
        findings.check(&format!("{kind:?}"), bound, &inputs, |der| {
            let evidence = SnpEvidence::new(report.clone(), table.clone().with(kind, der));
            let appraised = verifier.appraise_report(&evidence, &[], at(NOW));
            ready(appraised).map(drop)
        });
    }
}

/// Lists with too many elements, which are not parsed.
fn large_lists(findings: &mut Findings) {
    let platform = milan();
    let report = platform.signed_report(&CHALLENGE);
    let verifier = verifier_with(&platform, platform.policy(), CollateralFromPeer::new());
    let inputs = hostile::large_revocation_lists();
    let bound = Bound {
        per_byte: 4,
        constant: 64 * 1024,
    };
    findings.check("large list", bound, &inputs, |list| {
        let table = platform.certificates().with(CertificateKind::Crl, list);
        let evidence = SnpEvidence::new(report.clone(), table);
        let appraised = verifier.appraise_report(&evidence, &[], at(NOW));
        ready(appraised).map(drop)
    });
    findings.check("large list at hand", bound, &inputs, |list| {
        SuppliedCollateral::new().with_crl(Product::Milan, SigningKey::Vcek, list)
    });
}

/// Certificates with too many elements, and with the largest allowed number.
fn large_certificates() -> Vec<Hostile> {
    let mut inputs = Vec::new();
    for names in [4_000, 2_500, 400, 90, 80] {
        inputs.push(Hostile::new("names", hostile::certificate(names, &[])));
    }
    let unknown: &[u8] = &[0x2a, 3];
    for count in [5_000, 330, 300, 240] {
        let many: Vec<(&[u8], &[u8])> = vec![(unknown, &[]); count];
        inputs.push(Hostile::new("extensions", hostile::certificate(1, &many)));
    }
    inputs
}

/// Answers of AMD's service, or of a server in its place.
fn answers(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    let mut der = hostile::der(LENGTH);
    der.extend(large_certificates());
    der.push(Hostile::new(
        "many revoked",
        hostile::revocation_list(2_500),
    ));
    let mut pem = hostile::pem(LENGTH);
    let certificate = pem_of(&hostile::certificate(1_500, &[]));
    pem.push(Hostile::new("a certificate of many names", certificate));
    let certificate = pem_of(&hostile::certificate(1, &[]));
    pem.push(Hostile::new(
        "certificates",
        certificate.repeat(LENGTH / certificate.len()),
    ));
    let hwid = "c1".repeat(64);
    for (key, inputs) in [
        ("snp/vcek/milan/crl".to_owned(), &der),
        (format!("snp/vcek/milan/{hwid}/4-1-24-219"), &der),
        ("snp/vcek/milan/cert_chain".to_owned(), &pem),
    ] {
        let bound = Bound {
            per_byte: 24,
            constant: 64 * 1024,
        };
        findings.check(&key, bound, inputs, |body| {
            let answer = http::Response::new(body.to_vec());
            let client = Script::answering(Ok(answer));
            let kds = Kds::at(Arc::new(client), "https://kds.example");
            ready(kds.fetch(&key, at(NOW))).map(drop)
        });
    }
}

fn policies(findings: &mut Findings) {
    const LENGTH: usize = 200_000;
    let image = format!(
        "{{\"name\":\"a\",\"measurement\":\"{}\"}},",
        "01".repeat(48)
    );
    let mut inputs = vec![Hostile::new("images", json("image", &image, LENGTH))];
    let chip = format!("\"{}\",", "01".repeat(64));
    inputs.push(Hostile::new("chips", json("chip-ids", &chip, LENGTH)));
    for field in [
        "image",
        "chip-ids",
        "minimum-tcb",
        "minimum-abi",
        "require-platform",
        "other",
    ] {
        inputs.extend(hostile::within(hostile::json(LENGTH), |value| {
            let start = format!("{{\"version\":1,\"snp\":{{\"{field}\":");
            [start.as_bytes(), value, b"}}"].concat()
        }));
    }
    let bound = Bound {
        per_byte: 16,
        constant: 16 * 1024,
    };
    findings.check("policy", bound, &inputs, |text| {
        from_json::<SnpPolicy>(std::str::from_utf8(text).unwrap()).map(drop)
    });
}

/// A policy with a field of many elements.
fn json(field: &str, element: &str, length: usize) -> Vec<u8> {
    let start = format!("{{\"version\":1,\"snp\":{{\"{field}\":[");
    let end = format!("{}]}}}}", element.trim_end_matches(','));
    hostile::filled(length, start.as_bytes(), element.as_bytes(), end.as_bytes())
}

fn pem_of(certificate: &[u8]) -> String {
    let body = STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}
