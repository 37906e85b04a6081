//! Schemes that compare nothing.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_passport::PassportSetupError;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use serde_json::json;
use stand_in::Signer;
use test_support::Connection;

use crate::office::Office;
use crate::office::build;
use crate::office::checks_freshness;
use crate::office::hex;
use crate::office::part;
use crate::office::td;

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
        "tdx": td(false),
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
