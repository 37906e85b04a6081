//! No report, certificate table, certificate or revocation list costs much more memory than its length.
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
use atls_snp::CertTable;
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
    evidence(&mut findings);
    tables(&mut findings);
    certificates(&mut findings);
    findings.assert_none();
}

fn evidence(findings: &mut Findings) {
    const LENGTH: usize = 60_000;
    let mut inputs = hostile::cbor(LENGTH);
    for field in ["outblob", "auxblob", "provider"] {
        inputs.extend(hostile::within(hostile::cbor(LENGTH), |item| {
            let name = u8::try_from(field.len()).unwrap() | 0x60;
            [&[0xa1, name][..], field.as_bytes(), item].concat()
        }));
    }
    findings.check("envelope", LINEAR, &inputs, SnpEvidence::decode);
}

fn tables(findings: &mut Findings) {
    const VCEK: u128 = 0x63da758d_e664_4564_adc5_f4b93be8accd;
    let entry = |guid: u128, offset: u32, length: usize| {
        let length = u32::try_from(length).unwrap().to_le_bytes();
        [&guid.to_be_bytes()[..], &offset.to_le_bytes(), &length].concat()
    };
    let holding = |value: &[u8]| {
        let header = entry(VCEK, 48, value.len());
        [&header[..], &[0; 24], value].concat()
    };
    let mut inputs = hostile::within(hostile::pem(60_000), holding);
    inputs.extend(hostile::within(hostile::der(60_000), holding));
    inputs.push(Hostile::new(
        "many entries",
        entry(VCEK, 48, 60_000).repeat(2_500),
    ));
    // Sixteen entries about the same bytes, of kinds that nobody knows.
    let mut shared: Vec<u8> = (1..=16).flat_map(|guid| entry(guid, 408, 60_000)).collect();
    shared.extend([0; 24]);
    shared.extend([0x30; 60_000]);
    inputs.push(Hostile::new("shared contents", shared));
    findings.check("table", LINEAR, &inputs, CertTable::decode);
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

const LINEAR: Bound = Bound {
    per_byte: 8,
    constant: 32 * 1024,
};
