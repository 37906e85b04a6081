//! AMD's key distribution service over a fake HTTP client: addresses, answers, and the verification of answers.
#![allow(
    clippy::as_conversions,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;
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
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_core::http::NotSent;
use atls_core::pki_types::UnixTime;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::CollateralFromPeer;
use atls_snp::Kds;
use atls_snp::KdsCollateral;
use atls_snp::Product;
use atls_snp::SnpEvidence;
use atls_snp::testing::ForgedKey;
use atls_snp::testing::ForgedSnp;

use support::CHALLENGE;
use support::NOW;
use support::appraise_at;
use support::appraise_with;
use support::bare;
use support::milan;
use support::verifier_with;
use test_support::Connection;
use test_support::at;
use test_support::ready;

#[test]
fn missing_pieces_are_fetched_from_amd() {
    for product in Product::ALL {
        let platform = ForgedSnp::new(product).unwrap();
        let amd = Arc::new(Amd::of(&platform));
        let bare = bare(&platform);
        let appraised = appraise_with(&platform, &bare, kds(&amd), platform.policy());
        assert!(appraised.is_ok(), "{product} {:?}", amd.asked());
        assert_eq!(
            amd.asked(),
            [
                vek_address(&platform),
                // `Kds` and the verifier each ask once, because a forged root's intermediate is not known beforehand.
                format!("https://kdsintf.amd.com/vcek/v1/{product}/cert_chain"),
                format!("https://kdsintf.amd.com/vcek/v1/{product}/cert_chain"),
                format!("https://kdsintf.amd.com/vcek/v1/{product}/crl"),
            ]
        );
    }
}

#[test]
fn pieces_of_the_evidence_are_not_fetched() {
    let platform = milan();
    let amd = Arc::new(Amd::of(&platform));
    let evidence = platform.evidence(&CHALLENGE);
    assert!(appraise_with(&platform, &evidence, kds(&amd), platform.policy()).is_ok());
    assert_eq!(amd.asked(), ["https://kdsintf.amd.com/vcek/v1/Milan/crl"]);
}

#[test]
fn nothing_is_fetched_for_a_report_that_fails_before() {
    let platform = milan();
    let amd = Arc::new(Amd::of(&platform));
    let appraise = |evidence: SnpEvidence| {
        appraise_with(&platform, &evidence, kds(&amd), platform.policy()).map(drop)
    };
    let bare = |report| SnpEvidence::new(report, CertTable::new());
    let other = bare(platform.signed_report(&[1; 64])).encode().unwrap();
    let verifier = verifier_with(&platform, platform.policy(), kds(&amd));
    let refused = Connection::new().appraise(&verifier, &other, at(NOW));
    let refused = refused.map(drop);
    assert_eq!(refused, Err(AppraisalError::NotBound));
    let cut = bare(platform.signed_report(&CHALLENGE)[..1183].to_vec());
    assert_eq!(appraise(cut), Err(AppraisalError::Malformed));
    let mut unknown = platform.clone();
    unknown.report.cpuid = [0x1a, 0x50, 0];
    let unknown = bare(unknown.signed_report(&CHALLENGE));
    assert_eq!(appraise(unknown), Err(AppraisalError::UnknownKey));
    let mut genoa = platform.clone();
    genoa.report.cpuid = [0x19, 0x11, 0];
    let genoa = bare(genoa.signed_report(&CHALLENGE));
    assert_eq!(
        appraise(genoa),
        Err(AppraisalError::UnknownKey),
        "no root for it"
    );
    let mut hidden = platform.clone();
    hidden.report.chip_id = [0; 64];
    let hidden = bare(hidden.signed_report(&CHALLENGE));
    assert_eq!(appraise(hidden), Err(missing("VCEK", Fault::Peer)));
    let mut old = platform.clone();
    old.report.version = 2;
    let old = bare(old.signed_report(&CHALLENGE));
    assert_eq!(appraise(old), Err(missing("VCEK", Fault::Peer)));
    assert_eq!(amd.asked(), [""; 0]);
}

/// The fault is that of the party who was to have it. A peer that sends another key's certificate is at fault itself.
#[test]
fn a_missing_vcek_is_the_fault_of_its_supplier() {
    let platform = milan();
    let bare = bare(&platform);
    let own = platform.collateral().unwrap();
    let refused = appraise_with(&platform, &bare, own, platform.policy()).unwrap_err();
    assert_eq!(refused, missing("VCEK", Fault::Verifier));
    assert_eq!(refused.fault(), Fault::Verifier);
    let text = "no VCEK: neither the evidence nor the collateral source has one";
    assert_eq!(refused.to_string(), text);
    let refused = appraise_with(
        &platform,
        &bare,
        CollateralFromPeer::new(),
        platform.policy(),
    )
    .unwrap_err();
    assert_eq!(refused, missing("VCEK", Fault::Peer));
    let mut other = platform.clone();
    other.vek.set(&[3, 8], &[0x02, 0x01, 0x01]);
    let another = SnpEvidence::new(platform.signed_report(&CHALLENGE), other.certificates());
    let own = platform.collateral().unwrap();
    let refused = appraise_with(&platform, &another, own, platform.policy()).unwrap_err();
    assert_eq!(refused, AppraisalError::UnknownKey);
}

