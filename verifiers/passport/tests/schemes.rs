//! The demands of a scheme on a result, whatever its issuer affirms.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::Evidence;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_passport::PassportSetupError;
use atls_passport::PassportVerifier;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use atls_sim::IMPLEMENTATION_ID;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;

const NOW: u64 = 1_000_000;

// --- Something is compared ---------------------------------------------------------------------------------------------

/// Trustee echoes nothing, so a result that does not report the value of the Evidence is about any connection.
#[tokio::test]
async fn a_part_that_reports_no_value_is_not_enough_for_trustee() {
    let office = Office::trustee(&[
        checks_freshness("cpu0", "mine"),
        checks_freshness("gpu0", "mine"),
        Scheme::trustee("tdx", "mine"),
    ]);
    let connection = Connection::new();
    let cpu = part(&json!({
        "report_data": hex(&test_support::sha512(connection.bound().as_bytes())),
        "tdx": { "td_attributes": { "debug": false } },
    }));
    let unbound = part(&json!({ "report_data": "00".repeat(64), "tdx": {} }));
    let both = json!({ "cpu0": cpu, "gpu0": unbound });
    assert!(office.appraise(&connection, &both).await.is_ok());
    for submods in [
        json!({ "cpu0": unbound }),
        json!({ "gpu0": unbound }),
        json!({ "gpu0": cpu }),
    ] {
        let refused = office.appraise(&connection, &submods).await;
        assert_eq!(refused.unwrap_err(), AppraisalError::NotBound);
    }
}

#[test]
fn trustee_without_a_scheme_that_compares_anything_is_no_configuration() {
    let built = |schemes: &[Scheme]| Office::trustee_issuer(&Signer::es256(), schemes);
    let refused = built(&[checks_freshness("cpu0", "mine")]).unwrap_err();
    assert_eq!(refused, PassportSetupError::NothingCompared);
    let key = Scheme::dangerous_key_only("cpu0", "mine", Origin::Device);
    let refused = built(&[checks_freshness("cpu0", "mine"), key.clone()]);
    assert_eq!(refused.unwrap_err(), PassportSetupError::NothingCompared);
    assert!(built(&[key]).is_ok());
    assert!(built(&[Scheme::trustee("tdx", "mine")]).is_ok());
}

/// They affirm replayed Evidence, whoever declares otherwise.
#[test]
fn a_scheme_that_is_known_to_compare_nothing_is_no_configuration() {
    for part in ["TPM_ENACTTRUST", "PARSEC_TPM", "PARSEC_CCA", "RIOT"] {
        for issuer in [TrustedIssuer::veraison, |keys| {
            TrustedIssuer::ietf(keys, "i")
        }] {
            let issuer = issuer(Arc::new(Signer::es256().keys()));
            let schemes = [Scheme::psa_iot("p"), checks_freshness(part, "p")];
            let refused = build(issuer, &schemes).unwrap_err();
            assert_eq!(refused, PassportSetupError::Replayable(part.to_owned()));
        }
        // Nothing of a connection is claimed by this one.
        let issuer = TrustedIssuer::veraison(Arc::new(Signer::es256().keys()));
        let key = Scheme::dangerous_key_only(part, "p", Origin::Device);
        assert!(build(issuer, &[key]).is_ok());
    }
}

// --- What the background check judges by itself ------------------------------------------------------------------------

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
    let tdx = |debug: Value| json!({ "tdx": { "td_attributes": { "debug": debug } } });
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
        ("tdx", tdx(no), closed),
        ("tdx", tdx(yes), open.clone()),
        ("tdx", tdx("false".into()), open),
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

// --- Helpers -----------------------------------------------------------------------------------------------------------

struct Office {
    signer: Signer,
    verifier: PassportVerifier,
    claims: Value,
}

impl Office {
    fn veraison(nonce: &[u8], schemes: &[Scheme]) -> Self {
        let signer = Signer::es256();
        let issuer = TrustedIssuer::veraison(Arc::new(signer.keys()));
        Self {
            verifier: build(issuer, schemes).unwrap(),
            signer,
            claims: json!({
                "eat_profile": "tag:github.com,2023:veraison/ear",
                "iat": NOW, "eat_nonce": BASE64_URL_SAFE.encode(nonce),
                "ear.verifier-id": { "developer": "d", "build": "b" },
            }),
        }
    }

