//! Collateral at hand, from the peer and fetched; and its effect on appraisals.
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
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::RecordedAppraisal;
use atls_core::Stale;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Type;
use atls_core::ear::Tier;
use atls_core::finding::Outcome;
use atls_core::http::HttpClient;
use atls_core::http::HttpError;
use atls_core::http::HttpLimits;
use atls_core::http::NotSent;
use atls_core::pki_types::UnixTime;
use atls_tdx::Collateral;
use atls_tdx::CollateralFormError;
use atls_tdx::CollateralFromPeer;
use atls_tdx::CollateralParts;
use atls_tdx::CollateralSource;
use atls_tdx::FetchedCollateral;
use atls_tdx::PckCa;
use atls_tdx::Pcs;
use atls_tdx::Platform;
use atls_tdx::QuoteError;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxPolicy;
use atls_tdx::TdxVerifier;
use atls_tdx::Tee;
use atls_tdx::VerifiedPlatform;
use atls_tdx::testing::ForgedCertificate;
use atls_tdx::testing::ForgedPlatform;
use futures_util::FutureExt;
use proptest::prelude::*;
use support::DAY;
use support::NOW;
use support::policy;
use support::td_quote;
use support::td_verifier;
use test_support::at;
use test_support::ready;

fn appraise(
    verifier: &TdxVerifier,
    platform: &ForgedPlatform,
    now: u64,
) -> Result<RecordedAppraisal, QuoteError> {
    ready(verifier.appraise_quote(&td_quote(platform), &[], at(now)))
}

fn supplied(
    platform: &ForgedPlatform,
    collateral: Collateral,
) -> Result<RecordedAppraisal, QuoteError> {
    let source = SuppliedCollateral::new([collateral]);
    let verifier = td_verifier(platform, policy(&platform.td_report()), Arc::new(source));
    appraise(&verifier, platform, NOW)
}

// --- Collateral itself -------------------------------------------------------------------------------------------------

#[test]
fn every_piece_must_be_signed_by_the_root() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let other = ForgedPlatform::new(NOW).unwrap();
    let (good, foreign) = (
        platform.collateral(Tee::Tdx).unwrap(),
        other.collateral(Tee::Tdx).unwrap(),
    );
    assert!(supplied(&platform, good.clone()).is_ok());
    type Change = fn(&mut CollateralParts, &CollateralParts);
    let changes: [Change; 10] = [
        |parts, other| parts.tcb_info_signature = other.tcb_info_signature.clone(),
        |parts, other| parts.tcb_info_issuer_chain = other.tcb_info_issuer_chain.clone(),
        |parts, other| parts.qe_identity_signature = other.qe_identity_signature.clone(),
        |parts, other| parts.qe_identity_issuer_chain = other.qe_identity_issuer_chain.clone(),
        |parts, other| parts.pck_crl = other.pck_crl.clone(),
        |parts, other| parts.root_ca_crl = other.root_ca_crl.clone(),
        |parts, _| parts.tcb_info = parts.tcb_info.replace("\"svn\":5", "\"svn\":4"),
        |parts, _| parts.qe_identity = parts.qe_identity.replace("\"isvsvn\":4", "\"isvsvn\":3"),
        |parts, _| parts.tcb_info_issuer_chain[1].push(0),
        // Each is signed, and neither is the other.
        |parts, _| {
            std::mem::swap(
                &mut parts.tcb_info_signature,
                &mut parts.qe_identity_signature,
            )
        },
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut parts = good.parts().clone();
        change(&mut parts, foreign.parts());
        let appraised = supplied(&platform, Collateral::new(parts).unwrap());
        assert_eq!(
            appraised.map(drop),
            Err(QuoteError::Collateral),
            "case {index}"
        );
    }
}

