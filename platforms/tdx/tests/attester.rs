//! Both halves over a whole connection: a forged device behind the real attester, and the real verifier under its root.
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
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use atls_core::AppraisalError;
use atls_core::AttestError;
use atls_core::Evidence;
use atls_core::Fault;
use atls_core::MediaType;
use atls_core::PeerAttestation;
use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_core::Verifier;
use atls_core::combine::Cached;
use atls_core::ear::Tier;
use atls_core::pki_types::UnixTime;
use atls_formats::dcap::EventLogWriter;
use atls_reference::Live;
use atls_tdx::Collateral;
use atls_tdx::CollateralFromPeer;
use atls_tdx::CollateralSource;
use atls_tdx::CollateralToSend;
use atls_tdx::Platform;
use atls_tdx::SgxEnclave;
use atls_tdx::SgxPolicy;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TcbStatus;
use atls_tdx::TdReport;
use atls_tdx::TdxAttester;
use atls_tdx::TdxClaims;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use atls_tsm::Provider;
use atls_tsm::Tsm;
use atls_tsm::testing::FakeConfigFs;
use atls_tsm::testing::Forged;
use proptest::prelude::*;
use support::NOW;
use support::enclave_verifier;
use support::own;
use support::policy;
use support::td_verifier;
use test_support::Connection;
use test_support::at;
use test_support::ready;
use test_support::sha512;

/// An attester on a forged machine, whose kernel pads quotes as Google's do.
fn attester(platform: &Arc<ForgedPlatform>, report: &TdReport) -> TdxAttester {
    let (platform, report) = (platform.clone(), report.clone());
    let device = FakeConfigFs::new(Provider::TdxGuest, move |inblob| {
        let mut quote = platform
            .tdx_quote(&report, inblob.try_into().unwrap())
            .unwrap();
        quote.resize(8_000, 0);
        Forged {
            outblob: quote,
            auxblob: Vec::new(),
        }
    });
    TdxAttester::over(Tsm::over(device)).unwrap().unwrap()
}

fn verifier(
    platform: &ForgedPlatform,
    report: &TdReport,
    source: impl CollateralSource + 'static,
) -> Arc<TdxVerifier> {
    Arc::new(td_verifier(platform, policy(report), Arc::new(source)))
}

fn supplied(platform: &ForgedPlatform) -> SuppliedCollateral {
    SuppliedCollateral::new([platform.collateral(Tee::Tdx).unwrap()])
}

/// The forger's root is nobody's, so the policy must accept simulated peers.
fn accept(
    verifier: Arc<TdxVerifier>,
    attester: &mut TdxAttester,
) -> Result<PeerAttestation, Refusal> {
    let party = RelyingParty::builder()
        .verifier(verifier)
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
    let party = party.build().unwrap();
    let credential = Connection::sha384().credential(attester);
    ready(party.appraise(credential, at(NOW)))
}

#[test]
fn a_td_is_accepted_over_a_whole_connection() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let report = platform.td_report();
    for report in [
        report.clone(),
        support::td15(&report),
        support::extended(&report),
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

#[test]
fn an_attester_can_send_collateral_along() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let report = platform.td_report();
    let collateral = CollateralToSend::new();
    let mut attester = attester(&platform, &report).with_collateral(collateral.clone());
    let verifier = || verifier(&platform, &report, CollateralFromPeer::new());
    let none = Err(Refusal::Appraisal(AppraisalError::NoEndorsement {
        what: "collateral",
        due_from: Fault::Peer,
    }));
    assert_eq!(accept(verifier(), &mut attester).map(drop), none);
    collateral
        .replace(&platform.collateral(Tee::Tdx).unwrap())
        .unwrap();
    assert!(accept(verifier(), &mut attester).is_ok());
    collateral.clear();
    assert_eq!(accept(verifier(), &mut attester).map(drop), none);
}

