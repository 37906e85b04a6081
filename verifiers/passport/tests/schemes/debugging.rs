//! Devices that are open to debugging, and simulated ones.

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Origin;
use atls_core::ear::Tier;
use atls_passport::Scheme;
use atls_sim::IMPLEMENTATION_ID;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;

use crate::office::Office;
use crate::office::checks_freshness;
use crate::office::hex;
use crate::office::part;
use crate::office::td;
use crate::office::trustee;

#[tokio::test]
async fn a_device_that_is_open_to_debugging_is_contraindicated_though_its_issuer_affirms() {
    for code in [
        0x0000, 0x1000, 0x2fff, 0x3100, 0x4000, 0x40ff, 0x5000, 0xffff, 0x1_3000,
    ] {
        let lifecycle = json!(code);
        assert_eq!(
            psa(&lifecycle).await,
            Ok(Tier::Contraindicated),
            "{code:#x}"
        );
        assert_eq!(
            cca(&lifecycle).await,
            Ok(Tier::Contraindicated),
            "{code:#x}"
        );
    }
    for code in [0x3000, 0x3080, 0x30ff] {
        assert_eq!(psa(&json!(code)).await, Ok(Tier::Affirming), "{code:#x}");
        assert_eq!(cca(&json!(code)).await, Ok(Tier::Affirming), "{code:#x}");
    }
    for unreadable in [json!("12288"), json!(-1), json!(12288.5), json!([])] {
        assert_eq!(psa(&unreadable).await, Ok(Tier::Contraindicated));
    }
    // A claim that is missing is not known.
    assert_eq!(psa(&Value::Null).await, Err(AppraisalError::Malformed));
    assert_eq!(cca(&Value::Null).await, Err(AppraisalError::Malformed));
}

#[tokio::test]
async fn a_guest_that_may_be_debugged_or_moved_is_contraindicated_though_its_issuer_affirms() {
    let snp = |debug: Value, migrate: Value| json!({ "snp": { "policy_debug_allowed": debug, "policy_migrate_ma": migrate } });
    let of_bits = |debug: Value, bits: Value| {
        let body = json!({ "body": { "td_attributes": bits } });
        json!({ "tdx": { "td_attributes": { "debug": debug }, "quote": body } })
    };
    let tdx = |debug: Value| of_bits(debug, "0000001000000000".into());
    let (yes, no) = (Value::Bool(true), Value::Bool(false));
    let closed = Ok(Tier::Affirming);
    let open = Ok(Tier::Contraindicated);
    let unreported = Err(AppraisalError::Malformed);
    for (tee, annotated, expected) in [
        ("snp", snp(no.clone(), no.clone()), closed.clone()),
        ("snp", snp(yes.clone(), no.clone()), open.clone()),
        ("snp", snp(no.clone(), yes.clone()), open.clone()),
        ("snp", snp("false".into(), no.clone()), open.clone()),
        ("snp", snp(Value::Null, no.clone()), unreported.clone()),
        ("snp", snp(no.clone(), Value::Null), unreported.clone()),
        ("snp", json!({ "snp": {} }), unreported.clone()),
        ("tdx", tdx(no.clone()), closed),
        ("tdx", tdx(yes), open.clone()),
        ("tdx", tdx("false".into()), open.clone()),
        // `MIGRATABLE`: a service TD that the host chose may move the TD.
        (
            "tdx",
            of_bits(no.clone(), "0000003000000000".into()),
            open.clone(),
        ),
        (
            "tdx",
            of_bits(no.clone(), "0100001000000000".into()),
            open.clone(),
        ),
        (
            "tdx",
            of_bits(no.clone(), "00000010000000".into()),
            open.clone(),
        ),
        ("tdx", of_bits(no.clone(), "?".into()), open.clone()),
        ("tdx", of_bits(no.clone(), 0.into()), open),
        ("tdx", of_bits(no, Value::Null), unreported.clone()),
        ("tdx", tdx(Value::Null), unreported.clone()),
        ("tdx", json!({ "tdx": {} }), unreported),
    ] {
        assert_eq!(trustee(tee, &annotated).await, expected, "{annotated}");
    }
}

/// Also where the scheme does not demand the claim.
#[tokio::test]
async fn a_device_that_is_reported_open_is_contraindicated_under_any_scheme() {
    let connection = Connection::new();
    let challenge = test_support::sha512(connection.bound().as_bytes());
    let key = json!({ "akpub": "AQI" });
    for scheme in [
        checks_freshness("PSA_IOT", "mine"),
        Scheme::dangerous_key_only("PSA_IOT", "mine", Origin::Device),
    ] {
        let office = Office::veraison(&challenge, &[scheme]);
        for (code, tier) in [(0x3000, Tier::Affirming), (0x4000, Tier::Contraindicated)] {
            let mut part = part(&json!({ "psa-security-lifecycle": code }));
            part["ear.veraison.key-attestation"] = key.clone();
            let appraised = office
                .appraise(&connection, &json!({ "PSA_IOT": part }))
                .await;
            assert_eq!(appraised.unwrap().ear().status(), tier);
        }
    }
}

