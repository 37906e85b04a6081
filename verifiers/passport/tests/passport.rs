//! Passports, good and bad, over whole credentials.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;
use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::Attester;
use atls_core::Binding;
use atls_core::Bound;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::Fault;
use atls_core::Issuer;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::ear::EarError;
use atls_core::ear::KeySource;
use atls_core::ear::Tier;
use atls_core::ear::VerificationKeys;
use atls_core::pki_types::UnixTime;
use atls_passport::PassportAttester;
use atls_passport::PassportSetupError;
use atls_passport::PassportVerifier;
use atls_passport::ReusablePassport;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use atls_sim::IMPLEMENTATION_ID;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;
use test_support::identity;
use test_support::vectors;

const NOW: u64 = 1_000_000;
const POLICY: &str = "policy:PSA_IOT";

// --- Fresh passports ---------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_passport_for_this_connection_is_accepted() {
    for connection in [Connection::new(), Connection::sha384()] {
        let office = Office::new();
        let credential = connection.attested(&office.attester()).await;
        let verifier = office.psa();
        let peer = accept(&verifier, credential, StandardPolicy::new());
        let peer = peer.await.unwrap();
        assert_eq!(peer.status(), Tier::Affirming);
        assert_eq!(peer.binding(), Binding::Connection);
        assert_eq!(peer.items()[0].origin(), Origin::Device);
    }
}

#[tokio::test]
async fn a_passport_of_another_connection_is_refused() {
    let office = Office::new();
    let identity = identity();
    // The same two, the same key, and another connection.
    let (one, other) = (Connection::of(&identity), Connection::of(&identity));
    let passport = office.attester().attest(one.to_attest()).await.unwrap();
    let relayed = accept(
        &office.psa(),
        other.finish(&passport),
        StandardPolicy::new(),
    )
    .await;
    let refusal = relayed.unwrap_err();
    assert_eq!(refusal, Refusal::Appraisal(AppraisalError::NotBound));
    assert_eq!(refusal.fault(), Fault::Peer);
}

#[tokio::test]
async fn an_attester_gets_no_passport_for_evidence_of_another_connection() {
    let office = Office::new();
    let connection = Connection::new();
    let replaying = PassportAttester::new(
        Arc::new(Replay(
            office
                .device
                .attest(Connection::new().to_attest())
                .await
                .unwrap(),
        )),
        Arc::new(office),
    );
    let refused = replaying.attest(connection.to_attest()).await;
    assert_eq!(
        refused.unwrap_err(),
        AttestError::NoResult(AppraisalError::NotBound)
    );
}

#[tokio::test]
async fn a_nonce_that_is_only_echoed_is_not_enough() {
    let office = Office::new();
    let connection = Connection::new();
    let nonce = connection.bound().as_bytes();
    let good = psa_claims(nonce, b"a device, has 32 bytes, as it is");
    let appraised = async |change: fn(&mut Value)| {
        let mut claims = good.clone();
        change(&mut claims);
        office.appraise(&office.psa(), &connection, &claims).await
    };
    assert!(appraised(|_| ()).await.is_ok());
    for change in [
        // The Evidence carried another value, or the result does not report it.
        (|claims| annotated(claims)["psa-nonce"] = BASE64_STANDARD.encode([7; 32]).into())
            as fn(&mut Value),
        |claims| annotated(claims)["psa-nonce"] = Value::Null,
        |claims| claims["submods"]["PSA_IOT"]["ear.veraison.annotated-evidence"] = Value::Null,
        // The result answers another request.
        |claims| claims["eat_nonce"] = BASE64_URL_SAFE.encode([7; 32]).into(),
        |claims| claims["eat_nonce"] = BASE64_URL_SAFE.encode([7; 31]).into(),
        |claims| remove(claims, "eat_nonce"),
        |claims| claims["submods"]["PSA_IOT"]["eat_nonce"] = BASE64_URL_SAFE.encode([7; 32]).into(),
        // Nobody declared that the issuer compares this.
        |claims| claims["submods"]["PSA_IOT"]["ear.appraisal-policy-id"] = "policy:lenient".into(),
        |claims| remove(&mut claims["submods"]["PSA_IOT"], "ear.appraisal-policy-id"),
        |claims| claims["submods"] = json!({ "TPM_ENACTTRUST": claims["submods"]["PSA_IOT"] }),
        |claims| claims["submods"]["TPM_ENACTTRUST"] = claims["submods"]["PSA_IOT"].clone(),
    ] {
        assert_eq!(
            appraised(change).await.unwrap_err(),
            AppraisalError::NotBound
        );
    }
}