fn missing(what: &'static str, due_from: Fault) -> AppraisalError {
    AppraisalError::NoEndorsement { what, due_from }
}

/// The list is the last request, so a peer without a good signature causes none.
#[test]
fn the_list_is_not_fetched_for_a_bad_signature() {
    let (platform, other) = (milan(), milan());
    let amd = Arc::new(Amd::of(&platform));
    let evidence = SnpEvidence::new(other.signed_report(&CHALLENGE), platform.certificates());
    let refused = appraise_with(&platform, &evidence, kds(&amd), platform.policy());
    assert_eq!(refused.unwrap_err(), AppraisalError::BadSignature);
    assert_eq!(amd.asked(), [""; 0]);
}

#[test]
fn a_providers_key_is_never_fetched() {
    let platform = ForgedSnp::with_vlek(Product::Milan).unwrap();
    let amd = Arc::new(Amd::of(&platform));
    let bare = bare(&platform);
    let refused = appraise_with(&platform, &bare, kds(&amd), platform.policy());
    assert_eq!(refused.unwrap_err(), missing("VLEK", Fault::Peer));
    assert_eq!(amd.asked(), [""; 0]);
    let evidence = platform.evidence(&CHALLENGE);
    assert!(appraise_with(&platform, &evidence, kds(&amd), platform.policy()).is_ok());
    assert_eq!(amd.asked(), ["https://kdsintf.amd.com/vlek/v1/Milan/crl"]);
}

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

fn kds_of(amd: &Arc<Amd>) -> Kds {
    let kds = Kds::new(Arc::clone(amd) as Arc<dyn HttpClient>);
    kds.dangerous_with_root(ForgedSnp::new(amd.product).unwrap().root().unwrap())
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

fn kds(amd: &Arc<Amd>) -> KdsCollateral<Kds> {
    KdsCollateral::new(kds_of(amd))
}

fn vek_address(platform: &ForgedSnp) -> String {
    let product = platform.product;
    let chip = match product {
        Product::Turin => "c1".repeat(8),
        _ => "c1".repeat(64),
    };
    let versions = match product {
        Product::Milan => "blSPL=4&teeSPL=1&snpSPL=24&ucodeSPL=219",
        Product::Genoa => "blSPL=10&teeSPL=1&snpSPL=25&ucodeSPL=84",
        _ => "fmcSPL=1&blSPL=4&teeSPL=2&snpSPL=4&ucodeSPL=81",
    };
    format!("https://kdsintf.amd.com/vcek/v1/{product}/{chip}?{versions}")
}

fn pem(der: &[u8]) -> String {
    atls_formats::snp::pem(CertificateKind::Ask, der)
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Garbage,
    None,
    Status(u16),
}

/// AMD's server, as it would be for a forged platform, and the requests to it.
struct Amd {
    product: Product,
    bodies: Mutex<BTreeMap<String, Vec<u8>>>,
    answers: Mutex<BTreeMap<String, Answer>>,
    asked: Mutex<Vec<String>>,
}

impl Amd {
    fn of(platform: &ForgedSnp) -> Self {
        let amd = Self {
            product: platform.product,
            bodies: Mutex::default(),
            answers: Mutex::default(),
            asked: Mutex::default(),
        };
        amd.serve(platform);
        amd
    }

    /// From now on the collateral of this platform.
    fn serve(&self, platform: &ForgedSnp) {
        let product = platform.product;
        let chain = [platform.ask.certificate(), platform.ark.certificate()].map(|der| pem(&der));
        let crl = platform.crl.encode();
        let path = |path: &str| format!("https://kdsintf.amd.com/{path}");
        *self.bodies.lock().unwrap() = BTreeMap::from([
            (vek_address(platform), platform.vek_certificate()),
            (
                path(&format!("vcek/v1/{product}/cert_chain")),
                chain.concat().into_bytes(),
            ),
            (path(&format!("vcek/v1/{product}/crl")), crl.clone()),
            (path(&format!("vlek/v1/{product}/crl")), crl),
        ]);
    }

    fn answer(&self, address: &str, answer: Answer) {
        let mut answers = self.answers.lock().unwrap();
        answers.insert(address.to_owned(), answer);
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl HttpClient for Amd {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        limits: HttpLimits,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
        assert_eq!(request.method(), http::Method::GET);
        assert!(limits.max_body <= 64 * 1024);
        let address = request.uri().to_string();
        self.asked.lock().unwrap().push(address.clone());
        let answer = self.answers.lock().unwrap().get(&address).copied();
        let body = self.bodies.lock().unwrap().get(&address).cloned();
        let respond = |status: u16, body: Vec<u8>| {
            Ok(http::Response::builder().status(status).body(body).unwrap())
        };
        let outcome = match (answer, body) {
            (None, Some(body)) => respond(200, body),
            (None, None) => respond(404, Vec::new()),
            (Some(Answer::Garbage), _) => respond(200, b"garbage".to_vec()),
            (Some(Answer::Status(status)), _) => respond(status, Vec::new()),
            (Some(Answer::None), _) => Err(HttpError::TimedOut),
        };
        Box::pin(async { outcome })
    }
}

/// An empty folder for one test.
fn folder(test: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    folder
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