#[test]
fn collateral_of_another_kind_of_platform_is_not_used() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let quote = td_quote(&platform);
    let report = platform.td_report();
    platform.fmspc[0] ^= 1;
    let elsewhere = platform.collateral(Tee::Tdx).unwrap();
    let sgx = platform.collateral(Tee::Sgx).unwrap();
    for collateral in [elsewhere, sgx] {
        // By the look-up,
        let source = SuppliedCollateral::new([collateral.clone()]);
        let verifier_by_name = td_verifier(&platform, policy(&report), Arc::new(source));
        let appraised = ready(verifier_by_name.appraise_quote(&quote, &[], at(NOW)));
        assert_eq!(appraised.map(drop), Err(QuoteError::NotSent));
        // and by the appraisal, whatever a source gives.
        let careless = Arc::new(Careless::giving(collateral));
        let verifier = td_verifier(&platform, policy(&report), careless.clone());
        let appraised = ready(verifier.appraise_quote(&quote, &[], at(NOW)));
        assert_eq!(appraised.map(drop), Err(QuoteError::Collateral));
    }
}

#[test]
fn evaluation_never_goes_backwards() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let source = Arc::new(Careless::giving(platform.collateral(Tee::Tdx).unwrap()));
    let verifier = td_verifier(&platform, policy(&report), source.clone());
    assert!(appraise(&verifier, &platform, NOW).is_ok());
    for (tcb, qe) in [(19, 20), (20, 19), (21, 19)] {
        platform.tcb_evaluation_data_number = tcb;
        platform.qe_evaluation_data_number = qe;
        *source.collateral.lock().unwrap() = platform.collateral(Tee::Tdx).unwrap();
        let appraised = appraise(&verifier, &platform, NOW);
        assert_eq!(
            appraised.map(drop),
            Err(QuoteError::Superseded),
            "{tcb} {qe}"
        );
    }
    platform.tcb_evaluation_data_number = 21;
    platform.qe_evaluation_data_number = 21;
    *source.collateral.lock().unwrap() = platform.collateral(Tee::Tdx).unwrap();
    assert!(appraise(&verifier, &platform, NOW).is_ok());
    platform.tcb_evaluation_data_number = 20;
    *source.collateral.lock().unwrap() = platform.collateral(Tee::Tdx).unwrap();
    let appraised = appraise(&verifier, &platform, NOW);
    assert_eq!(appraised.map(drop), Err(QuoteError::Superseded));
}

#[test]
fn collateral_that_does_not_verify_raises_nothing() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let good = platform.collateral(Tee::Tdx).unwrap();
    platform.tcb_evaluation_data_number = 1_000;
    let mut parts = platform.collateral(Tee::Tdx).unwrap().parts().clone();
    parts.tcb_info_signature = good.parts().tcb_info_signature.clone();
    let source = Arc::new(Careless::giving(Collateral::new(parts).unwrap()));
    let verifier = td_verifier(&platform, policy(&report), source.clone());
    let appraised = appraise(&verifier, &platform, NOW);
    assert_eq!(appraised.map(drop), Err(QuoteError::Collateral));
    assert_eq!(source.rejected.load(Ordering::Relaxed), 1);
    *source.collateral.lock().unwrap() = good;
    assert!(appraise(&verifier, &platform, NOW).is_ok());
}

#[test]
fn a_policy_can_demand_an_evaluation() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    platform.tcb_evaluation_data_number = 21;
    let report = platform.td_report();
    for (least, expected) in [(20, Ok(())), (21, Err(QuoteError::Superseded))] {
        let source = SuppliedCollateral::new([platform.collateral(Tee::Tdx).unwrap()]);
        let policy = TdxPolicy {
            min_tcb_evaluation_data_number: least,
            ..policy(&report)
        };
        let verifier = td_verifier(&platform, policy, Arc::new(source));
        assert_eq!(appraise(&verifier, &platform, NOW).map(drop), expected);
    }
}