#[tokio::test]
async fn a_shorter_or_longer_value_is_another_one() {
    let office = Office::new();
    let connection = Connection::new();
    let value = connection.bound().as_bytes();
    let zeros = [value, &[0; 16]].concat();
    for nonce in [&value[..16], &zeros[..], &[]] {
        let claims = psa_claims(nonce, b"a device, has 32 bytes, as it is");
        let refused = office.appraise(&office.psa(), &connection, &claims).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
    }
}

#[tokio::test]
async fn a_result_is_as_good_as_it_says() {
    let office = Office::new();
    let connection = Connection::new();
    for (status, executables, tier) in [
        ("affirming", 2, Tier::Affirming),
        ("warning", 2, Tier::Warning),
        ("none", 2, Tier::None),
        ("contraindicated", 2, Tier::Contraindicated),
        ("affirming", 33, Tier::Warning),
    ] {
        let mut claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
        claims["submods"]["PSA_IOT"]["ear.status"] = status.into();
        claims["submods"]["PSA_IOT"]["ear.trustworthiness-vector"]["executables"] =
            executables.into();
        let appraised = office
            .appraise(&office.psa(), &connection, &claims)
            .await
            .unwrap();
        assert_eq!(appraised.ear().status(), tier);
    }
    let mut claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    remove(&mut claims["submods"]["PSA_IOT"], "ear.status");
    let refused = office.appraise(&office.psa(), &connection, &claims).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
}

#[tokio::test]
async fn an_old_passport_is_refused() {
    let office = Office::new();
    let connection = Connection::new();
    let claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    let appraised = |name: &'static str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        let (office, connection) = (&office, &connection);
        async move {
            office
                .appraise(&office.psa(), connection, &claims)
                .await
                .map(drop)
        }
    };
    assert_eq!(appraised("iat", (NOW - 599).into()).await, Ok(()));
    assert_eq!(
        appraised("iat", (NOW - 600).into()).await,
        Err(AppraisalError::Expired)
    );
    assert_eq!(appraised("iat", (NOW + 60).into()).await, Ok(()));
    assert_eq!(
        appraised("iat", (NOW + 61).into()).await,
        Err(AppraisalError::Expired)
    );
    assert_eq!(
        appraised("iat", Value::Null).await,
        Err(AppraisalError::Malformed)
    );
    assert_eq!(appraised("exp", (NOW + 1).into()).await, Ok(()));
    assert_eq!(
        appraised("exp", NOW.into()).await,
        Err(AppraisalError::Expired)
    );
}

#[tokio::test]
async fn a_passport_of_an_unknown_issuer_is_refused() {
    let office = Office::new();
    let connection = Connection::new();
    let claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    let attacker = Signer::es256();
    let header = json!({ "alg": "ES256", "jwk": attacker.jwk(), "jku": "https://attacker.example", "x5c": ["AA=="] });
    let altered = {
        let token = office.signer.token(&claims);
        let (message, _) = token.rsplit_once('.').unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode([1; 64]))
    };
    for (token, expected) in [
        (
            attacker.token_with(&header, &claims),
            AppraisalError::BadSignature,
        ),
        (altered, AppraisalError::BadSignature),
        (Signer::ps384().token(&claims), AppraisalError::UnknownKey),
        (Signer::unsigned(&claims), AppraisalError::Malformed),
        (office.signer.confused(&claims), AppraisalError::Malformed),
        ("no token".to_owned(), AppraisalError::Malformed),
        (String::new(), AppraisalError::Malformed),
        ("a".repeat(70_000), AppraisalError::Malformed),
    ] {
        let refused = appraise(&office.psa(), &connection, token.as_bytes()).await;
        assert_eq!(refused.unwrap_err(), expected, "{token:.40}");
    }
    let refused = appraise(&office.psa(), &connection, &[0xff, 0xfe]).await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Malformed);
}

#[tokio::test]
async fn issuers_are_told_apart_by_their_keys() {
    let (one, other) = (Office::new(), Office::new());
    let issuer = |office: &Office, policy: &str| {
        TrustedIssuer::veraison(Arc::new(office.signer.keys())).with_scheme(Scheme::psa_iot(policy))
    };
    let verifier = builder()
        .issuer(issuer(&one, "policy:one"))
        .issuer(issuer(&other, "policy:other"))
        .build()
        .unwrap();
    assert_eq!(verifier.media_types().len(), 1);
    let connection = Connection::new();
    let mut claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    for (office, policy, accepted) in [
        (&one, "policy:one", true),
        (&other, "policy:other", true),
        // A policy counts for the issuer that it was configured with.
        (&one, "policy:other", false),
        (&other, "policy:one", false),
    ] {
        claims["submods"]["PSA_IOT"]["ear.appraisal-policy-id"] = policy.into();
        let appraised = office.appraise(&verifier, &connection, &claims).await;
        assert_eq!(appraised.is_ok(), accepted, "{policy}");
    }
}