#[test]
fn a_tee_with_unknown_claims_about_debugging_is_no_configuration() {
    for (scheme, known) in [
        (Scheme::trustee("snp", "mine"), true),
        (Scheme::trustee("tdx", "mine"), true),
        (Scheme::trustee("sample", "mine"), true),
        (Scheme::trustee_azure("az-snp-vtpm", "mine"), true),
        (Scheme::trustee_azure("az-tdx-vtpm", "mine"), true),
        (Scheme::trustee("sgx", "mine"), false),
        (Scheme::trustee_azure("", "mine"), false),
    ] {
        let built = Office::trustee_issuer(&Signer::es256(), std::slice::from_ref(&scheme));
        assert_eq!(built.is_ok(), known, "{scheme:?}");
    }
}

#[tokio::test]
async fn a_simulated_cca_platform_cannot_hide_behind_a_genuine_issuer() {
    let connection = Connection::new();
    for (id, origin) in [
        (json!(BASE64_STANDARD.encode([0; 32])), Origin::Device),
        (
            json!(BASE64_STANDARD.encode(IMPLEMENTATION_ID)),
            Origin::Simulated,
        ),
        (json!("?"), Origin::Simulated),
        (Value::Null, Origin::Simulated),
    ] {
        let appraised = cca_of(&connection, &json!(0x3000), &id).await;
        assert_eq!(appraised.unwrap().origin(), origin, "{id}");
    }
}

/// The tier of a PSA token with this lifecycle, affirmed.
async fn psa(lifecycle: &Value) -> Result<Tier, AppraisalError> {
    let connection = Connection::new();
    let value = connection.bound().as_bytes();
    let office = Office::veraison(value, &[Scheme::psa_iot("mine")]);
    let part = part(&json!({
        "psa-nonce": BASE64_STANDARD.encode(value),
        "psa-implementation-id": BASE64_STANDARD.encode([0; 32]),
        "psa-security-lifecycle": lifecycle,
    }));
    let appraised = office
        .appraise(&connection, &json!({ "PSA_IOT": part }))
        .await;
    Ok(appraised?.ear().status())
}

async fn cca(lifecycle: &Value) -> Result<Tier, AppraisalError> {
    let id = json!(BASE64_STANDARD.encode([0; 32]));
    let appraised = cca_of(&Connection::new(), lifecycle, &id).await;
    Ok(appraised?.ear().status())
}

async fn cca_of(
    connection: &Connection,
    lifecycle: &Value,
    id: &Value,
) -> Result<Appraised, AppraisalError> {
    let challenge = test_support::sha512(connection.bound().as_bytes());
    let schemes = [Scheme::cca_realm("mine"), Scheme::cca_platform("mine")];
    let submods = json!({
        "CCA_REALM": part(&json!({ "cca-realm-challenge": BASE64_STANDARD.encode(&challenge) })),
        "CCA_SSD_PLATFORM": part(&json!({
            "cca-platform-lifecycle": lifecycle,
            "cca-platform-implementation-id": id,
        })),
    });
    let office = Office::veraison(&challenge, &schemes);
    office.appraise(connection, &submods).await
}

/// Where two places disagree, the worse counts.
#[tokio::test]
async fn debugging_that_either_place_tells_of_is_contraindicated() {
    let connection = Connection::new();
    let office = Office::trustee(&[Scheme::trustee("tdx", "mine")]);
    let data = hex(&test_support::sha512(connection.bound().as_bytes()));
    let claims = |debug: bool| json!({ "report_data": data, "tdx": td(debug) });
    for (old, new) in [(false, true), (true, false)] {
        let mut part = part(&claims(old));
        part["ear_attester_claims"] = claims(new);
        let appraised = office.appraise(&connection, &json!({ "cpu0": part })).await;
        assert_eq!(appraised.unwrap().ear().status(), Tier::Contraindicated);
    }
    let mut part = part(&claims(false));
    part["ear_attester_claims"] = claims(false);
    part["ear_attester_claims"]["report_data"] = "00".repeat(64).into();
    let refused = office.appraise(&connection, &json!({ "cpu0": part })).await;
    assert_eq!(refused.map(drop), Err(AppraisalError::NotBound));
}