#[test]
fn of_two_for_one_platform_the_newer_is_used() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let old = platform.collateral(Tee::Tdx).unwrap();
    platform.tcb_evaluation_data_number = 22;
    platform.qe_evaluation_data_number = 22;
    let new = platform.collateral(Tee::Tdx).unwrap();
    for both in [[old.clone(), new.clone()], [new, old]] {
        let policy = TdxPolicy {
            min_tcb_evaluation_data_number: 22,
            ..policy(&platform.td_report())
        };
        let source = SuppliedCollateral::new(both);
        let verifier = td_verifier(&platform, policy, Arc::new(source));
        assert!(appraise(&verifier, &platform, NOW).is_ok());
    }
}

/// Each piece is named that expired, and the first of several.
#[test]
fn stale_collateral_says_which_piece_and_since_when() {
    let mut long = ForgedPlatform::new(NOW).unwrap();
    long.days = 100;
    let long_lived = long.collateral(Tee::Tdx).unwrap();
    long.days = 30;
    let short_lived = long.collateral(Tee::Tdx).unwrap();
    type Replace = fn(&mut CollateralParts, CollateralParts);
    let cases: [(Replace, &str); 4] = [
        (
            |parts, short| {
                parts.tcb_info = short.tcb_info;
                parts.tcb_info_signature = short.tcb_info_signature;
            },
            "TCB info",
        ),
        (
            |parts, short| {
                parts.qe_identity = short.qe_identity;
                parts.qe_identity_signature = short.qe_identity_signature;
            },
            "QE identity",
        ),
        (
            |parts, short| parts.root_ca_crl = short.root_ca_crl,
            "root CRL",
        ),
        (|parts, short| parts.pck_crl = short.pck_crl, "PCK CRL"),
    ];
    for (replace, piece) in cases {
        let mut parts = long_lived.parts().clone();
        replace(&mut parts, short_lived.parts().clone());
        let source = SuppliedCollateral::new([Collateral::new(parts).unwrap()]);
        let policy = policy(&long.td_report());
        let verifier = td_verifier(&long, policy, Arc::new(source));
        assert!(appraise(&verifier, &long, NOW + 30 * DAY - 1).is_ok());
        let refused = appraise(&verifier, &long, NOW + 40 * DAY).map(drop);
        let since = Stale::expired(piece, at(NOW + 30 * DAY));
        assert_eq!(refused, Err(QuoteError::Outdated(since)));
        let told = AppraisalError::from(refused.unwrap_err()).to_string();
        let told = told.strip_prefix("collateral of the verifier is outside its validity: ");
        assert_eq!(
            told.unwrap(),
            format!("{piece} expired 2027-02-14T00:00:00Z")
        );
    }
}

/// Each document and list serves until its own `nextUpdate`; there is no other limit of age.
#[test]
fn only_the_documents_say_how_old_they_may_be() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    platform.days = 2_500;
    let source = SuppliedCollateral::new([platform.collateral(Tee::Tdx).unwrap()]);
    let verifier = td_verifier(&platform, policy(&platform.td_report()), Arc::new(source));
    let appraised = appraise(&verifier, &platform, NOW + 2_499 * DAY).unwrap();
    assert_eq!(appraised.ear().status(), Tier::Affirming);
}