#[tokio::test]
async fn missing_keys_of_an_issuer_are_no_fault_of_the_peer() {
    let issuer = TrustedIssuer::veraison(Arc::new(NoKeys)).with_scheme(Scheme::psa_iot(POLICY));
    let verifier = builder().issuer(issuer).build().unwrap();
    let connection = Connection::new();
    let claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    let refused = Office::new()
        .appraise(&verifier, &connection, &claims)
        .await;
    assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
}

// --- Simulators --------------------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_simulated_device_cannot_hide_behind_a_genuine_issuer() {
    let connection = Connection::new();
    let office = Office::new();
    let value = connection.bound().as_bytes();
    let hidden = |change: fn(&mut Value)| {
        let mut claims = psa_claims(value, &[1; 32]);
        change(&mut claims);
        claims
    };
    for claims in [
        psa_claims(value, &IMPLEMENTATION_ID),
        hidden(|claims| annotated(claims)["psa-implementation-id"] = Value::Null),
        hidden(|claims| annotated(claims)["psa-implementation-id"] = "?".into()),
    ] {
        let appraised = office
            .appraise(&office.psa(), &connection, &claims)
            .await
            .unwrap();
        assert_eq!(appraised.origin(), Origin::Simulated);
    }
    // The standard policy refuses it, though the issuer affirms.
    let passport = office.signer.token(&psa_claims(value, &IMPLEMENTATION_ID));
    let credential = connection.finish(&results(passport.as_bytes()));
    let refused = accept(&office.psa(), credential, StandardPolicy::new()).await;
    assert_eq!(
        refused.unwrap_err(),
        Refusal::Policy(PolicyViolation::Simulated)
    );
}

#[tokio::test]
async fn one_simulated_part_makes_the_whole_simulated() {
    let office = Office::new();
    let scheme = |part, origin| Scheme::checks_freshness(part, "p", Bound::verbatim, origin);
    let verifier = office.verifier(|issuer| {
        issuer
            .with_scheme(scheme("a", Origin::Device))
            .with_scheme(scheme("b", Origin::Simulated))
    });
    let connection = Connection::new();
    let part = json!({ "ear.status": "affirming", "ear.appraisal-policy-id": "p" });
    let mut claims = psa_claims(connection.bound().as_bytes(), &[1; 32]);
    for (submods, origin) in [
        (json!({ "a": part }), Origin::Device),
        (json!({ "b": part }), Origin::Simulated),
        (json!({ "a": part, "b": part }), Origin::Simulated),
    ] {
        claims["submods"] = submods;
        let appraised = office
            .appraise(&verifier, &connection, &claims)
            .await
            .unwrap();
        assert_eq!(appraised.origin(), origin);
    }
}

// --- Dialects ----------------------------------------------------------------------------------------------------------

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
                    "report_data": report_data, tee: { "td_attributes": { "debug": false } },
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

// --- Reusable passports -----------------------------------------------------------------------------------------------

#[tokio::test]
async fn a_reusable_passport_is_bound_to_its_key_and_refused_by_default() {
    let office = Office::new();
    let verifier = office.verifier(|issuer| {
        issuer.with_scheme(Scheme::dangerous_key_only(
            "PSA_IOT",
            POLICY,
            Origin::Device,
        ))
    });
    let identity = identity();
    let passport = office.reusable(&Connection::of(&identity).leaf_key());
    let loose = || StandardPolicy::new().dangerous_accept_binding(Binding::Key);
    for _ in 0..2 {
        let credential = Connection::of(&identity).attested(&passport).await;
        let refused = accept(&verifier, credential, StandardPolicy::new()).await;
        assert_eq!(
            refused.unwrap_err(),
            Refusal::Policy(PolicyViolation::Binding(Binding::Key))
        );
        let credential = Connection::of(&identity).attested(&passport).await;
        let peer = accept(&verifier, credential, loose()).await.unwrap();
        assert_eq!(peer.binding(), Binding::Key);
    }
    // Stolen, under another key.
    let credential = Connection::new().attested(&passport).await;
    let refused = accept(&verifier, credential, loose()).await;
    assert_eq!(refused.unwrap_err(), Refusal::KeyMismatch);
}