    fn trustee(schemes: &[Scheme]) -> Self {
        let signer = Signer::es256();
        Self {
            verifier: Self::trustee_issuer(&signer, schemes).unwrap(),
            signer,
            claims: json!({
                "eat_profile": "tag:github.com,2024:confidential-containers/Trustee",
                "iat": NOW, "exp": NOW + 300, "iss": "CoCo-Attestation-Service",
                "ear.verifier-id": { "developer": "d", "build": "b" },
            }),
        }
    }

    fn trustee_issuer(
        signer: &Signer,
        schemes: &[Scheme],
    ) -> Result<PassportVerifier, PassportSetupError> {
        build(TrustedIssuer::trustee(Arc::new(signer.keys())), schemes)
    }

    async fn appraise(
        &self,
        connection: &Connection,
        submods: &Value,
    ) -> Result<Appraised, AppraisalError> {
        let mut claims = self.claims.clone();
        claims["submods"] = submods.clone();
        let token = self.signer.token(&claims);
        let media_type = &self.verifier.media_types()[0];
        let passport = Evidence::new(media_type, token.as_bytes(), connection.bound());
        self.verifier.appraise(&passport, at(NOW)).await
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

async fn trustee(tee: &str, annotated: &Value) -> Result<Tier, AppraisalError> {
    let connection = Connection::new();
    let mut annotated = annotated.clone();
    annotated["report_data"] = hex(&test_support::sha512(connection.bound().as_bytes())).into();
    let office = Office::trustee(&[Scheme::trustee(tee, "mine")]);
    let older = part(&annotated);
    let claims = &older["ear.veraison.annotated-evidence"];
    // Wherever Trustee's results have them, now and soon, it comes to the same.
    let beside = json!({ "tee": tee, "claims": claims[tee], "report_data": claims["report_data"] });
    let mut appraised = Vec::new();
    for (old, new) in [
        (Some(claims), None),
        (None, Some(claims)),
        (None, Some(&beside)),
        (Some(claims), Some(&beside)),
    ] {
        let mut part = older.clone();
        let cpu = part.as_object_mut().unwrap();
        if old.is_none() {
            cpu.remove("ear.veraison.annotated-evidence");
        }
        if let Some(new) = new {
            cpu.insert("ear_attester_claims".to_owned(), new.clone());
        }
        let result = office.appraise(&connection, &json!({ "cpu0": part })).await;
        appraised.push(result.map(|appraised| appraised.ear().status()));
    }
    assert!(
        appraised.iter().all(|other| *other == appraised[0]),
        "{appraised:?}"
    );
    appraised.remove(0)
}

/// Where two places disagree, the worse counts.
#[tokio::test]
async fn debugging_that_either_place_tells_of_is_contraindicated() {
    let connection = Connection::new();
    let office = Office::trustee(&[Scheme::trustee("tdx", "mine")]);
    let data = hex(&test_support::sha512(connection.bound().as_bytes()));
    let claims = |debug: bool| json!({ "report_data": data, "tdx": { "td_attributes": { "debug": debug } } });
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

fn build(
    issuer: TrustedIssuer,
    schemes: &[Scheme],
) -> Result<PassportVerifier, PassportSetupError> {
    let schemes = schemes.iter().cloned();
    let issuer = schemes.fold(issuer, TrustedIssuer::with_scheme);
    let provider = rustls::crypto::ring::default_provider();
    PassportVerifier::builder(&provider).issuer(issuer).build()
}

fn checks_freshness(part: &str, policy: &str) -> Scheme {
    Scheme::checks_freshness(part, policy, |bound| bound.sha512().into(), Origin::Device)
}

/// Affirmed under the policy `mine`. Members that are null are left out.
fn part(annotated: &Value) -> Value {
    let annotated = without_nulls(annotated);
    json!({
        "ear.status": "affirming", "ear.appraisal-policy-id": "mine",
        "ear.veraison.annotated-evidence": annotated,
    })
}

fn without_nulls(value: &Value) -> Value {
    let Value::Object(members) = value else {
        return value.clone();
    };
    let kept = members.iter().filter(|(_, value)| !value.is_null());
    kept.map(|(name, value)| (name.clone(), without_nulls(value)))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