#[test]
fn a_form_that_is_cut_repeated_or_unknown_is_refused() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let good = platform.collateral(Tee::Tdx).unwrap();
    let bytes = good.encode().unwrap();
    assert_eq!(Collateral::decode(&bytes), Ok(good.clone()));
    assert_eq!((good.tee(), good.ca()), (Tee::Tdx, PckCa::Platform));
    let trailing = [&bytes[..], &[0]].concat();
    assert_eq!(
        Collateral::decode(&trailing),
        Err(CollateralFormError::Form)
    );
    // One entry less or more, in number and in fact.
    let mut fewer = bytes.clone();
    fewer[0] -= 1;
    assert_eq!(Collateral::decode(&fewer), Err(CollateralFormError::Form));
    for entry in [[1, 0x60], [9, 0x60], [0, 0x60], [0x20, 0x60]] {
        let mut more = [&bytes[..], &entry].concat();
        more[0] += 1;
        assert_eq!(Collateral::decode(&more), Err(CollateralFormError::Form));
    }
    type Change = fn(&mut CollateralParts);
    let changes: [(Change, CollateralFormError); 11] = [
        (
            |parts| parts.tcb_info_issuer_chain.truncate(1),
            CollateralFormError::Chain,
        ),
        (
            |parts| parts.qe_identity_issuer_chain.push(vec![0x30, 0]),
            CollateralFormError::Chain,
        ),
        (|parts| parts.tcb_info.clear(), CollateralFormError::TcbInfo),
        (
            |parts| parts.tcb_info = parts.tcb_info.replace("TDX\"", "TDY\""),
            CollateralFormError::TcbInfo,
        ),
        (
            |parts| parts.tcb_info = parts.tcb_info.replace("nextUpdate", "next"),
            CollateralFormError::TcbInfo,
        ),
        (
            |parts| parts.tcb_info = parts.tcb_info.replace("00Z\"", "00\""),
            CollateralFormError::TcbInfo,
        ),
        (
            |parts| parts.tcb_info = parts.tcb_info.replace("90c06f000000", "90c06f00000"),
            CollateralFormError::TcbInfo,
        ),
        (
            |parts| parts.qe_identity.clear(),
            CollateralFormError::QeIdentity,
        ),
        (|parts| parts.pck_crl.clear(), CollateralFormError::Crl),
        (|parts| parts.root_ca_crl.clear(), CollateralFormError::Crl),
        // The root's list is not that of an issuer of PCK certificates.
        (
            |parts| parts.pck_crl = parts.root_ca_crl.clone(),
            CollateralFormError::Crl,
        ),
    ];
    for (index, (change, expected)) in changes.into_iter().enumerate() {
        let mut parts = good.parts().clone();
        change(&mut parts);
        assert_eq!(Collateral::new(parts), Err(expected), "case {index}");
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Collateral::decode(&bytes).is_err());
        prop_assert!(Collateral::from_json(&String::from_utf8_lossy(&bytes)).is_err());
    }
}

// --- From the peer -----------------------------------------------------------------------------------------------------

fn endorsed(collateral: &[&Collateral]) -> Cmw {
    let kind: MediaType = "application/vnd.atls.dcap-collateral+cbor".parse().unwrap();
    let members = collateral.iter().enumerate().map(|(index, collateral)| {
        let value = collateral.encode().unwrap();
        let kind = Type::Media(kind.clone());
        let record = Cmw::record(kind, value, Some(Indicator::ENDORSEMENTS));
        (format!("{index}").as_str().into(), record)
    });
    Cmw::collection(None, members.collect()).unwrap()
}

#[test]
fn a_peer_can_send_collateral_along() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let verifier = td_verifier(
        &platform,
        policy(&report),
        Arc::new(CollateralFromPeer::new()),
    );
    let appraise = |collateral: &[&Collateral], now| {
        let cmw = endorsed(collateral);
        ready(verifier.appraise_quote(&td_quote(&platform), &cmw.items(), at(now))).map(drop)
    };
    let good = platform.collateral(Tee::Tdx).unwrap();
    assert_eq!(appraise(&[&good], NOW), Ok(()));
    assert_eq!(appraise(&[&good], NOW + 31 * DAY), Err(QuoteError::Expired));
    let foreign = ForgedPlatform::new(NOW)
        .unwrap()
        .collateral(Tee::Tdx)
        .unwrap();
    assert_eq!(appraise(&[&foreign], NOW), Err(QuoteError::NotSent));
    let sgx = platform.collateral(Tee::Sgx).unwrap();
    assert_eq!(appraise(&[&sgx], NOW), Err(QuoteError::NotSent));
}

