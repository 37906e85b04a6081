//! Genuine tokens that are refused.

use atls_cca::CcaKeys;
use atls_cca::CcaPolicy;
use atls_cca::PsaKeys;
use atls_cca::TrustedKey;
use atls_core::AppraisalError;
use atls_core::ear::Tier;
use atls_reference::Live;
use test_support::at;
use test_support::ready;

use crate::samples::NOW;
use crate::samples::appraise;
use crate::samples::cca_corims;
use crate::samples::file;
use crate::samples::json;
use crate::samples::jwk;
use crate::samples::keys_in_software;
use crate::samples::policy_of;
use crate::samples::psa_corim;
use crate::samples::verifier;

/// Both signatures are good and the platform vouches for another key: issue 33 of `ccatoken`, whose release affirms it.
#[test]
fn a_realm_token_that_no_platform_token_vouches_for_is_refused() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let evidence = file(&folder, "cca/bug-33-repro.cbor");
    let cpak = jwk(&json(&folder, "cca/cpak.json"));
    let refused = appraise(&evidence, &cpak, policy_of(&evidence)).map(drop);
    assert_eq!(refused, Err(AppraisalError::UnknownKey));
}

#[test]
fn a_token_under_another_key_is_refused() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let evidence = file(&folder, "cca/cca-token-02.cbor");
    let policy = || policy_of(&evidence);
    let good = jwk(&json(&folder, "cca/ta-02-ok.json")[0]["pkey"]);
    let recorded = appraise(&evidence, &good, policy()).unwrap();
    assert_eq!(recorded.ear().status(), Tier::Affirming);
    let bad = jwk(&json(&folder, "cca/ta-02-bad.json")[0]["pkey"]);
    let refused = appraise(&evidence, &bad, policy()).map(drop);
    assert_eq!(refused, Err(AppraisalError::BadSignature));
    // Its header says ES256, and the key is of P-384.
    let longer = jwk(&json(&folder, "cca/cpak.json"));
    let refused = appraise(&evidence, &longer, policy()).map(drop);
    assert_eq!(refused, Err(AppraisalError::BadSignature));
}

#[test]
fn any_flipped_bit_of_a_signed_part_is_refused() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let evidence = file(&folder, "corim/cca-good.cbor");
    let [platform, realm] = cca_corims(&folder);
    let keys = keys_in_software(&platform);
    let policy = CcaPolicy::dangerous_from_corims_without_end(&platform, &realm).unwrap();
    let verifier = verifier(keys, policy);
    // Every bit is altered in `realms.rs`.
    for index in (0..evidence.len()).step_by(7) {
        let mut flipped = evidence.clone();
        flipped[index] ^= 0x10;
        let refused = ready(verifier.appraise_recorded(&flipped, at(NOW)));
        assert!(refused.is_err(), "{index}");
    }
}

#[test]
fn a_published_key_is_taken_for_one_in_software_alone() {
    let Some(folder) = test_support::vectors() else {
        return;
    };
    let [platform, _] = cca_corims(&folder);
    let refused = platform
        .dangerous_table_without_end::<CcaKeys>()
        .unwrap_err()
        .to_string();
    assert!(refused.contains("cpak[0].public"), "{refused}");
    let psa = psa_corim(&folder);
    let refused = psa
        .dangerous_table_without_end::<PsaKeys>()
        .unwrap_err()
        .to_string();
    assert!(refused.contains("iak[0].public"), "{refused}");
    for text in ["cca/cca_platform.pub", "psa/public.pem"] {
        let public = std::fs::read_to_string(folder.join(text)).unwrap();
        let public = atls_cca::PublicKey::from_pem(&public).unwrap();
        let key = TrustedKey::new("reference firmware", [7; 32], [1; 33], public);
        assert!(Live::fixed(CcaKeys::new(vec![key.clone()])).is_err());
        assert!(Live::fixed(PsaKeys::new(vec![key.clone()])).is_err());
        assert!(Live::fixed(CcaKeys::new(vec![key.in_software()])).is_ok());
    }
}
