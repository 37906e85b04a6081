//! Passports of Trustee and of the draft, and composite ones.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::Evidence;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::ear::VerificationKeys;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;
use test_support::vectors;

use crate::office::NOW;
use crate::office::Office;
use crate::office::POLICY;
use crate::office::appraise;
use crate::office::builder;
use crate::office::psa_claims;
use crate::office::remove;
use crate::office::td;

#[tokio::test]
async fn a_passport_of_trustee_is_bound_by_its_report_data() {
    let signer = Signer::es256();
    let issuer = TrustedIssuer::trustee(Arc::new(signer.keys()))
        .with_scheme(Scheme::trustee("tdx", "mine"))
        .with_scheme(Scheme::trustee("sample", "mine"));
    let verifier = builder().issuer(issuer).build().unwrap();
    let connection = Connection::new();
    let challenge = test_support::sha512(connection.bound().as_bytes());
    let hex: String = challenge.iter().map(|byte| format!("{byte:02x}")).collect();
    let claims = |tee: &str, report_data: &str| {
        json!({
            "eat_profile": "tag:github.com,2024:confidential-containers/Trustee",
            "iat": NOW, "exp": NOW + 300, "iss": "CoCo-Attestation-Service",
            "ear.verifier-id": { "developer": "d", "build": "b" },
            "submods": { "cpu0": {
                "ear.status": "affirming", "ear.appraisal-policy-id": "mine",
                "ear.veraison.annotated-evidence": {
                    "report_data": report_data, tee: td(),
                },
            } },
        })
    };
    let appraised = |claims: Value| {
        let token = signer.token(&claims);
        let (verifier, connection) = (&verifier, &connection);
        async move {
            appraise(verifier, connection, token.as_bytes())
                .await
                .map(|appraised| appraised.origin())
        }
    };
    let base64 = BASE64_STANDARD.encode(&challenge);
    assert_eq!(appraised(claims("tdx", &hex)).await, Ok(Origin::Device));
    assert_eq!(
        appraised(claims("sample", &base64)).await,
        Ok(Origin::Simulated)
    );
    for unbound in [
        claims("snp", &hex),
        claims("tdx", &base64),
        claims("sample", &hex),
        claims("tdx", &hex[..64]),
        claims("tdx", &format!("{hex}00")),
        claims("tdx", &"00".repeat(64)),
    ] {
        assert_eq!(appraised(unbound).await, Err(AppraisalError::NotBound));
    }
    let mut endless = claims("tdx", &hex);
    remove(&mut endless, "exp");
    assert_eq!(appraised(endless).await, Err(AppraisalError::Malformed));
    let mut anothers = claims("tdx", &hex);
    anothers["iss"] = "another".into();
    assert_eq!(appraised(anothers).await, Err(AppraisalError::UnknownKey));
}

#[tokio::test]
async fn a_passport_of_the_draft_names_its_issuer() {
    let signer = Signer::es256();
    let issuer =
        TrustedIssuer::ietf(Arc::new(signer.keys()), "https://issuer.example").with_scheme(
            Scheme::checks_freshness("device", "p", Bound::verbatim, Origin::Device),
        );
    let verifier = builder().issuer(issuer).build().unwrap();
    let connection = Connection::new();
    let nonce = BASE64_URL_SAFE_NO_PAD.encode(connection.bound());
    let claims = json!({
        "eat_profile": "tag:ietf.org,2026:rats/ear#04", "iss": "https://issuer.example", "iat": NOW,
        "eat_nonce": nonce, "ear_verifier_id": { "developer": "d", "build": "b" },
        "submods": { "device": { "ear_status": "affirming", "ear_appraisal_policy_ids": ["p"] } },
    });
    let appraised = |change: fn(&mut Value)| {
        let mut claims = claims.clone();
        change(&mut claims);
        let token = signer.token(&claims);
        let (verifier, connection) = (&verifier, &connection);
        async move {
            appraise(verifier, connection, token.as_bytes())
                .await
                .map(drop)
        }
    };
    assert_eq!(appraised(|_| ()).await, Ok(()));
    let several = appraised(|claims| {
        claims["submods"]["device"]["ear_appraisal_policy_ids"] = json!(["p", "q"]);
    });
    assert_eq!(several.await, Err(AppraisalError::NotBound));
    let anothers = appraised(|claims| claims["iss"] = "https://other.example".into());
    assert_eq!(anothers.await, Err(AppraisalError::UnknownKey));
    // A dialect has a media type, and a token under it is of that dialect.
    let mislabelled =
        appraised(|claims| claims["eat_profile"] = "tag:ietf.org,2026:rats/ear#03".into());
    assert_eq!(mislabelled.await, Err(AppraisalError::Malformed));
}

#[tokio::test]
async fn a_realm_and_its_platform_come_together() {
    let office = Office::new();
    let policy = "policy:ARM_CCA";
    let verifier = office.verifier(|issuer| {
        issuer
            .with_scheme(Scheme::cca_realm(policy))
            .with_scheme(Scheme::cca_platform(policy))
    });
    let connection = Connection::new();
    let challenge = test_support::sha512(connection.bound().as_bytes());
    let platform = json!({
        "ear.status": "affirming", "ear.appraisal-policy-id": policy,
        "ear.veraison.annotated-evidence": { "cca-platform-lifecycle": 0x3000 },
    });
    let realm = |challenge: &[u8]| {
        let mut realm = platform.clone();
        let challenge = BASE64_STANDARD.encode(challenge);
        realm["ear.veraison.annotated-evidence"] = json!({ "cca-realm-challenge": challenge });
        realm
    };
    let mut claims = psa_claims(&challenge, &[1; 32]);
    for (submods, accepted) in [
        (
            json!({ "CCA_REALM": realm(&challenge), "CCA_SSD_PLATFORM": platform }),
            true,
        ),
        (
            json!({ "CCA_REALM": realm(&[7; 64]), "CCA_SSD_PLATFORM": platform }),
            false,
        ),
        (json!({ "CCA_REALM": realm(&challenge) }), false),
        (json!({ "CCA_SSD_PLATFORM": platform }), false),
    ] {
        claims["submods"] = submods;
        let appraised = office.appraise(&verifier, &connection, &claims).await;
        assert_eq!(appraised.is_ok(), accepted, "{claims}");
    }
}

#[tokio::test]
async fn a_recorded_passport_is_about_its_own_session() {
    let Some(folder) = vectors() else { return };
    let read = |name: &str| std::fs::read_to_string(folder.join("ear").join(name)).unwrap();
    let keys = VerificationKeys::from_jwk(&read("veraison-ear-verification-key.jwk")).unwrap();
    let issuer = TrustedIssuer::veraison(Arc::new(keys))
        .with_scheme(Scheme::psa_iot(POLICY))
        .with_scheme(Scheme::cca_realm("policy:ARM_CCA"))
        .with_scheme(Scheme::cca_platform("policy:ARM_CCA"));
    let verifier = builder().issuer(issuer).build().unwrap();
    // Genuine and affirming, under a trusted key, in its time; and of another connection.
    for name in [
        "veraison-psa-affirming",
        "veraison-cca-affirming",
        "veraison-tpm-enacttrust-affirming-any-nonce",
    ] {
        let token = read(&format!("{name}.ear.jwt"));
        let connection = Connection::new();
        let media_type = &verifier.media_types()[0];
        let passport = Evidence::new(media_type, token.trim().as_bytes(), connection.bound());
        let refused = verifier.appraise(&passport, at(1_795_468_150)).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::NotBound, "{name}");
    }
}
