//! The attester over a TPM in software.

use std::io;
use std::sync::Arc;

use atls_core::LocalAttester;
use atls_core::ear::Tier;
use atls_formats::tpm::HashAlgorithm;
use atls_reference::Live;
use atls_tpm::Measurement;
use atls_tpm::PcrIndex;
use atls_tpm::Swtpm;
use atls_tpm::TpmAttester;
use atls_tpm::TpmClaims;
use atls_tpm::TpmImage;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::TrustedKey;
use atls_tpm::testing::SwtpmProcess;
use rustls::CipherSuite;
use test_support::Connection;
use test_support::ready;

use crate::support::at;

/// The machine is the one of which register 4 has `kernel` measured.
pub(crate) fn appraise(attester: &mut TpmAttester) -> (Tier, TpmClaims) {
    let connection = Connection::with_suite(SUITE);
    let cmw = attester.attest(connection.to_attest()).unwrap();
    let evidence = cmw.items().first().unwrap().value().to_vec();
    let key = TrustedKey::provided("swtpm", attester.attestation_key().unwrap());
    let bank = HashAlgorithm::Sha256;
    let value = bank.digest(&[&[0; 32], &bank.digest(&[b"kernel"])]);
    let register = (PcrIndex::new(4).unwrap(), Measurement::new(&value).unwrap());
    let policy = TpmPolicy::new(vec![TpmImage::measured("kernel", [register])]);
    let verifier = TpmVerifier::dangerous_with_software_keys(
        Arc::new(Live::fixed(TpmKeys::new(vec![key])).unwrap()),
        Arc::new(Live::fixed(policy).unwrap()),
        &rustls::crypto::ring::default_provider(),
    );
    // About this connection, and once more for the claims.
    let appraised = connection.appraise(&verifier, &evidence, at()).unwrap();
    let recorded = ready(verifier.appraise_recorded(&evidence, at())).unwrap();
    let claims = recorded.claims::<TpmClaims>().unwrap().clone();
    (appraised.ear().status(), claims)
}

pub(crate) fn affirmed(attester: &mut TpmAttester) -> TpmClaims {
    let (status, claims) = appraise(attester);
    assert_eq!(status, Tier::Affirming);
    claims
}

pub(crate) fn attester(device: Swtpm) -> TpmAttester {
    TpmAttester::over(device).unwrap()
}

pub(crate) fn measure(tpm: &SwtpmProcess, bytes: &[u8]) {
    tpm.measure(4, HashAlgorithm::Sha256, bytes).unwrap();
}

pub(crate) fn started(tpm: io::Result<SwtpmProcess>) -> Option<SwtpmProcess> {
    match tpm {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let required = std::env::var_os("ATLS_REQUIRE_SWTPM").is_some();
            assert!(!required, "no swtpm on this machine");
            println!("SKIPPED: no swtpm on this machine");
            None
        }
        tpm => Some(tpm.unwrap()),
    }
}

pub(crate) const SUITE: CipherSuite = CipherSuite::TLS13_AES_256_GCM_SHA384;