/// A peer must not choose the moment of its past that is appraised: the grace is for collateral of our own.
#[test]
fn a_peers_collateral_has_no_grace() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let collateral = platform.collateral(Tee::Tdx).unwrap();
    let policy = TdxPolicy {
        collateral_grace_days: 2,
        ..policy(&platform.td_report())
    };
    let late = NOW + 31 * DAY;
    let nothing = Arc::new(CollateralFromPeer::new());
    let from_peer = td_verifier(&platform, policy.clone(), nothing);
    let cmw = endorsed(&[&collateral]);
    let appraised = ready(from_peer.appraise_quote(&td_quote(&platform), &cmw.items(), at(late)));
    assert_eq!(appraised.map(drop), Err(QuoteError::Expired));
    let ours = td_verifier(
        &platform,
        policy,
        Arc::new(SuppliedCollateral::new([collateral])),
    );
    assert!(appraise(&ours, &platform, late).is_ok());
}

#[test]
fn our_own_collateral_comes_before_the_peers() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let before = platform.collateral(Tee::Tdx).unwrap();
    platform.platform_levels[0].status = atls_tdx::TcbStatus::Revoked;
    let after = platform.collateral(Tee::Tdx).unwrap();
    let source = Arc::new(Careless::giving(after));
    let verifier = td_verifier(&platform, policy(&report), source.clone());
    let cmw = endorsed(&[&before]);
    let appraise = || {
        let quote = td_quote(&platform);
        let items = cmw.items();
        let appraised = ready(verifier.appraise_quote(&quote, &items, at(NOW)));
        support::tier(&appraised.unwrap())
    };
    // At hand, and fetched; but where we have none, the peer's is what Intel signed within the month.
    for (at_hand, fetches, expected) in [
        (1, 0, Tier::Contraindicated),
        (0, 1, Tier::Contraindicated),
        (0, 0, Tier::Affirming),
    ] {
        source.at_hand.store(at_hand, Ordering::Relaxed);
        source.fetches.store(fetches, Ordering::Relaxed);
        assert_eq!(appraise(), expected);
    }
}

#[test]
fn the_peers_collateral_serves_where_ours_cannot_be_fetched() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let service = Arc::new(Service::of(&platform));
    service.gone.store(1, Ordering::Relaxed);
    let pcs = Pcs::intel(service).dangerous_with_root(platform.root());
    let source = FetchedCollateral::new(Arc::new(pcs));
    let verifier = td_verifier(&platform, policy(&report), Arc::new(source));
    let cmw = endorsed(&[&platform.collateral(Tee::Tdx).unwrap()]);
    let appraised = ready(verifier.appraise_quote(&td_quote(&platform), &cmw.items(), at(NOW)));
    assert!(appraised.is_ok());
}

/// Intel publishes the next evaluation early. A peer that sends it must not have others refused.
#[test]
fn a_peers_newer_evaluation_does_not_bind_us() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let ours = platform.collateral(Tee::Tdx).unwrap();
    platform.tcb_evaluation_data_number = 30;
    platform.qe_evaluation_data_number = 30;
    let early = platform.collateral(Tee::Tdx).unwrap();
    let source = Arc::new(Careless::giving(ours.clone()));
    source.at_hand.store(0, Ordering::Relaxed);
    let verifier = td_verifier(&platform, policy(&report), source.clone());
    let appraise = |collateral: &Collateral| {
        let cmw = endorsed(&[collateral]);
        ready(verifier.appraise_quote(&td_quote(&platform), &cmw.items(), at(NOW))).map(drop)
    };
    assert_eq!(appraise(&early), Ok(()));
    source.at_hand.store(1, Ordering::Relaxed);
    assert_eq!(appraise(&early), Ok(()));
    source.at_hand.store(0, Ordering::Relaxed);
    assert_eq!(appraise(&ours), Ok(()));
}

// --- Fetched -----------------------------------------------------------------------------------------------------------

