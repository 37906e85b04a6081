//! AMD's failures, and requests without limit.

use std::sync::Arc;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::Stale;
use atls_core::http::HttpError;
use atls_core::http::NotSent;
use atls_core::pki_types::UnixTime;
use atls_snp::KdsCollateral;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use test_support::at;
use test_support::ready;

use crate::amd::Amd;
use crate::amd::Answer;
use crate::amd::kds;
use crate::amd::kds_of;
use crate::amd::vek_address;
use crate::support::CHALLENGE;
use crate::support::NOW;
use crate::support::appraise_with;
use crate::support::bare;
use crate::support::milan;

#[test]
fn a_failing_amd_is_the_verifiers_fault() {
    let platform = milan();
    let bare = bare(&platform);
    let evidence = platform.evidence(&CHALLENGE);
    let chain = format!(
        "https://kdsintf.amd.com/vcek/v1/{}/cert_chain",
        Product::Milan
    );
    for (missing, evidence) in [
        (vek_address(&platform), &bare),
        (chain, &bare),
        (
            "https://kdsintf.amd.com/vcek/v1/Milan/crl".to_owned(),
            &evidence,
        ),
    ] {
        for answer in [Answer::Status(429), Answer::Garbage, Answer::None] {
            let amd = Arc::new(Amd::of(&platform));
            amd.answer(&missing, answer);
            let refused = appraise_with(&platform, evidence, kds(&amd), platform.policy());
            assert_eq!(
                refused.unwrap_err(),
                AppraisalError::Unreachable,
                "{missing} {answer:?}"
            );
        }
    }
}

#[test]
fn a_list_is_done_without_only_where_the_policy_says_so_and_amd_is_out() {
    let platform = milan();
    let evidence = platform.evidence(&CHALLENGE);
    let not_sent = |reason| HttpError::NotSent(reason).into();
    for (error, done_without) in [
        (HttpError::TimedOut.into(), true),
        (HttpError::Unreachable(String::new()).into(), true),
        (not_sent(NotSent::Failing), true),
        (CollateralError::Status(503), true),
        // A peer can bring these about by asking for many chips,
        (not_sent(NotSent::Busy), false),
        (not_sent(NotSent::TooOften), false),
        (CollateralError::Status(429), false),
        // and a server in AMD's place these.
        (HttpError::TooLarge.into(), false),
        (CollateralError::Status(404), false),
        (CollateralError::Address, false),
        (CollateralError::Expired, false),
        (CollateralError::Key, false),
        (CollateralError::Malformed, false),
        (CollateralError::RolledBack, false),
    ] {
        let mut policy = platform.policy();
        let appraise = |policy| {
            let source = KdsCollateral::new(Failing(error.clone()));
            appraise_with(&platform, &evidence, source, policy).map(drop)
        };
        let expected = match error {
            CollateralError::Expired => {
                AppraisalError::StaleCollateral(Stale::undated("VCEK CRL of Milan"))
            }
            _ => AppraisalError::Unreachable,
        };
        assert_eq!(appraise(policy.clone()), Err(expected));
        policy.allow_missing_crl = true;
        assert_eq!(appraise(policy).is_ok(), done_without, "{error}");
    }
}

/// 64 unsigned reports take every fetch for chips. They delay only chips that the cache does not know and that send no certificate.
#[test]
fn made_up_chips_starve_neither_revocation_nor_known_chips() {
    let platform = milan();
    let amd = Arc::new(Amd::of(&platform));
    let cache = Arc::new(Cache::new(kds_of(&amd)));
    let mut policy = platform.policy();
    policy.allow_missing_crl = true;
    let appraise = |evidence: &SnpEvidence| {
        let source = KdsCollateral::new(Arc::clone(&cache));
        appraise_with(&platform, evidence, source, policy.clone()).map(drop)
    };
    assert_eq!(appraise(&bare(&platform)), Ok(()));
    let before = amd.asked().len();
    for chip in 0..200 {
        let mut made_up = platform.clone();
        made_up.report.chip_id = [chip; 64];
        let _ = appraise(&bare(&made_up));
    }
    assert!(amd.asked().len() - before < 70);
    assert_eq!(appraise(&bare(&platform)), Ok(()), "known");
    assert_eq!(
        appraise(&platform.evidence(&CHALLENGE)),
        Ok(()),
        "sent along"
    );
    // A list that the cache does not have yet is fetched all the same.
    let vlek = "snp/vlek/milan/crl";
    assert!(ready(cache.get(vlek, at(NOW))).is_ok());
}

/// A source that fails.
struct Failing(CollateralError);

impl Fetch for Failing {
    fn read(&self, _: &str, _: Arc<[u8]>, _: UnixTime) -> Result<Fetched, CollateralError> {
        Err(self.0.clone())
    }

    fn fetch<'a>(
        &'a self,
        _: &'a str,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        Box::pin(async { Err(self.0.clone()) })
    }
}