#[tokio::test]
async fn a_passport_about_a_key_is_nothing_where_only_fresh_ones_are_expected() {
    let office = Office::new();
    let identity = identity();
    let connection = Connection::of(&identity);
    let passport = office.reusable(&connection.leaf_key());
    let credential = connection.attested(&passport).await;
    let loose = StandardPolicy::new().dangerous_accept_binding(Binding::Key);
    let refused = accept(&office.psa(), credential, loose).await;
    assert_eq!(
        refused.unwrap_err(),
        Refusal::Appraisal(AppraisalError::NotBound)
    );
}

#[tokio::test]
async fn a_passport_without_key_or_with_two_is_about_none() {
    let office = Office::new();
    let scheme = |part| Scheme::dangerous_key_only(part, "p", Origin::Device);
    let verifier =
        office.verifier(|issuer| issuer.with_scheme(scheme("a")).with_scheme(scheme("b")));
    let part = |key: Value| {
        json!({
            "ear.status": "affirming", "ear.appraisal-policy-id": "p",
            "ear.veraison.key-attestation": { "akpub": key },
        })
    };
    let mut claims = psa_claims(&[7; 32], &[1; 32]);
    let connection = Connection::new();
    for (submods, accepted) in [
        (json!({ "a": part("AQI".into()) }), true),
        (
            json!({ "a": part("AQI".into()), "b": part("AQI=".into()) }),
            true,
        ),
        (
            json!({ "a": part("AQI".into()), "b": part("AQM".into()) }),
            false,
        ),
        (json!({ "a": part("".into()) }), false),
        (json!({ "a": part("?".into()) }), false),
        (json!({ "a": part(Value::Null) }), false),
        (json!({ "c": part("AQI".into()) }), false),
    ] {
        claims["submods"] = submods;
        let appraised = office.appraise(&verifier, &connection, &claims).await;
        assert_eq!(
            appraised.map(|appraised| appraised.binding()).ok(),
            accepted.then_some(Binding::Key)
        );
    }
}

#[tokio::test]
async fn a_configuration_that_accepts_nobody_is_refused() {
    let empty = builder().build();
    assert_eq!(empty.unwrap_err(), PassportSetupError::NoIssuer);
    let issuer = TrustedIssuer::veraison(Arc::new(Signer::es256().keys()));
    let idle = builder().issuer(issuer).build();
    assert_eq!(idle.unwrap_err(), PassportSetupError::NoScheme);
}

#[tokio::test]
async fn an_attester_with_several_devices_gets_no_passport() {
    let connection = Connection::new();
    let office = Office::new();
    let one = office.device.attest(connection.to_attest()).await.unwrap();
    let two = Cmw::collection(None, vec![("a".into(), one.clone()), ("b".into(), one)]).unwrap();
    let attester = PassportAttester::new(Arc::new(Replay(two)), Arc::new(office));
    let refused = attester.attest(connection.to_attest()).await;
    assert_eq!(
        refused.unwrap_err(),
        AttestError::NoResult(AppraisalError::Malformed)
    );
}

// --- Helpers -----------------------------------------------------------------------------------------------------------

/// An issuer that verifies Evidence as Veraison's PSA scheme does, and signs in its dialect.
struct Office {
    device: Arc<SimAttester>,
    signer: Arc<Signer>,
    verifier: Arc<SimVerifier>,
    media_type: MediaType,
}

impl Clone for Office {
    fn clone(&self) -> Self {
        Self {
            device: self.device.clone(),
            signer: self.signer.clone(),
            verifier: self.verifier.clone(),
            media_type: self.media_type.clone(),
        }
    }
}

impl Office {
    fn new() -> Self {
        let device = SimAttester::generate().unwrap();
        let verifier = SimVerifier::new(device.trust_anchor());
        Self {
            device: Arc::new(device),
            signer: Arc::new(Signer::es256()),
            verifier: Arc::new(verifier),
            media_type: veraison(),
        }
    }

    fn attester(&self) -> PassportAttester {
        PassportAttester::new(self.device.clone(), Arc::new(self.clone()))
    }

    fn psa(&self) -> Arc<PassportVerifier> {
        self.verifier(|issuer| issuer.with_scheme(Scheme::psa_iot(POLICY)))
    }