#[test]
fn an_attester_can_send_its_event_log_along() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let log = EventLogWriter::new()
        .measured(1, 13, b"boot loader")
        .event(1, 0x8000_0003, &[7; 48], b"kernel")
        .measured(2, 13, b"quiet");
    let mut report = platform.td_report();
    report.rtmr = log.rtmr();
    let table = [log.bytes(), &[0xff; 1000]].concat();
    let with = |table: &[u8]| attester(&platform, &report).with_event_log(table).unwrap();
    let verifier = || verifier(&platform, &report, supplied(&platform));
    let peer = accept(verifier(), &mut with(&table)).unwrap();
    let events = &peer.claims::<TdxClaims>().unwrap().events;
    assert_eq!(events.len(), 3);
    assert_eq!(events[0].payload.as_deref(), Some(&b"boot loader"[..]));
    assert_eq!(events[1].payload, None);
    // A log that leads elsewhere is worse than none.
    let lie = log.measured(2, 13, b"debug");
    assert_eq!(
        accept(verifier(), &mut with(lie.bytes())).map(drop),
        Err(Refusal::Appraisal(AppraisalError::Malformed))
    );
    assert!(accept(verifier(), &mut attester(&platform, &report)).is_ok());
    let malformed = attester(&platform, &report).with_event_log(b"no log");
    assert!(matches!(malformed.map(drop), Err(AttestError::Device(_))));
}

#[test]
fn a_machine_without_the_device_is_no_td() {
    let device = || FakeConfigFs::new(Provider::SevGuest, |_| Forged::default());
    assert!(TdxAttester::over(Tsm::over(device())).unwrap().is_none());
    let none = device().without_provider();
    assert!(TdxAttester::over(Tsm::over(none)).unwrap().is_none());
    let denied = FakeConfigFs::new(Provider::TdxGuest, |_| Forged::default());
    denied.inject_errors(13, 10);
    assert!(TdxAttester::over(Tsm::over(denied)).is_err());
}

#[test]
fn a_device_that_gives_another_quote_is_not_believed() {
    let platform = Arc::new(ForgedPlatform::new(NOW).unwrap());
    let report = platform.td_report();
    let other = platform.tdx_quote(&report, &[1; 64]).unwrap();
    for outblob in [
        other.clone(),
        other[..other.len() - 1].to_vec(),
        vec![0; 8_000],
    ] {
        let device = FakeConfigFs::new(Provider::TdxGuest, move |_| Forged {
            outblob: outblob.clone(),
            auxblob: Vec::new(),
        });
        let mut attester = TdxAttester::over(Tsm::over(device)).unwrap().unwrap();
        let made = Connection::new().attest(&mut attester);
        assert!(matches!(made, Err(AttestError::Device(_))));
    }
}

#[test]
fn an_enclave_is_accepted_by_its_media_type() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.sgx_report();
    let known = SgxEnclave::exactly("forged", report.mrenclave);
    let policy = SgxPolicy::up_to_date(vec![known]);
    let verifier = enclave_verifier(&platform, policy, own(&platform, Tee::Sgx));
    let connection = Connection::new();
    let challenge = connection.bound().sha512();
    let quote = platform.sgx_quote(&report, challenge.bytes()).unwrap();
    let media_type: MediaType = "application/vnd.atls.sgx-quote".parse().unwrap();
    assert_eq!(verifier.media_types(), [media_type]);
    let appraise = |quote: &[u8]| connection.appraise(&verifier, quote, at(NOW));
    assert!(appraise(&quote).is_ok());
    let unbound = platform.sgx_quote(&report, &[0; 64]).unwrap();
    let refused = appraise(&unbound);
    assert_eq!(refused.map(drop), Err(AppraisalError::NotBound));
}

proptest! {
    #[test]
    fn arbitrary_evidence_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let platform = ForgedPlatform::new(NOW).unwrap();
        let verifier = verifier(&platform, &platform.td_report(), CollateralFromPeer::new());
        let connection = Connection::new();
        let bound = connection.bound();
        // Behind a header that is right, too; and cut out of CBOR.
        let quote = platform.tdx_quote(&platform.td_report(), &[0; 64]).unwrap();
        let behind = [&quote[..48], &bytes].concat();
        let in_cbor = [&[0x82, 0x59, 0x01, 0x00], &bytes[..]].concat();
        for bytes in [bytes, behind, in_cbor] {
            for media_type in verifier.media_types() {
                let evidence = Evidence::new(media_type, &bytes, bound);
                prop_assert!(ready(verifier.appraise(&evidence, at(NOW))).is_err());
            }
        }
    }
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
