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
use atls_core::limits::MAX_CERTIFICATE_VALUES;
use atls_reference::Live;
use atls_snp::CertificateKind;
use atls_snp::NoCollateral;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::SnpVerifier;
use atls_snp::testing::ForgedPlatform;
use support::CHALLENGE;
use support::NOW;

#[test]
fn allocations_are_bounded_by_the_input() {
    let mut findings = Findings::new();
    certificates(&mut findings);
    findings.assert_none();
}

fn certificates(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    let platform = ForgedPlatform::new(Product::Milan).unwrap();
    let table = platform.certificates();
    let report = platform.signed_report(&CHALLENGE);
    let policy = Arc::new(Live::fixed(platform.policy()).unwrap());
    let verifier = SnpVerifier::new(platform.roots().unwrap(), policy, Arc::new(NoCollateral));
    let mut inputs = hostile::der(LENGTH);
    inputs.push(Hostile::new("many names", hostile::certificate(4_000, &[])));
    let unknown: &[u8] = &[0x2a, 3];
    let many: Vec<(&[u8], &[u8])> = vec![(unknown, &[]); 5_000];
    inputs.push(Hostile::new(
        "many extensions",
        hostile::certificate(1, &many),
    ));
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
        let bound = Bound {
            per_byte: 24,
            constant: MAX_CERTIFICATE_VALUES * 256,
        };
        findings.check(&format!("{kind:?}"), bound, &inputs, |der| {
            let evidence = SnpEvidence::new(report.clone(), table.clone().with(kind, der));
            let appraised = verifier.appraise_report(&evidence, &[], support::at(NOW));
            support::ready(appraised).map(drop)
        });
    }
}
