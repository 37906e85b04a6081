//! A result ends with its collateral, and bad collateral is dropped.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_collateral::StalePolicy;
use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::Fault;
use atls_core::RecordedAppraisal;
use atls_core::Stale;
use atls_core::Verifier;
use atls_core::http::HttpError;
use atls_core::pki_types::UnixTime;
use atls_tdx::Collateral;
use atls_tdx::FetchedCollateral;
use atls_tdx::QuoteError;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use support::DAY;
use support::NOW;
use support::REPORT_DATA;
use support::enclave_verifier;
use support::policy;
use support::td_quote;
use support::td_verifier;
use support::tier;
use test_support::at;
use test_support::ready;

const HOUR: u64 = 60 * 60;

/// The end of Intel's pieces.
const END: u64 = NOW + 30 * DAY;

#[test]
fn a_result_ends_with_its_fetched_collateral() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    for (tee, until, expected) in [
        (Tee::Tdx, NOW + HOUR, NOW + HOUR),
        (Tee::Tdx, END, END),
        // A cache may keep it for a shorter time than Intel allows, and never for a longer one.
        (Tee::Tdx, END + DAY, END),
        (Tee::Sgx, NOW + HOUR, NOW + HOUR),
    ] {
        let source = Arc::new(Source::giving([fetched(&platform, tee, until)]));
        let appraised = match tee {
            Tee::Tdx => appraise(&platform, source, NOW),
            Tee::Sgx => appraise_enclave(&platform, source, NOW),
        };
        let ends = appraised.unwrap().ear().expires_at();
        assert_eq!(ends, Some(at(expected)));
    }
}

#[test]
fn collateral_in_its_grace_rates_as_at_its_end() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let source = Arc::new(Source::giving([fetched(&platform, Tee::Tdx, END)]));
    let grace = Duration::from_secs(DAY);
    let cache = |stale| Cache::builder(source.clone()).stale_policy(stale).build();
    let cache = cache(StalePolicy::dangerous_while_unreachable(grace)).unwrap();
    let verifier = verifier(&platform, Arc::new(cache));
    let appraise = |now| {
        let quote = td_quote(&platform);
        ready(verifier.appraise_quote(&quote, &[], at(now)))
    };
    assert!(appraise(NOW).is_ok());
    for now in [END, END + DAY - 1] {
        let appraised = appraise(now).unwrap();
        assert_eq!(tier(&appraised), atls_core::ear::Tier::Affirming);
        assert_eq!(appraised.ear().expires_at(), Some(at(END + DAY)));
    }
    assert!(appraise(END + DAY).is_err());
}

/// `Cached` uses a result again under the same number only.
#[test]
fn the_generation_of_a_verifier_rises_with_collateral_that_is_replaced() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let contents = [END, END - DAY].map(|until| fetched(&platform, Tee::Tdx, until));
    let source = Arc::new(Source::giving(contents));
    let verifier = verifier(&platform, source.clone());
    let generation_at = |now| {
        let appraised = ready(verifier.appraise_quote(&td_quote(&platform), &[], at(now)));
        assert!(appraised.is_ok());
        verifier.generation()
    };
    let first = generation_at(NOW);
    // Parsed collateral is kept for a minute.
    assert_eq!(generation_at(NOW + 61), first);
    source.next();
    assert!(generation_at(NOW + 122) > first);
}

/// Bad contents of a cache refuse no handshake, and are dropped.
#[test]
fn bad_contents_are_rejected_and_asked_for_once_more() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = || fetched(&platform, Tee::Tdx, END);
    let garbage = Fetched::new(vec![0xff; 10], at(END));
    let foreign = fetched(&ForgedPlatform::new(NOW).unwrap(), Tee::Tdx, END);
    let mut elsewhere = ForgedPlatform::new(NOW).unwrap();
    elsewhere.fmspc[5] ^= 1;
    let elsewhere = fetched(&elsewhere, Tee::Tdx, END);
    // It is said to be fresh, and is not.
    let outdated = fetched(&ForgedPlatform::new(NOW - 40 * DAY).unwrap(), Tee::Tdx, END);
    for (bad, what) in [
        (garbage, "garbage"),
        (foreign, "another root's"),
        (elsewhere, "another platform's"),
        (outdated, "expired"),
    ] {
        let source = Arc::new(Source::giving([bad.clone(), good()]));
        assert!(appraise(&platform, source.clone(), NOW).is_ok(), "{what}");
        assert_eq!(source.rejected(), 1, "{what}");
        // The source is asked twice at most: no peer makes us ask on and on.
        let source = Arc::new(Source::giving([bad.clone(), bad.clone(), good()]));
        let refused = appraise(&platform, source.clone(), NOW)
            .map(drop)
            .unwrap_err();
        let fault = AppraisalError::from(refused).fault();
        assert_eq!((fault, source.rejected()), (Fault::Verifier, 2), "{what}");
    }
}