#[test]
fn nothing_is_fetched_for_a_quote_that_does_not_verify() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let source = Arc::new(Careless::giving(platform.collateral(Tee::Tdx).unwrap()));
    source.at_hand.store(0, Ordering::Relaxed);
    source.fetches.store(1, Ordering::Relaxed);
    let verifier = td_verifier(&platform, policy(&report), source.clone());
    let good = td_quote(&platform);
    let appraise = |quote: &[u8]| ready(verifier.appraise_quote(quote, &[], at(NOW)));
    // Every byte that something signs: header, body, signature, key, QE report and its signature, authentication data.
    for index in (0..48 + 584)
        .chain(48 + 584 + 4..48 + 584 + 4 + 128)
        .chain(770..1250)
    {
        let mut flipped = good.clone();
        flipped[index] ^= 1;
        assert!(appraise(&flipped).is_err(), "byte {index}");
    }
    let foreign = ForgedPlatform::new(NOW).unwrap();
    assert!(appraise(&td_quote(&foreign)).is_err());
    assert_eq!(source.fetched.load(Ordering::Relaxed), 0);
    assert!(appraise(&good).is_ok());
    assert_eq!(source.fetched.load(Ordering::Relaxed), 1);
}

#[test]
fn intels_service_is_asked_by_its_urls() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let service = Arc::new(Service::of(&platform));
    let pcs = Pcs::intel(service.clone()).dangerous_with_root(platform.root());
    let fetched = ready(pcs.fetch(KEY, at(NOW))).unwrap();
    assert_eq!(fetched.fresh_until, at(NOW + 30 * DAY));
    assert_eq!(fetched.sequence[..2], [20, 20]);
    let collateral = Collateral::decode(&fetched.bytes).unwrap();
    assert_eq!(collateral.fmspc(), platform.fmspc);
    assert!(supplied(&platform, collateral).is_ok());
    let intel = "https://api.trustedservices.intel.com";
    assert_eq!(
        *service.asked.lock().unwrap(),
        [
            format!("{intel}/tdx/certification/v4/tcb?fmspc=90c06f000000"),
            format!("{intel}/tdx/certification/v4/qe/identity"),
            format!("{intel}/sgx/certification/v4/pckcrl?ca=platform&encoding=der"),
            "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der".to_owned(),
        ]
    );
}

/// One after the other they would take longer than a connection has.
#[test]
fn intels_documents_are_asked_for_at_once() {
    struct Silent(AtomicUsize);
    impl HttpClient for Silent {
        fn send(
            &self,
            _: http::Request<Vec<u8>>,
            limits: HttpLimits,
        ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
            assert!(limits.deadline <= Duration::from_secs(5));
            self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::pending())
        }
    }
    let silent = Arc::new(Silent(AtomicUsize::new(0)));
    let pcs = Pcs::intel(silent.clone());
    assert!(pcs.fetch(KEY, at(NOW)).now_or_never().is_none());
    assert_eq!(silent.0.load(Ordering::Relaxed), 4);
}

#[test]
fn a_pccs_gives_lists_in_hexadecimal() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let mut service = Service::of(&platform);
    service.hexadecimal = true;
    let service = Arc::new(service);
    let pcs = Pcs::pccs(service.clone(), "https://pccs.example/");
    let pcs = pcs.dangerous_with_root(platform.root());
    assert!(ready(pcs.fetch(KEY, at(NOW))).is_ok());
    assert!(
        service
            .asked
            .lock()
            .unwrap()
            .iter()
            .all(|url| url.starts_with("https://pccs.example/"))
    );
    let sgx = "sgx/90c06f000000/platform";
    // This service has no other technology than TDX.
    assert_eq!(
        ready(pcs.fetch(sgx, at(NOW))).map(drop),
        Err(CollateralError::Malformed)
    );
}

