//! Fetched collateral under clocks of which one does not go.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_collateral::Cache;
use atls_tdx::FetchedCollateral;
use atls_tdx::Pcs;
use atls_tdx::QuoteError;
use atls_tdx::testing::ForgedCertificate;
use atls_tdx::testing::ForgedPlatform;

use crate::kept::Renewed;
use crate::service::Service;
use crate::service::appraise;
use crate::support::DAY;
use crate::support::NOW;
use crate::support::policy;
use crate::support::td_verifier;

/// As a host has it stand still.
#[test]
fn a_clock_that_stands_still_keeps_nothing_young() {
    let after = |days: u64, change: fn(&mut ForgedPlatform, &Renewed)| {
        let mut platform = ForgedPlatform::new(NOW).unwrap();
        let policy = policy(&platform.td_report());
        let service = Arc::new(Renewed::of(&platform));
        let steady = Arc::new(AtomicU64::new(0));
        let elapsed = || {
            let steady = steady.clone();
            move || Duration::from_secs(steady.load(Ordering::Relaxed))
        };
        let pcs = Pcs::intel(service.clone()).dangerous_with_root(platform.root());
        let cache = Cache::builder(pcs).steady_clock(elapsed()).build();
        let source = FetchedCollateral::new(Arc::new(cache.unwrap()));
        let source = source.without_early().steady_clock(elapsed());
        let verifier = td_verifier(&platform, policy, Arc::new(source));
        assert!(appraise(&verifier, &platform, NOW).is_ok());
        steady.store(days * DAY, Ordering::Relaxed);
        change(&mut platform, &service);
        appraise(&verifier, &platform, NOW).map(drop)
    };
    let revoked = after(1, |platform, service| {
        platform.revoked.push(ForgedCertificate::Pck);
        service.renew(platform);
    });
    assert_eq!(revoked, Err(QuoteError::Revoked));
    // Only the other clock has seen that it expired, and its maker is out.
    let expired = after(31, |platform, service| {
        let gone = Service::of(platform);
        gone.gone.store(1, Ordering::Relaxed);
        service.replace(gone);
    });
    assert!(matches!(expired, Err(QuoteError::Unavailable(_))));
}
