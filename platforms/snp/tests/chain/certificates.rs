//! Validity, issuers and roots.

use atls_core::AppraisalError;
use atls_core::Origin;
use atls_core::ear::Tier;
use atls_snp::Product;
use atls_snp::testing::ForgedKey;
use atls_snp::testing::ForgedSnp;

use crate::changes::each_is_refused;
use crate::changes::refused;
use crate::support::NOW;
use crate::support::appraise;
use crate::support::milan;

#[test]
fn forged_platforms_are_affirmed_under_their_root_and_say_so() {
    for product in Product::ALL {
        for version in 2..=5 {
            let mut platform = ForgedSnp::new(product).unwrap();
            platform.report.version = version;
            let mut policy = platform.policy();
            policy.min_report_version = 2;
            let appraised = crate::support::appraise_by(&platform, policy).unwrap();
            assert_eq!(
                appraised.ear().status(),
                Tier::Affirming,
                "{product} {version}"
            );
            assert_eq!(appraised.origin(), Origin::Simulated);
        }
        let platform = ForgedSnp::with_vlek(product).unwrap();
        let appraised = appraise(&platform).unwrap();
        assert_eq!(appraised.ear().status(), Tier::Affirming, "{product}");
    }
}

#[test]
fn each_certificate_must_be_valid_now() {
    for (begins, ends) in [(0, NOW - 1), (NOW + 1, u64::from(u32::MAX))] {
        for place in ["vek", "ask", "ark"] {
            let mut it = milan();
            let validity = match place {
                "vek" => (&mut it.vek.not_before, &mut it.vek.not_after),
                "ask" => (&mut it.ask.not_before, &mut it.ask.not_after),
                _ => (&mut it.ark.not_before, &mut it.ark.not_after),
            };
            (*validity.0, *validity.1) = (begins, ends);
            assert_eq!(refused(&it), AppraisalError::Expired, "{place} {begins}");
        }
    }
}

#[test]
fn both_ends_of_a_validity_are_within() {
    let mut platform = milan();
    platform.vek.not_before = NOW;
    platform.vek.not_after = NOW;
    let appraised = appraise(&platform).unwrap();
    assert_eq!(appraised.ear().expires_at().unwrap().as_secs(), NOW);
}

#[test]
fn a_result_ends_with_the_first_of_its_certificates_and_lists() {
    let mut platform = milan();
    platform.crl.next_update = Some(NOW + 100);
    let end = |platform: &ForgedSnp| {
        let appraised = appraise(platform).unwrap();
        appraised.ear().expires_at().unwrap().as_secs()
    };
    assert_eq!(end(&platform), NOW + 100);
    platform.vek.not_after = NOW + 50;
    assert_eq!(end(&platform), NOW + 50);
    platform.ask.not_after = NOW + 20;
    assert_eq!(end(&platform), NOW + 20);
    platform.ark.not_after = NOW + 10;
    assert_eq!(end(&platform), NOW + 10);
}

#[test]
fn each_certificate_is_signed_by_the_one_above() {
    each_is_refused(
        &AppraisalError::BadSignature,
        &[
            |it| it.vek.signed_by = ForgedKey::Ark,
            |it| it.vek.signed_by = ForgedKey::Asvk,
            |it| it.ask.signed_by = ForgedKey::Ask,
            |it| it.ark.signed_by = ForgedKey::Ask,
        ],
    );
}

#[test]
fn a_root_with_another_key_is_refused() {
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[|it| (it.ark.key, it.ark.signed_by) = (ForgedKey::Asvk, ForgedKey::Asvk)],
    );
}

#[test]
fn each_certificate_names_its_issuer() {
    each_is_refused(
        &AppraisalError::UnknownKey,
        &[
            |it| it.vek.issuer = "SEV-Genoa".to_owned(),
            |it| it.ask.issuer = "ARK-Genoa".to_owned(),
            |it| it.ask.subject = "SEV-Genoa".to_owned(),
        ],
    );
}

#[test]
fn only_an_authority_signs_certificates_and_a_chip_is_none() {
    each_is_refused(
        &AppraisalError::Malformed,
        &[
            |it| it.ask.is_authority = false,
            // It may sign lists alone.
            |it| it.ask.key_usage = 0x02,
            |it| it.vek.is_authority = true,
        ],
    );
}