    fn verifier(&self, schemes: impl Fn(TrustedIssuer) -> TrustedIssuer) -> Arc<PassportVerifier> {
        let issuer = TrustedIssuer::veraison(Arc::new(self.signer.keys()));
        Arc::new(builder().issuer(schemes(issuer)).build().unwrap())
    }

    async fn appraise(
        &self,
        verifier: &PassportVerifier,
        connection: &Connection,
        claims: &Value,
    ) -> Result<Appraised, AppraisalError> {
        appraise(verifier, connection, self.signer.token(claims).as_bytes()).await
    }

    /// Of some earlier session, about a key.
    fn reusable(&self, key: &[u8]) -> ReusablePassport {
        let mut claims = psa_claims(&[7; 32], &[1; 32]);
        claims["submods"]["PSA_IOT"]["ear.veraison.key-attestation"] =
            json!({ "akpub": BASE64_URL_SAFE_NO_PAD.encode(key) });
        ReusablePassport::new(veraison(), self.signer.token(&claims).into_bytes())
    }
}

impl Issuer for Office {
    fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    fn issue<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
    ) -> BoxFuture<'a, Result<Vec<u8>, AppraisalError>> {
        Box::pin(async move {
            let appraised = self.verifier.appraise(evidence, at(NOW)).await?;
            assert_eq!(appraised.ear().status(), Tier::Affirming);
            // It takes the simulator for a device, as an issuer with that trust anchor would; so the ID is altered.
            let claims = psa_claims(
                evidence.bound().as_bytes(),
                b"a device, has 32 bytes, as it is",
            );
            Ok(self.signer.token(&claims).into_bytes())
        })
    }
}

/// An attester that always presents the same.
struct Replay(Cmw);

impl Attester for Replay {
    fn media_types(&self) -> &[MediaType] {
        &[]
    }

    fn attest<'a>(
        &'a self,
        _: atls_core::AttestRequest<'a>,
    ) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(std::future::ready(Ok(self.0.clone())))
    }
}

struct NoKeys;

impl KeySource for NoKeys {
    fn keys(&self, _: UnixTime) -> BoxFuture<'_, Result<VerificationKeys, EarError>> {
        Box::pin(std::future::ready(Err(EarError::NoKeys)))
    }
}

/// As a real Veraison writes them.
fn psa_claims(nonce: &[u8], implementation_id: &[u8]) -> Value {
    json!({
        "eat_profile": "tag:github.com,2023:veraison/ear",
        "iat": NOW,
        "eat_nonce": BASE64_URL_SAFE.encode(nonce),
        "ear.verifier-id": { "developer": "Veraison Project", "build": "stand-in" },
        "submods": { "PSA_IOT": {
            "ear.status": "affirming",
            "ear.trustworthiness-vector": { "executables": 2, "hardware": 2, "instance-identity": 2 },
            "ear.appraisal-policy-id": POLICY,
            "ear.veraison.annotated-evidence": {
                "psa-nonce": BASE64_STANDARD.encode(nonce),
                "psa-implementation-id": BASE64_STANDARD.encode(implementation_id),
                "psa-security-lifecycle": 0x3000,
            },
        } },
    })
}

fn annotated(claims: &mut Value) -> &mut Value {
    &mut claims["submods"]["PSA_IOT"]["ear.veraison.annotated-evidence"]
}

fn remove(claims: &mut Value, name: &str) {
    claims.as_object_mut().unwrap().remove(name);
}

fn veraison() -> MediaType {
    MediaType::parse("application/eat+jwt; eat_profile=\"tag:github.com,2023:veraison/ear\"")
        .unwrap()
}

fn results(passport: &[u8]) -> Cmw {
    Cmw::attestation_results(veraison(), passport.to_vec())
}

fn builder() -> atls_passport::PassportVerifierBuilder {
    let provider = rustls::crypto::ring::default_provider();
    PassportVerifier::builder(&provider).max_age(Duration::from_secs(600))
}

async fn appraise(
    verifier: &PassportVerifier,
    connection: &Connection,
    token: &[u8],
) -> Result<Appraised, AppraisalError> {
    let passport = Evidence::new(&verifier.media_types()[0], token, connection.bound());
    verifier.appraise(&passport, at(NOW)).await
}

async fn accept(
    verifier: &Arc<PassportVerifier>,
    credential: atls_core::exchange::Credential,
    policy: StandardPolicy,
) -> Result<PeerAttestation, Refusal> {
    let relying_party = RelyingParty::builder()
        .verifier(verifier.clone())
        .standard_policy(policy)
        .build()
        .unwrap();
    relying_party.appraise(credential, at(NOW)).await
}
