//! Pieces that are kept, and how long they serve.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_collateral::StalePolicy;
use atls_core::AppraisalError;
use atls_core::RecordedAppraisal;
use atls_core::http::HttpClient;
use atls_snp::Kds;
use atls_snp::KdsCollateral;
use atls_snp::SnpEvidence;
use atls_snp::testing::ForgedKey;
use atls_snp::testing::ForgedSnp;
use test_support::at;
use test_support::ready;

use crate::amd::Amd;
use crate::amd::Answer;
use crate::amd::kds;
use crate::amd::kds_of;
use crate::amd::pem;
use crate::amd::vek_address;
use crate::support::CHALLENGE;
use crate::support::NOW;
use crate::support::appraise_at;
use crate::support::appraise_with;
use crate::support::bare;
use crate::support::milan;

/// A server in AMD's place gives pieces that AMD did not sign. None is kept, and AMD's own are taken later.
#[test]
fn only_pieces_that_amd_signed_are_kept() {
    let platform = milan();
    let mut forger = platform.clone();
    forger.vek.signed_by = ForgedKey::Asvk;
    forger.ask.signed_by = ForgedKey::Asvk;
    forger.crl.signed_by = ForgedKey::Asvk;
    let amd = Arc::new(Amd::of(&forger));
    let folder = folder("poisoned");
    let cached = || {
        let cache = Cache::builder(kds_of(&amd)).directory(&folder);
        Arc::new(cache.build().unwrap())
    };
    let cache = cached();
    let bare = bare(&platform);
    let full = platform.evidence(&CHALLENGE);
    let appraise =
        |evidence: &SnpEvidence, now| appraise_through(&cache, &platform, evidence, now).map(drop);
    for evidence in [&bare, &full] {
        assert_eq!(appraise(evidence, NOW), Err(AppraisalError::Unreachable));
    }
    let forged = ready(cache.get("snp/vcek/milan/cert_chain", at(NOW)));
    assert_eq!(forged, Err(CollateralError::Malformed));
    assert_eq!(cache.stats().kept, 0);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
    amd.serve(&platform);
    for evidence in [&bare, &full] {
        assert_eq!(appraise(evidence, NOW + 60), Ok(()));
    }
    // AMD's pieces are kept, for the next process too.
    amd.serve(&forger);
    let restarted = cached();
    assert!(ready(restarted.get("snp/vcek/milan/crl", at(NOW + 60))).is_ok());
}

#[test]
fn an_older_list_is_refused_after_a_newer_one() {
    let mut platform = milan();
    platform.crl.this_update = NOW - 10;
    let mut before = platform.clone();
    before.crl.this_update = NOW - 11;
    let amd = Arc::new(Amd::of(&platform));
    let cache = Cache::new(kds_of(&amd));
    let list = "snp/vcek/milan/crl";
    let newer = ready(cache.get(list, at(NOW))).unwrap();
    amd.serve(&before);
    let later = at(NOW + 24 * 60 * 60);
    let refreshed = ready(cache.refresh(later));
    let refused = (list.to_owned(), CollateralError::RolledBack);
    assert_eq!(refreshed.failed, [refused]);
    assert_eq!(ready(cache.get(list, later)), Ok(newer));
}

/// Only signatures and dates of a kept file count.
#[test]
fn kept_pieces_are_verified_when_they_are_read() {
    let mut platform = milan();
    platform.crl.this_update = NOW - 10;
    platform.crl.next_update = Some(NOW + 10);
    let kds = kds_of(&Arc::new(Amd::of(&platform)));
    let list = platform.crl.encode();
    let read = |key: &str, bytes: &[u8], now| kds.read(key, bytes.into(), at(now));
    let good = Fetched::new(&list[..], at(NOW + 10)).with_sequence(NOW - 10);
    let key = "snp/vcek/milan/crl";
    assert_eq!(read(key, &list, NOW), Ok(good.clone()));
    // An expired list passes, because its date counts. One from the future would keep genuine lists away.
    assert_eq!(read(key, &list, NOW + 99), Ok(good));
    let malformed = Err(CollateralError::Malformed);
    assert_eq!(read(key, &list, NOW - 11), malformed);
    assert_eq!(read("snp/vcek/genoa/crl", &list, NOW), malformed);
    assert_eq!(read("snp/vcek/milan/cert_chain", &list, NOW), malformed);
    for index in 0..list.len() {
        let mut flipped = list.clone();
        flipped[index] ^= 1;
        assert_eq!(read(key, &flipped, NOW), malformed, "byte {index}");
    }
    // A chip's certificate does not verify here, because a forged root's intermediate is not known beforehand.
    let vcek = format!("snp/vcek/milan/{}/4-1-24-219", "c1".repeat(64));
    assert_eq!(read(&vcek, &platform.vek_certificate(), NOW), malformed);
    // Issuers are exactly two certificates.
    let chain = |ders: &[Vec<u8>]| ders.iter().map(|der| pem(der)).collect::<String>();
    let (ask, ark) = (platform.ask.certificate(), platform.ark.certificate());
    let issuers = "snp/vcek/milan/cert_chain";
    for (ders, taken) in [
        ([ask.clone(), ark.clone()], true),
        ([ask.clone(), ask.clone()], false),
        ([ark.clone(), ark.clone()], false),
        ([ask, platform.vek_certificate()], false),
    ] {
        let read = read(issuers, chain(&ders).as_bytes(), NOW);
        assert_eq!(read.is_ok(), taken);
    }
}

