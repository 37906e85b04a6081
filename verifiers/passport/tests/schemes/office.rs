//! An issuer that signs whatever a test says.

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
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE;
use serde_json::Value;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;
use test_support::at;

pub(crate) const NOW: u64 = 1_000_000;

pub(crate) struct Office {
    signer: Signer,
    verifier: PassportVerifier,
    pub(crate) claims: Value,
}

impl Office {
    pub(crate) fn veraison(nonce: &[u8], schemes: &[Scheme]) -> Self {
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

    pub(crate) fn trustee(schemes: &[Scheme]) -> Self {
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

    pub(crate) fn trustee_issuer(
        signer: &Signer,
        schemes: &[Scheme],
    ) -> Result<PassportVerifier, PassportSetupError> {
        build(TrustedIssuer::trustee(Arc::new(signer.keys())), schemes)
    }

    pub(crate) async fn appraise(
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

pub(crate) async fn trustee(tee: &str, annotated: &Value) -> Result<Tier, AppraisalError> {
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

pub(crate) fn build(
    issuer: TrustedIssuer,
    schemes: &[Scheme],
) -> Result<PassportVerifier, PassportSetupError> {
    let schemes = schemes.iter().cloned();
    let issuer = schemes.fold(issuer, TrustedIssuer::with_scheme);
    let provider = rustls::crypto::ring::default_provider();
    PassportVerifier::builder(&provider).issuer(issuer).build()
}

pub(crate) fn checks_freshness(part: &str, policy: &str) -> Scheme {
    Scheme::checks_freshness(part, policy, |bound| bound.sha512().into(), Origin::Device)
}

/// Affirmed under the policy `mine`. Members that are null are left out.
pub(crate) fn part(annotated: &Value) -> Value {
    let annotated = without_nulls(annotated);
    json!({
        "ear.status": "affirming", "ear.appraisal-policy-id": "mine",
        "ear.veraison.annotated-evidence": annotated,
    })
}

/// Trustee's claims about a TD that nobody moves.
pub(crate) fn td(debug: bool) -> Value {
    let body = json!({ "td_attributes": "0000001000000000" });
    json!({ "td_attributes": { "debug": debug }, "quote": { "body": body } })
}

pub(crate) fn without_nulls(value: &Value) -> Value {
    let Value::Object(members) = value else {
        return value.clone();
    };
    let kept = members.iter().filter(|(_, value)| !value.is_null());
    kept.map(|(name, value)| (name.clone(), without_nulls(value)))
        .collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
