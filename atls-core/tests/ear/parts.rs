//! The parts of a result, and results that are made here.

use std::rc::Rc;
use std::time::Duration;

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerificationKeys;
use atls_core::ear::VerifierId;
use atls_core::ear::cwt;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;
use test_support::at;
use test_support::vectors;

use crate::fixtures::RECORDED_AT;
use crate::fixtures::VERAISON;
use crate::support::issuer::Issuer;
use crate::support::issuer::NONCE;
use crate::support::issuer::check;
use crate::support::issuer::decode;
use crate::support::issuer::dotted;
use crate::support::issuer::underscored;
use crate::support::issuer::with;
use crate::support::providers;

#[test]
fn every_part_that_is_expected_must_be_there() {
    let issuer = Issuer::es256();
    let part = || json!({ "ear.status": "affirming" });
    let read_ear = |parts: &[&str], submods: Value| {
        let check = Check {
            submods: parts,
            ..check(1_000_000, ExpectedNonce::Echoed(NONCE))
        };
        let token = issuer.jwt(&with(dotted(), "submods", submods));
        decode(&token, &issuer.keys(), &check).map(|ear| ear.status())
    };
    let cca = ["CCA_REALM", "CCA_SSD_PLATFORM"];
    let whole = json!({ "CCA_REALM": part(), "CCA_SSD_PLATFORM": part() });
    assert_eq!(read_ear(&cca, whole.clone()), Ok(Tier::Affirming));
    assert_eq!(read_ear(&cca[..1], whole), Ok(Tier::Affirming));
    let platform_alone = json!({ "CCA_SSD_PLATFORM": part() });
    assert_eq!(
        read_ear(&cca, platform_alone.clone()),
        Err(EarError::MissingSubmod)
    );
    assert_eq!(read_ear(&[], platform_alone), Ok(Tier::Affirming));
    let renamed = json!({ "cca_realm": part(), "CCA_SSD_PLATFORM": part() });
    assert_eq!(read_ear(&cca, renamed), Err(EarError::MissingSubmod));
    assert_eq!(read_ear(&[], json!({})), Err(EarError::Malformed));
}

#[test]
fn a_recorded_composite_without_its_realm_would_be_refused() {
    let Some(folder) = vectors() else { return };
    let read = |name: &str| std::fs::read_to_string(folder.join("ear").join(name)).unwrap();
    let keys = VerificationKeys::from_jwk(&read("veraison-ear-verification-key.jwk")).unwrap();
    let nonce = BASE64_URL_SAFE_NO_PAD.decode(VERAISON[0].1).unwrap();
    let token = read("veraison-cca-affirming.ear.jwt");
    let read_ear = |submods: &[&str]| {
        let check = Check::new(
            at(RECORDED_AT),
            Duration::from_secs(3600),
            ExpectedNonce::Echoed(&nonce),
        );
        decode(token.trim(), &keys, &check.with_submods(submods)).map(drop)
    };
    assert_eq!(read_ear(&["CCA_REALM", "CCA_SSD_PLATFORM"]), Ok(()));
    let refused = read_ear(&["CCA_REALM", "CCA_SSD_PLATFORM", "GPU"]);
    assert_eq!(refused, Err(EarError::MissingSubmod));
}

#[test]
fn a_local_result_cannot_be_made_better_than_its_vector() {
    let vector = TrustVector::new().with(Category::Executables, TrustClaim::new(33));
    let appraisal = Appraisal::new(vector).with_status(Tier::Affirming);
    assert_eq!(appraisal.status(), Tier::Warning);
    let verifier = VerifierId::new("us", "1");
    let ear = Ear::local(
        verifier,
        at(1),
        "a",
        appraisal.clone().with_status(Tier::Contraindicated),
    );
    assert_eq!(
        ear.clone().with_submod("a", appraisal).status(),
        Tier::Contraindicated
    );
    assert_eq!(ear.status(), Tier::Contraindicated);
}

proptest! {
    #[test]
    fn arbitrary_claims_never_panic(name in "[a-z_.]{1,20}", value in "[ -~]{0,40}", number in any::<i64>()) {
        let issuer = fixed_issuer();
        for value in [json!(value), json!(number), json!({ name.clone(): value }), json!([number])] {
            for known in ["ear_status", "submods", "eat_nonce", "iat", "exp", &name] {
                let _ = issuer.read_ear(&with(underscored(), known, value.clone()));
            }
        }
    }

    #[test]
    fn arbitrary_tokens_never_panic(text in "[A-Za-z0-9_.-]{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let issuer = fixed_issuer();
        let check = check(1_000_000, ExpectedNonce::Echoed(NONCE));
        let supported = &providers()[0].signature_verification_algorithms;
        prop_assert!(decode(&text, &issuer.keys(), &check).is_err());
        prop_assert!(cwt::decode(&bytes, &issuer.keys(), supported, &check).is_err());
    }
}

fn fixed_issuer() -> Rc<Issuer> {
    FIXED.with(Rc::clone)
}

thread_local! {
    static FIXED: Rc<Issuer> = Rc::new(Issuer::es256());
}
