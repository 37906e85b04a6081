//! Fetched collateral: how long it serves, and how it is renewed.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_core::finding::Outcome;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_core::http::NotSent;
use atls_core::pki_types::UnixTime;
use atls_tdx::FetchedCollateral;
use atls_tdx::Pcs;
use atls_tdx::QuoteError;
use atls_tdx::TdxPolicy;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedCertificate;
use atls_tdx::testing::ForgedPlatform;
use test_support::at;
use test_support::ready;

use crate::service::KEY;
use crate::service::Service;
use crate::service::appraise;
use crate::support::DAY;
use crate::support::NOW;
use crate::support::policy;
use crate::support::td_quote;
use crate::support::td_verifier;

#[test]
fn fetched_collateral_serves_until_it_is_old() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let service = Arc::new(Service::of(&platform));
    let pcs = Pcs::intel(service.clone()).dangerous_with_root(platform.root());
    let source = FetchedCollateral::new(Arc::new(Cache::new(pcs))).without_early();
    let policy = TdxPolicy {
        collateral_grace_days: 2,
        ..policy(&report)
    };
    let verifier = td_verifier(&platform, policy, Arc::new(source));
    let requests = || service.asked.lock().unwrap().len();
    assert!(appraise(&verifier, &platform, NOW).is_ok());
    assert_eq!(requests(), 4);
    assert!(appraise(&verifier, &platform, NOW + 60).is_ok());
    assert!(appraise(&verifier, &platform, NOW + DAY / 5).is_ok());
    assert_eq!(requests(), 4, "from the cache");
    // The service is gone, and what it gave expires: with the policy's grace period, and not after.
    service.gone.store(1, Ordering::Relaxed);
    assert!(appraise(&verifier, &platform, NOW + 31 * DAY).is_ok());
    assert!(appraise(&verifier, &platform, NOW + 33 * DAY).is_err());
}

/// Intel's early issue is fetched beside the standard one, and waited for by nobody.
#[test]
fn the_early_issue_is_fetched_and_nothing_depends_on_it() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let standard = Service::of(&platform);
    platform.tcb_evaluation_data_number += 1;
    platform.platform_levels[0].svn = 6;
    let promoted = Service::of(&platform);
    let lying = Service::of(&ForgedPlatform::new(NOW).unwrap());
    let absent = Service::of(&platform);
    absent.gone.store(1, Ordering::Relaxed);
    let standard = Arc::new(standard);
    for (early, told) in [
        (Some(promoted), true),
        (Some(lying), false),
        (Some(absent), false),
        (None, false),
    ] {
        let service = Arc::new(EarlyIssue {
            standard: standard.clone(),
            early,
        });
        let pcs = Pcs::intel(service).dangerous_with_root(platform.root());
        let source = FetchedCollateral::new(Arc::new(Cache::new(pcs)));
        let policy = policy(&platform.td_report());
        let verifier = td_verifier(&platform, policy, Arc::new(source));
        // The second is from what is held.
        for now in [NOW, NOW + 30] {
            let appraised = appraise(&verifier, &platform, now).unwrap();
            assert_eq!(appraised.ear().status(), Tier::Affirming);
            let mut findings = appraised.findings().iter();
            let early = findings.find(|finding| finding.check() == "tdx.tcb.early");
            let warned = early.map(|finding| finding.outcome() == Outcome::Warning);
            assert_eq!(warned, told.then_some(true));
        }
    }
    let asked = standard.asked.lock().unwrap();
    assert!(asked.iter().all(|url| !url.contains("update=")));
}

