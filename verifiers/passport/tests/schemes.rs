//! What a scheme demands of a result, whatever its issuer affirms.
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
use atls_passport::Carriage;
use atls_passport::PassportSetupError;
use atls_passport::PassportVerifier;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use serde_json::Value;
use serde_json::json;
use stand_in::Connection;
use stand_in::Signer;
use stand_in::at;

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
    let cpu = trustee_part(&json!({
        "report_data": hex(&stand_in::sha512(connection.bound().as_bytes())),
        "tdx": { "td_attributes": { "debug": false } },
    }));
    let unbound = trustee_part(&json!({ "report_data": "00".repeat(64), "tdx": {} }));
    let both = json!({ "cpu0": cpu, "gpu0": unbound });
    assert!(office.judge(&connection, &both).await.is_ok());
    for submods in [
        json!({ "cpu0": unbound }),
        json!({ "gpu0": unbound }),
        json!({ "gpu0": cpu }),
    ] {
        let refused = office.judge(&connection, &submods).await;
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

// --- Helpers -----------------------------------------------------------------------------------------------------------

struct Office {
    signer: Signer,
    verifier: PassportVerifier,
    claims: Value,
}

impl Office {
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

    async fn judge(
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

fn build(
    issuer: TrustedIssuer,
    schemes: &[Scheme],
) -> Result<PassportVerifier, PassportSetupError> {
    let schemes = schemes.iter().cloned();
    let issuer = schemes.fold(issuer, TrustedIssuer::scheme);
    let provider = rustls::crypto::ring::default_provider();
    PassportVerifier::builder(&provider).issuer(issuer).build()
}

fn checks_freshness(part: &str, policy: &str) -> Scheme {
    Scheme::checks_freshness(part, policy, Carriage::Sha512, Origin::Device)
}

fn trustee_part(annotated: &Value) -> Value {
    json!({
        "ear.status": "affirming", "ear.appraisal-policy-id": "mine",
        "ear.veraison.annotated-evidence": annotated,
    })
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