#[test]
fn a_service_that_lies_is_not_believed() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let malformed = Err(CollateralError::Malformed);
    let fetch = |service: Service, root: Vec<u8>, now| {
        let pcs = Pcs::intel(Arc::new(service)).dangerous_with_root(root);
        ready(pcs.fetch(KEY, at(now))).map(drop)
    };
    let root = || platform.root();
    assert_eq!(fetch(Service::of(&platform), root(), NOW), Ok(()));
    assert_eq!(
        fetch(Service::of(&platform), root(), NOW + 31 * DAY),
        Err(CollateralError::Expired)
    );
    let foreign = ForgedPlatform::new(NOW).unwrap();
    assert_eq!(fetch(Service::of(&foreign), root(), NOW), malformed);
    // Piece by piece that of another root.
    for piece in 0..4 {
        let mut service = Service::of(&platform);
        service.answers[piece] = Service::of(&foreign).answers[piece].clone();
        assert_eq!(fetch(service, root(), NOW), malformed, "piece {piece}");
    }
    // Another platform's, an answer without chain, without signature, no JSON.
    let mut elsewhere = ForgedPlatform::new(NOW).unwrap();
    elsewhere.fmspc[5] = 1;
    assert_eq!(
        fetch(Service::of(&elsewhere), elsewhere.root(), NOW),
        malformed
    );
    for piece in 0..3 {
        let mut service = Service::of(&platform);
        service.answers[piece].chain.1.clear();
        assert_eq!(fetch(service, root(), NOW), malformed, "chain {piece}");
    }
    for piece in 0..2 {
        let mut service = Service::of(&platform);
        service.answers[piece].body = b"{}".to_vec();
        assert_eq!(fetch(service, root(), NOW), malformed, "body {piece}");
    }
    let mut service = Service::of(&platform);
    service.answers[1].status = 404;
    assert_eq!(
        fetch(service, root(), NOW),
        Err(CollateralError::Status(404))
    );
}