/// The lists that were fetched first would be valid for a month.
#[test]
fn a_revocation_is_seen_when_the_cache_has_renewed() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let policy = policy(&platform.td_report());
    let service = Arc::new(Renewed::of(&platform));
    let pcs = Pcs::intel(service.clone()).dangerous_with_root(platform.root());
    let cache = Cache::new(pcs);
    let source = FetchedCollateral::new(Arc::new(cache.clone()));
    let verifier = td_verifier(&platform, policy, Arc::new(source));
    let quote = td_quote(&platform);
    let appraise = |now| {
        let appraised = ready(verifier.appraise_quote(&quote, &[], at(now)));
        appraised.map(drop)
    };
    assert_eq!(appraise(NOW), Ok(()));
    platform.now = NOW + DAY;
    platform.revoked.push(ForgedCertificate::Pck);
    service.renew(&platform);
    let refresh = |now| ready(cache.refresh(at(now)));
    let before = verifier.generation();
    refresh(NOW + DAY);
    assert_ne!(verifier.generation(), before, "kept results go on");
    assert_eq!(appraise(NOW + DAY), Err(QuoteError::Revoked));
}

/// Intel never lowers the numbers of both documents and the dates of both lists.
#[test]
fn nothing_older_is_taken_after_what_is_newer() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let service = Arc::new(Renewed::of(&platform));
    let pcs = Pcs::intel(service.clone()).dangerous_with_root(platform.root());
    let fetched = ready(pcs.fetch(KEY, at(NOW + 2 * DAY))).unwrap();
    let older = Service::of(&platform);
    platform.now = NOW + 2 * DAY;
    platform.tcb_evaluation_data_number = 21;
    platform.qe_evaluation_data_number = 21;
    let pieces = [
        "TCB info",
        "QE identity",
        "list of the issuer",
        "list of the root",
    ];
    for (piece, name) in pieces.into_iter().enumerate() {
        let cache = Cache::new(Pcs::intel(service.clone()).dangerous_with_root(platform.root()));
        service.renew(&platform);
        let newer = ready(cache.get(KEY, at(NOW + 2 * DAY))).unwrap();
        assert_ne!(newer.sequence, fetched.sequence);
        // All is newer but one.
        let mut mixed = Service::of(&platform);
        mixed.answers[piece] = older.answers[piece].clone();
        *service.0.lock().unwrap() = Arc::new(mixed);
        let failed = ready(cache.refresh(at(NOW + 3 * DAY))).failed;
        let refused = (KEY.to_owned(), CollateralError::RolledBack);
        assert_eq!(failed, [refused], "{name}");
        assert_eq!(ready(cache.get(KEY, at(NOW + 3 * DAY))), Ok(newer));
    }
}

/// A directory is believed only in dates and numbers that Intel signed.
#[test]
fn kept_collateral_is_verified_when_it_is_read() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let foreign = ForgedPlatform::new(NOW).unwrap();
    let fetched = |platform: &ForgedPlatform| {
        let pcs = Pcs::intel(Arc::new(Service::of(platform)));
        let pcs = pcs.dangerous_with_root(platform.root());
        (ready(pcs.fetch(KEY, at(NOW))).unwrap(), pcs)
    };
    let (good, pcs) = fetched(&platform);
    let read = |bytes: &[u8], now| pcs.read(KEY, bytes.into(), at(now));
    assert_eq!(read(&good.bytes, NOW), Ok(good.clone()));
    // Expired collateral is read too, as its numbers count; collateral from the future is not.
    assert_eq!(read(&good.bytes, NOW + 90 * DAY), Ok(good.clone()));
    let malformed = Err(CollateralError::Malformed);
    assert_eq!(read(&good.bytes, NOW - DAY), malformed);
    assert_eq!(read(&fetched(&foreign).0.bytes, NOW), malformed);
    let elsewhere = pcs.read("tdx/90c06f000001/platform", good.bytes.clone(), at(NOW));
    assert_eq!(elsewhere, malformed);
    let without_issuer = platform.collateral(Tee::Tdx).unwrap().encode().unwrap();
    assert_eq!(read(&without_issuer, NOW), malformed);
    for index in (0..good.bytes.len()).step_by(7) {
        let mut flipped = good.bytes.to_vec();
        flipped[index] ^= 1;
        if let Ok(read) = read(&flipped, NOW) {
            // The flip is in white space that is not signed.
            assert_eq!(
                (read.sequence, read.fresh_until),
                (good.sequence.clone(), good.fresh_until)
            );
        }
    }
}