#[test]
fn older_contents_than_were_seen_are_rejected() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let older = fetched(&platform, Tee::Tdx, END);
    platform.tcb_evaluation_data_number += 1;
    let newer = fetched(&platform, Tee::Tdx, NOW + 10);
    let source = Arc::new(Source::giving([newer.clone(), older, newer]));
    let verifier = verifier(&platform, source.clone());
    let appraise = |now| {
        let quote = td_quote(&platform);
        ready(verifier.appraise_quote(&quote, &[], at(now))).map(drop)
    };
    assert_eq!(appraise(NOW), Ok(()));
    source.next();
    // The kept collateral has ended; the older is rejected, and nobody gives a newer one.
    let unreached = CollateralError::Unreachable(HttpError::TimedOut);
    let refused = appraise(NOW + 20);
    assert_eq!(refused, Err(QuoteError::Unavailable(unreached)));
    assert_eq!(source.rejected(), 1);
}

#[test]
fn our_own_stale_collateral_is_called_that() {
    let stale = Stale::expired("PCK CRL", at(END));
    for (error, told) in [
        (QuoteError::Outdated(stale), stale),
        (
            QuoteError::Unavailable(CollateralError::Expired),
            Stale::undated("collateral of Intel's service or of the cache"),
        ),
    ] {
        let error = AppraisalError::from(error);
        assert_eq!(error, AppraisalError::StaleCollateral(told));
        assert_eq!(error.fault(), Fault::Verifier);
    }
    let unreached = QuoteError::Unavailable(CollateralError::Unreachable(HttpError::TimedOut));
    assert_eq!(AppraisalError::from(unreached), AppraisalError::Unreachable);
    // The peer's is the peer's fault.
    let peers = AppraisalError::from(QuoteError::Expired);
    assert_eq!(peers.fault(), Fault::Peer);
}

fn fetched(platform: &ForgedPlatform, tee: Tee, until: u64) -> Fetched {
    let collateral: Collateral = platform.collateral(tee).unwrap();
    Fetched::new(collateral.encode().unwrap(), at(until))
}

fn verifier(platform: &ForgedPlatform, source: Arc<dyn Fetch>) -> TdxVerifier {
    let source = Arc::new(FetchedCollateral::new(source));
    td_verifier(platform, policy(&platform.td_report()), source)
}

fn appraise(
    platform: &ForgedPlatform,
    source: Arc<dyn Fetch>,
    now: u64,
) -> Result<RecordedAppraisal, QuoteError> {
    let verifier = verifier(platform, source);
    ready(verifier.appraise_quote(&td_quote(platform), &[], at(now)))
}

fn appraise_enclave(
    platform: &ForgedPlatform,
    source: Arc<dyn Fetch>,
    now: u64,
) -> Result<RecordedAppraisal, QuoteError> {
    let report = platform.sgx_report();
    let known = SgxEnclave::exactly("forged", report.mrenclave);
    let policy = SgxPolicy::up_to_date(vec![known]);
    let source = Arc::new(FetchedCollateral::new(source));
    let quote = platform.sgx_quote(&report, &REPORT_DATA).unwrap();
    let verifier = enclave_verifier(platform, policy, source);
    ready(verifier.appraise_quote(&quote, &[], at(now)))
}

/// Gives the first of its contents until that is rejected; then the next.
struct Source {
    contents: Mutex<Vec<Fetched>>,
    rejected: Mutex<usize>,
}

impl Source {
    fn giving<const N: usize>(contents: [Fetched; N]) -> Self {
        Self {
            contents: Mutex::new(contents.into_iter().rev().collect()),
            rejected: Mutex::new(0),
        }
    }

    fn next(&self) {
        self.contents.lock().unwrap().pop();
    }

    fn rejected(&self) -> usize {
        *self.rejected.lock().unwrap()
    }
}

impl Fetch for Source {
    fn read(&self, _: &str, _: Arc<[u8]>, _: UnixTime) -> Result<Fetched, CollateralError> {
        Err(CollateralError::Malformed)
    }

    fn fetch<'a>(
        &'a self,
        _key: &'a str,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        let contents = self.contents.lock().unwrap().last().cloned();
        // A cache sees its maker so: nobody answers where the contents have ended.
        let contents = contents.filter(|contents| now < contents.fresh_until);
        let outcome = contents.ok_or(CollateralError::Unreachable(HttpError::TimedOut));
        Box::pin(async { outcome })
    }

    fn reject(&self, _key: &str, contents: &Fetched, _now: UnixTime) {
        let mut known = self.contents.lock().unwrap();
        if known.last() == Some(contents) {
            known.pop();
            *self.rejected.lock().unwrap() += 1;
        }
    }
}