#[test]
fn only_keys_of_platforms_get_into_urls() {
    let platform = ForgedPlatform::new(NOW).unwrap();
    let service = Arc::new(Service::of(&platform));
    let pcs = Pcs::intel(service.clone()).dangerous_with_root(platform.root());
    for key in [
        "",
        "tdx/90c06f000000",
        "tdx/90c06f000000/platform/more",
        "tdx/90c06f00000/platform",
        "tdx/90c06f00000g/platform",
        "tdx/90c06f000000/other",
        "../90c06f000000/platform",
        "tdx/90c06f0000&x/platform",
    ] {
        assert_eq!(
            ready(pcs.fetch(key, at(NOW))).map(drop),
            Err(CollateralError::Malformed)
        );
    }
    assert!(service.asked.lock().unwrap().is_empty());
}

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
        let service = Arc::new(Promoting {
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
    refresh(NOW + DAY);
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
        let source = FetchedCollateral::new(Arc::new(Once {
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

// --- Helpers -----------------------------------------------------------------------------------------------------------

const KEY: &str = "tdx/90c06f000000/platform";

/// Gives the same collateral whatever it is asked for, at hand or fetched.
struct Careless {
    collateral: Mutex<Collateral>,
    at_hand: AtomicUsize,
    fetches: AtomicUsize,
    fetched: AtomicUsize,
    rejected: AtomicUsize,
}

impl Careless {
    fn giving(collateral: Collateral) -> Self {
        Self {
            collateral: Mutex::new(collateral),
            at_hand: AtomicUsize::new(1),
            fetches: AtomicUsize::new(0),
            fetched: AtomicUsize::new(0),
            rejected: AtomicUsize::new(0),
        }
    }

    fn give(&self) -> Arc<Collateral> {
        Arc::new(self.collateral.lock().unwrap().clone())
    }
}

impl CollateralSource for Careless {
    fn at_hand(&self, _platform: &Platform, _now: UnixTime) -> Option<Arc<Collateral>> {
        (self.at_hand.load(Ordering::Relaxed) > 0).then(|| self.give())
    }

    fn can_fetch(&self) -> bool {
        self.fetches.load(Ordering::Relaxed) > 0
    }

    fn fetch<'a>(
        &'a self,
        _platform: &'a VerifiedPlatform,
        _now: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Arc<Collateral>>, CollateralError>> {
        self.fetched.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Ok(Some(self.give())) })
    }

    fn reject(&self, _collateral: &Collateral, _now: UnixTime) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }
}

/// Gives once, and then fails.
struct Once {
    pcs: Pcs,
    error: CollateralError,
    calls: AtomicUsize,
}

impl Fetch for Once {
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
struct Renewed(Mutex<Arc<Service>>);

impl Renewed {
    fn of(platform: &ForgedPlatform) -> Self {
        Self(Mutex::new(Arc::new(Service::of(platform))))
    }

    fn renew(&self, platform: &ForgedPlatform) {
        *self.0.lock().unwrap() = Arc::new(Service::of(platform));
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
struct Promoting {
    standard: Arc<Service>,
    early: Option<Service>,
}

impl HttpClient for Promoting {
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

/// Intel's service for one platform: TCB Info, QE Identity, list of the issuer, list of the root.
struct Service {
    answers: [Answer; 4],
    asked: Mutex<Vec<String>>,
    hexadecimal: bool,
    gone: AtomicUsize,
}

#[derive(Clone)]
struct Answer {
    status: u16,
    chain: (&'static str, String),
    body: Vec<u8>,
}

impl Service {
    fn of(platform: &ForgedPlatform) -> Self {
        let collateral = platform.collateral(Tee::Tdx).unwrap();
        let parts = collateral.parts();
        let answer = |name, chain: &[Vec<u8>], body| Answer {
            status: 200,
            chain: (name, ForgedPlatform::header_of(chain)),
            body,
        };
        let signed = |name: &str, document: &str, signature: &[u8]| {
            let signature: String = signature.iter().map(|byte| format!("{byte:02X}")).collect();
            // As white space is not normalised away, the bytes must be taken as they are.
            format!("{{ \"{name}\": {document} , \"signature\":\"{signature}\"}}").into_bytes()
        };
        Self {
            answers: [
                answer(
                    "TCB-Info-Issuer-Chain",
                    &parts.tcb_info_issuer_chain,
                    signed("tcbInfo", &parts.tcb_info, &parts.tcb_info_signature),
                ),
                answer(
                    "SGX-Enclave-Identity-Issuer-Chain",
                    &parts.qe_identity_issuer_chain,
                    signed(
                        "enclaveIdentity",
                        &parts.qe_identity,
                        &parts.qe_identity_signature,
                    ),
                ),
                answer(
                    "SGX-PCK-CRL-Issuer-Chain",
                    &platform.pck_issuer_chain().unwrap(),
                    parts.pck_crl.clone(),
                ),
                answer("X-None", &[], parts.root_ca_crl.clone()),
            ],
            asked: Mutex::default(),
            hexadecimal: false,
            gone: AtomicUsize::new(0),
        }
    }
}

impl HttpClient for Service {
    fn send(
        &self,
        request: http::Request<Vec<u8>>,
        _limits: HttpLimits,
    ) -> BoxFuture<'_, Result<http::Response<Vec<u8>>, HttpError>> {
        let url = request.uri().to_string();
        let piece = ["/tcb?", "/qe/identity", "/pckcrl?", "ootc"]
            .iter()
            .position(|part| {
                url.to_ascii_lowercase()
                    .replace("intelsgxrootca", "rootca")
                    .contains(part)
            })
            .unwrap();
        self.asked.lock().unwrap().push(url);
        if self.gone.load(Ordering::Relaxed) > 0 {
            return Box::pin(async { Err(HttpError::TimedOut) });
        }
        let answer = &self.answers[piece];
        let mut body = answer.body.clone();
        if self.hexadecimal && piece >= 2 {
            body = body
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
                .into_bytes();
        }
        let response = http::Response::builder()
            .status(answer.status)
            .header(answer.chain.0, &answer.chain.1)
            .body(body)
            .unwrap();
        Box::pin(async { Ok(response) })
    }
}
