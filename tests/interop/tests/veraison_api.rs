//! The real Veraison without our own checks in front: what it does about nonces, and what it does not.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and the service's clock is the real one"
)]

use std::time::Duration;

use atls_core::MediaType;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_core::ear::jwt;
use atls_core::pki_types::UnixTime;
use atls_remote::EvidenceFormat;
use atls_remote::Failure;
use atls_veraison::CcaToken;
use atls_veraison::PsaToken;
use atls_veraison::SevSnpReport;
use atls_veraison::VeraisonService;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use interop::Veraison;
use test_support::vectors;

async fn submit(
    veraison: &Veraison,
    media_type: &str,
    evidence: &[u8],
    nonce: &[u8],
) -> Result<Ear, Failure> {
    let now = UnixTime::now();
    let media_type = MediaType::parse(media_type).unwrap();
    let service = veraison.service();
    let token = service
        .dangerous_submit_unchecked(&media_type, evidence, nonce)
        .await?;
    let check = Check {
        now,
        max_age: Duration::from_secs(300),
        nonce: ExpectedNonce::Echoed(nonce),
        issuer: None,
        audience: None,
        submods: &[],
    };
    let keys = VerificationKeys::from_jwk(&veraison.key).unwrap();
    let supported = demo::provider().signature_verification_algorithms;
    Ok(jwt::decode(&token, &keys, &supported, &check).unwrap())
}

/// Genuine Evidence under its own nonce and under another: what the service says, and what our format finds.
async fn both(
    veraison: &Veraison,
    format: &dyn EvidenceFormat<VeraisonService>,
    evidence: &[u8],
    nonce: &[u8],
) -> [(Tier, bool); 2] {
    let mut other = nonce.to_vec();
    other.reverse();
    let mut found = Vec::new();
    for nonce in [nonce, &other] {
        let ear = submit(veraison, format.media_type(), evidence, nonce)
            .await
            .unwrap();
        let carried = format.read(evidence).unwrap();
        found.push((ear.status(), carried.carried() == nonce));
    }
    found.try_into().unwrap()
}

const BOTH_SAY_SO: [(Tier, bool); 2] = [(Tier::Affirming, true), (Tier::Contraindicated, false)];

#[tokio::test]
async fn genuine_evidence_is_good_under_its_own_nonce_alone() {
    let Some(folder) = vectors() else { return };
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let read = |name: &str| std::fs::read(folder.join("corim").join(name)).unwrap();
    let nonce = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    for (corim, profile) in [
        ("corim-psa-valid.cbor", "tag:arm.com,2025:psa#1.0.0"),
        (
            "corim-cca-platform-valid.cbor",
            "tag:arm.com,2025:cca_platform#1.0.0",
        ),
        (
            "corim-cca-realm-valid.cbor",
            "tag:arm.com,2025:cca_realm#1.0.0",
        ),
        (
            "corim-sevsnp-valid.cbor",
            "tag:amd.com,2024:snp-corim-profile",
        ),
    ] {
        veraison.provision(&read(corim), profile).await;
    }
    let psa = nonce("QUp8F0FBs9DpodKK8xUg8NQimf6sQAfe2J1ormzZLxk");
    let psa = both(
        &veraison,
        &PsaToken::any_profile(),
        &read("psa.good.cose"),
        &psa,
    )
    .await;
    assert_eq!(psa, BOTH_SAY_SO);
    let cca = nonce(
        "byTWuWNaLIu_WOkIuU4Ewb-zroDN6-gyQkV4SZ_jF2Hn9eHYvOASGET1Sr36UobaiPU6ZXsVM1yTlrQyklS8XA",
    );
    let cca = both(&veraison, &CcaToken::new(), &read("cca-good.cbor"), &cca).await;
    assert_eq!(cca, BOTH_SAY_SO);
    let snp = b"MIDBNH28iioisjPyxxxxxxxxxxxxxxxxMIDBNH28iioisjPyxxxxxxxxxxxxxxxx";
    let snp = both(
        &veraison,
        &SevSnpReport::new(),
        &read("sevsnp-tsm-report.cbor"),
        snp,
    )
    .await;
    assert_eq!(snp, BOTH_SAY_SO);
}

/// Why there is no format without a check of its own.
#[tokio::test]
async fn a_scheme_that_ignores_nonces_affirms_replayed_evidence() {
    let Some(folder) = vectors() else { return };
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let read = |name: &str| std::fs::read(folder.join("corim").join(name)).unwrap();
    let profile = "https://enacttrust.com/veraison/1.0.0";
    veraison
        .provision(&read("corim-enacttrust-valid.cbor"), profile)
        .await;
    let media_type = "application/vnd.enacttrust.tpm-evidence";
    for nonce in [[0; 32], [0xff; 32]] {
        let ear = submit(&veraison, media_type, &read("basic.token"), &nonce)
            .await
            .unwrap();
        assert_eq!(ear.status(), Tier::Affirming);
    }
}

#[tokio::test]
async fn formats_without_a_scheme_are_named() {
    let Some(veraison) = Veraison::start() else {
        return;
    };
    let refused = submit(&veraison, "application/eat+jwt", b"x", &[1; 32])
        .await
        .unwrap_err();
    assert_eq!(refused.reason(), "unsupported_media_type");
    assert!(
        refused
            .cause()
            .contains("application/psa-attestation-token")
    );
}