#[test]
fn a_revocation_is_seen_when_the_cache_has_renewed() {
    let platform = milan();
    let mut revoking = platform.clone();
    revoking.crl.this_update = NOW;
    revoking.crl.revoked = vec![platform.ask.serial.clone()];
    let amd = Arc::new(Amd::of(&platform));
    let cache = Arc::new(Cache::new(kds_of(&amd)));
    let evidence = platform.evidence(&CHALLENGE);
    let appraise = |now| appraise_through(&cache, &platform, &evidence, now).map(drop);
    assert_eq!(appraise(NOW), Ok(()));
    amd.serve(&revoking);
    ready(cache.refresh(at(NOW + 6 * 60 * 60)));
    assert_eq!(appraise(NOW + 6 * 60 * 60), Err(AppraisalError::UnknownKey));
}

/// While AMD is out of reach. The result ends with the grace.
#[test]
fn an_expired_list_is_used_only_for_the_grace_of_the_application() {
    let mut platform = milan();
    platform.crl.next_update = Some(NOW + 100);
    let other = milan();
    let appraise = |policy: StalePolicy, error: Answer, now| {
        let amd = Arc::new(Amd::of(&platform));
        let cache = Cache::builder(kds_of(&amd)).stale_policy(policy);
        let cache = Arc::new(cache.build().unwrap());
        let evidence = platform.evidence(&CHALLENGE);
        let appraise = |now| appraise_through(&cache, &platform, &evidence, now);
        appraise(NOW).unwrap();
        let list = "https://kdsintf.amd.com/vcek/v1/Milan/crl";
        amd.serve(&other);
        amd.answer(list, error);
        appraise(now).map(|appraised| appraised.ear().expires_at())
    };
    let grace = StalePolicy::dangerous_while_unreachable(Duration::from_secs(50));
    let unreachable = Err(AppraisalError::Unreachable);
    let ends = |seconds| Ok(Some(at(seconds)));
    assert_eq!(appraise(grace, Answer::None, NOW + 99), ends(NOW + 100));
    assert_eq!(appraise(grace, Answer::None, NOW + 149), ends(NOW + 150));
    assert_eq!(appraise(grace, Answer::None, NOW + 150), unreachable);
    assert_eq!(appraise(grace, Answer::Garbage, NOW + 149), unreachable);
    assert_eq!(appraise(grace, Answer::Status(429), NOW + 149), unreachable);
    let refuse = StalePolicy::refuse();
    assert_eq!(appraise(refuse, Answer::None, NOW + 149), unreachable);
}

#[test]
fn nothing_is_asked_without_tls() {
    let platform = milan();
    for base in ["http://mirror.example", "https://amd.com@mirror.example"] {
        let amd = Arc::new(Amd::of(&platform));
        let kds = Kds::at(Arc::clone(&amd) as Arc<dyn HttpClient>, base);
        let asked = ready(kds.fetch("snp/vcek/milan/crl", at(NOW)));
        assert_eq!(asked, Err(CollateralError::Address));
        assert_eq!(amd.asked(), [""; 0]);
    }
}

#[test]
fn another_chips_certificate_is_refused() {
    let platform = milan();
    let mut other = milan();
    other.vek.set(&[4], &[0xdd; 64]);
    let amd = Arc::new(Amd::of(&platform));
    let mut bodies = amd.bodies.lock().unwrap();
    bodies.insert(vek_address(&platform), other.vek_certificate());
    drop(bodies);
    let bare = bare(&platform);
    let refused = appraise_with(&platform, &bare, kds(&amd), platform.policy());
    // AMD gave another certificate, which is not the peer's fault.
    assert_eq!(refused.unwrap_err(), AppraisalError::Unreachable);
}

#[test]
fn pieces_are_fresh_for_as_long_as_they_say() {
    let mut platform = milan();
    platform.vek.not_after = NOW + 3;
    platform.ask.not_after = NOW + 2;
    platform.crl.next_update = Some(NOW + 1);
    let amd = Arc::new(Amd::of(&platform));
    let kds = kds_of(&amd);
    let hwid = "c1".repeat(64);
    for (key, end) in [
        (format!("snp/vcek/milan/{hwid}/4-1-24-219"), NOW + 3),
        ("snp/vcek/milan/cert_chain".to_owned(), NOW + 2),
        ("snp/vcek/milan/crl".to_owned(), NOW + 1),
    ] {
        let fetched = ready(kds.fetch(&key, at(NOW))).unwrap();
        assert_eq!(fetched.fresh_until, at(end), "{key}");
        let late = ready(kds.fetch(&key, at(end + 1))).unwrap_err();
        assert_eq!(late, CollateralError::Expired, "{key}");
    }
    let unknown = ready(kds.fetch("snp/vcek/milan/../crl", at(NOW))).unwrap_err();
    assert_eq!(unknown, CollateralError::Malformed);
}

#[test]
fn a_mirror_has_the_same_paths() {
    let platform = milan();
    let amd = Arc::new(Amd::of(&platform));
    let kds = Kds::at(
        Arc::clone(&amd) as Arc<dyn HttpClient>,
        "https://mirror.example",
    );
    let _ = ready(kds.fetch("snp/vcek/milan/crl", at(NOW)));
    assert_eq!(amd.asked(), ["https://mirror.example/vcek/v1/Milan/crl"]);
}

/// The result about this Evidence, with collateral through a cache.
fn appraise_through(
    cache: &Arc<Cache<Kds>>,
    platform: &ForgedSnp,
    evidence: &SnpEvidence,
    now: u64,
) -> Result<RecordedAppraisal, AppraisalError> {
    let source = KdsCollateral::new(Arc::clone(cache));
    appraise_at(platform, evidence, source, platform.policy(), now)
}

/// An empty folder for one test.
fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    folder
}