#[test]
fn a_refusal_by_our_own_limits_gives_no_grace() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    for (error, serves) in [
        (HttpError::TimedOut.into(), true),
        (HttpError::NotSent(NotSent::TooOften).into(), false),
        (CollateralError::RolledBack, false),
    ] {
        let pcs = Pcs::intel(Arc::new(Service::of(&platform)));
        let pcs = pcs.dangerous_with_root(platform.root());
        let source = FetchedCollateral::new(Arc::new(SingleAnswer {
            pcs,
            error,
            calls: AtomicUsize::new(0),
        }));
        let policy = TdxPolicy {
            collateral_grace_days: 2,
            ..policy(&platform.td_report())
        };
        let verifier = td_verifier(&platform, policy, Arc::new(source));
        assert!(appraise(&verifier, &platform, NOW).is_ok());
        assert!(appraise(&verifier, &platform, NOW + 29 * DAY).is_ok());
        let late = appraise(&verifier, &platform, NOW + 31 * DAY);
        assert_eq!(late.is_ok(), serves);
    }
}

#[test]
fn a_service_that_cannot_be_reached_is_the_verifiers_fault() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let service = Arc::new(Service::of(&platform));
    service.gone.store(1, Ordering::Relaxed);
    let pcs = Pcs::intel(service).dangerous_with_root(platform.root());
    let source = FetchedCollateral::new(Arc::new(pcs));
    let verifier = td_verifier(&platform, policy(&platform.td_report()), Arc::new(source));
    let error = appraise(&verifier, &platform, NOW).map(drop).unwrap_err();
    assert!(matches!(error, QuoteError::Unavailable(_)));
    // A platform that is not genuine learns nothing of that.
    let mut forged = td_quote(&platform);
    forged[100] ^= 1;
    let appraised = ready(verifier.appraise_quote(&forged, &[], at(NOW)));
    assert_eq!(appraised.map(drop), Err(QuoteError::BadSignature));
    let error = AppraisalError::from(error);
    assert_eq!(error.fault(), atls_core::Fault::Verifier);
}

/// Gives once, and then fails.
struct SingleAnswer {
    pcs: Pcs,
    error: CollateralError,
    calls: AtomicUsize,
}

impl Fetch for SingleAnswer {
    fn read(&self, key: &str, bytes: Arc<[u8]>, now: UnixTime) -> Result<Fetched, CollateralError> {
        self.pcs.read(key, bytes, now)
    }

    fn fetch<'a>(
        &'a self,
        key: &'a str,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        match self.calls.fetch_add(1, Ordering::Relaxed) {
            0 => self.pcs.fetch(key, now),
            _ => Box::pin(async { Err(self.error.clone()) }),
        }
    }
}

/// Intel's service, which publishes anew.
pub(crate) struct Renewed(Mutex<Arc<Service>>);

impl Renewed {
    pub(crate) fn of(platform: &ForgedPlatform) -> Self {
        Self(Mutex::new(Arc::new(Service::of(platform))))
    }

    pub(crate) fn renew(&self, platform: &ForgedPlatform) {
        self.replace(Service::of(platform));
    }

    pub(crate) fn replace(&self, service: Service) {
        *self.0.lock().unwrap() = Arc::new(service);
    }
}

impl HttpClient for Renewed {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
        let service = Arc::clone(&self.0.lock().unwrap());
        Box::pin(async move { service.send(request, limits).await })
    }
}

/// Intel's service, with another answer for `update=early`; with none, that never comes.
struct EarlyIssue {
    standard: Arc<Service>,
    early: Option<Service>,
}

impl HttpClient for EarlyIssue {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        if !query.contains("update=early") {
            return self.standard.send(request, limits);
        }
        match &self.early {
            Some(early) => early.send(request, limits),
            None => Box::pin(std::future::pending()),
        }
    }
}
