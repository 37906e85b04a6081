//! Whole connections.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_core::AppraisalError;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::combine::Cached;
use atls_core::ear::Tier;
use atls_core::pki_types::UnixTime;
use atls_reference::Live;
use atls_tdx::Collateral;
use atls_tdx::CollateralSource;
use atls_tdx::Platform;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TcbStatus;
use atls_tdx::TdxClaims;
use atls_tdx::TdxVerifier;
use atls_tdx::testing::ForgedPlatform;
use test_support::Connection;
use test_support::at;
use test_support::ready;
use test_support::sha512;

use crate::halves::accept;
use crate::halves::attester;
use crate::halves::supplied;
use crate::halves::verifier;
use crate::support::NOW;
use crate::support::policy;

#[test]
fn a_td_is_accepted_over_a_whole_connection() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let report = platform.td_report();
    for report in [
        report.clone(),
        crate::support::td15(&report),
        crate::support::extended(&report),
    ] {
        let verifier = verifier(&platform, &report, supplied(&platform));
        let peer = accept(verifier, &mut attester(&platform, &report)).unwrap();
        let claims = peer.claims::<TdxClaims>().unwrap();
        assert_eq!(claims.image.as_deref(), Some("forged"));
        assert_eq!(claims.platform.tcb_status, Some(TcbStatus::UpToDate));
        assert_eq!(claims.platform.dynamic_platform, Some(true));
        assert_eq!(claims.platform.fmspc.as_bytes(), &platform.fmspc);
        assert_eq!(claims.platform.ppid.as_bytes(), &platform.ppid);
        let mut expected = report.clone();
        expected.report_data = claims.report.report_data;
        assert_eq!(claims.report, expected);
    }
}

#[test]
fn the_default_policy_refuses_a_td_under_a_test_root() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let report = platform.td_report();
    let verifier = verifier(&platform, &report, supplied(&platform));
    let party = RelyingParty::builder().verifier(verifier).build().unwrap();
    let credential = Connection::sha384().credential(&mut attester(&platform, &report));
    assert_eq!(
        ready(party.appraise(credential, at(NOW))).map(drop),
        Err(Refusal::Policy(PolicyViolation::Simulated))
    );
}

#[test]
fn the_quote_carries_the_sha512_of_the_binder_and_no_padding() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let report = platform.td_report();
    for connection in [Connection::new(), Connection::sha384()] {
        let quote = connection.evidence(&mut attester(&platform, &report));
        let expected = sha512(connection.bound().as_bytes());
        assert_eq!(quote[48 + 520..48 + 584], expected);
        assert_ne!(quote.last(), Some(&0));
        assert!(quote.len() < 8_000);
    }
}

#[test]
fn evidence_of_another_connection_is_refused() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let report = platform.td_report();
    let verifier = verifier(&platform, &report, supplied(&platform));
    let (one, other) = (Connection::new(), Connection::new());
    let replayed = other.evidence(&mut attester(&platform, &report));
    let refused = one.appraise(&*verifier, &replayed, at(NOW));
    assert_eq!(refused.map(drop), Err(AppraisalError::NotBound));
}

/// `Cached` saves the appraisal of Evidence of one batch, and none of Evidence of another binder.
#[test]
fn evidence_is_appraised_once_for_one_bound_value_and_policy() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let report = platform.td_report();
    let asked = Arc::new(Counting {
        known: supplied(&platform),
        asked: AtomicUsize::new(0),
    });
    let live = Arc::new(Live::fixed(policy(&report)).unwrap());
    let source = Arc::<Counting>::clone(&asked);
    let verifier = TdxVerifier::dangerous_with_root(platform.root(), live.clone(), source);
    let cached = Cached::new(verifier);
    let appraise = |connection: &Connection, quote: &[u8], now| {
        let appraised = connection.appraise(&cached, quote, at(now));
        let tier = appraised.map(|it| it.ear().status());
        (tier, asked.asked.load(Ordering::Relaxed))
    };
    let (one, other) = (Connection::new(), Connection::new());
    let mut attester = attester(&platform, &report);
    let (ones, others) = (one.evidence(&mut attester), other.evidence(&mut attester));
    let affirming = || Ok(Tier::Affirming);
    assert_eq!(appraise(&one, &ones, NOW), (affirming(), 1));
    assert_eq!(appraise(&one, &ones, NOW + 59), (affirming(), 1));
    assert_eq!(appraise(&other, &others, NOW), (affirming(), 2));
    // The other's value does not find the result for the one's.
    let replayed = appraise(&other, &ones, NOW);
    assert_eq!(replayed, (Err(AppraisalError::NotBound), 3));
    assert_eq!(appraise(&one, &ones, NOW + 60), (affirming(), 4));
    let mut stricter = policy(&report);
    stricter.images[0].mrtd = [1; 48].into();
    live.replace(stricter).unwrap();
    let (tier, asked) = appraise(&one, &ones, NOW + 60);
    assert_eq!((tier, asked), (Ok(Tier::Contraindicated), 5));
}

/// Supplied collateral that counts how often it is asked: once for each appraisal.
struct Counting {
    known: SuppliedCollateral,
    asked: AtomicUsize,
}

impl CollateralSource for Counting {
    fn at_hand(&self, platform: &Platform, now: UnixTime) -> Option<Arc<Collateral>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.known.at_hand(platform, now)
    }
}
