//! Results of real services.

use atls_core::ear::Category;
use atls_core::ear::Check;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::VerificationKeys;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use test_support::at;
use test_support::vectors;

use crate::fixtures::RECORDED_AT;
use crate::fixtures::VERAISON;
use crate::support::issuer::check;
use crate::support::issuer::decode;
use crate::support::issuer::decode_with;
use crate::support::providers;

#[test]
fn veraisons_results_have_the_status_in_their_names() {
    let Some(folder) = vectors() else { return };
    let jwk =
        std::fs::read_to_string(folder.join("ear/veraison-ear-verification-key.jwk")).unwrap();
    let keys = VerificationKeys::from_jwk(&jwk).unwrap();
    for provider in providers() {
        for (name, nonce, status) in VERAISON {
            let path = folder.join("ear").join(format!("{name}.ear.jwt"));
            let token = std::fs::read_to_string(path).unwrap();
            let nonce = BASE64_URL_SAFE_NO_PAD.decode(nonce).unwrap();
            let check = check(RECORDED_AT, ExpectedNonce::Echoed(&nonce));
            let ear = decode_with(&provider, token.trim(), &keys, &check).unwrap();
            assert_eq!(ear.status(), status, "{name}");
            assert_eq!(ear.expires_at(), None, "{name}");
            assert_eq!(ear.nonce(), Some(&nonce[..]), "{name}");
            assert_eq!(ear.verifier().developer(), "Veraison Project");
        }
    }
}

#[test]
fn a_composite_result_names_its_parts() {
    let Some(folder) = vectors() else { return };
    let jwk =
        std::fs::read_to_string(folder.join("ear/veraison-ear-verification-key.jwk")).unwrap();
    let token = std::fs::read_to_string(folder.join("ear/veraison-cca-affirming.ear.jwt")).unwrap();
    let nonce = BASE64_URL_SAFE_NO_PAD.decode(VERAISON[0].1).unwrap();
    let keys = VerificationKeys::from_jwk(&jwk).unwrap();
    let check = check(RECORDED_AT, ExpectedNonce::Echoed(&nonce));
    let ear = decode(token.trim(), &keys, &check).unwrap();
    let names: Vec<_> = ear.submods().map(|(name, _)| name).collect();
    assert_eq!(names, ["CCA_REALM", "CCA_SSD_PLATFORM"]);
    let platform = ear.submod("CCA_SSD_PLATFORM").unwrap();
    assert_eq!(
        platform.vector().get(Category::Hardware),
        TrustClaim::new(2)
    );
    assert_eq!(platform.policy_ids(), ["policy:ARM_CCA"]);
    let realm = ear.submod("CCA_REALM").unwrap();
    let annotated = realm.extension("ear.veraison.annotated-evidence").unwrap();
    assert!(
        annotated["cca-realm-challenge"]
            .as_str()
            .unwrap()
            .starts_with("byTWuWNaLIu/")
    );
}

#[test]
fn trustees_results_have_the_status_in_their_names() {
    let Some(folder) = vectors() else { return };
    let jwks = std::fs::read_to_string(folder.join("ear/trustee-jwks.json")).unwrap();
    let keys = VerificationKeys::from_jwk_set(&jwks).unwrap();
    for (name, status) in [
        ("trustee-snp-genoa-affirming", Tier::Affirming),
        ("trustee-sample-raw", Tier::Contraindicated),
        ("trustee-sample-structured", Tier::Contraindicated),
    ] {
        let path = folder.join("ear").join(format!("{name}.ear.jwt"));
        let token = std::fs::read_to_string(path).unwrap();
        let check = check(RECORDED_AT + 200, ExpectedNonce::InAnotherClaim);
        let ear = decode(token.trim(), &keys, &check).unwrap();
        assert_eq!(ear.status(), status, "{name}");
        assert_eq!(ear.nonce(), None);
        assert_eq!(ear.issuer(), Some("CoCo-Attestation-Service"));
        let lifetime = ear.expires_at().unwrap().as_secs() - ear.issued_at().as_secs();
        assert_eq!(lifetime, 300);
        assert!(
            ear.submod("cpu0")
                .unwrap()
                .extension("ear.veraison.annotated-evidence")
                .is_some()
        );
        // It has no nonce, so none can be demanded of it.
        let demanding = Check {
            nonce: ExpectedNonce::Echoed(b"12345678"),
            ..check
        };
        assert_eq!(
            decode(token.trim(), &keys, &demanding),
            Err(EarError::Nonce)
        );
    }
}

#[test]
fn a_recorded_result_is_refused_once_it_is_old_or_under_another_key() {
    let Some(folder) = vectors() else { return };
    let read = |name: &str| std::fs::read_to_string(folder.join("ear").join(name)).unwrap();
    let veraison = VerificationKeys::from_jwk(&read("veraison-ear-verification-key.jwk")).unwrap();
    let trustee = VerificationKeys::from_jwk_set(&read("trustee-jwks.json")).unwrap();
    let token = read("veraison-psa-affirming.ear.jwt");
    let nonce = BASE64_URL_SAFE_NO_PAD.decode(VERAISON[2].1).unwrap();
    let fresh = check(RECORDED_AT, ExpectedNonce::Echoed(&nonce));
    assert_eq!(
        decode(token.trim(), &trustee, &fresh),
        Err(EarError::BadSignature)
    );
    let late = Check {
        now: at(RECORDED_AT + 3600),
        ..fresh.clone()
    };
    assert_eq!(
        decode(token.trim(), &veraison, &late),
        Err(EarError::Expired)
    );
    let early = Check {
        now: at(RECORDED_AT - 62),
        ..fresh.clone()
    };
    assert_eq!(
        decode(token.trim(), &veraison, &early),
        Err(EarError::Future)
    );
    let unasked = Check {
        nonce: ExpectedNonce::InAnotherClaim,
        ..fresh
    };
    assert_eq!(
        decode(token.trim(), &veraison, &unasked),
        Err(EarError::Nonce)
    );
}
