//! Collateral that comes with the Evidence.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::cmw::Indicator;
use atls_core::cmw::Type;
use atls_core::ear::Tier;
use atls_tdx::Collateral;
use atls_tdx::CollateralFromPeer;
use atls_tdx::FetchedCollateral;
use atls_tdx::Pcs;
use atls_tdx::QuoteError;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxPolicy;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use test_support::at;
use test_support::ready;

use crate::service::FixedCollateral;
use crate::service::Service;
use crate::service::appraise;
use crate::support::DAY;
use crate::support::NOW;
use crate::support::policy;
use crate::support::td_quote;
use crate::support::td_verifier;

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
    let source = Arc::new(FixedCollateral::giving(after));
    let verifier = td_verifier(&platform, policy(&report), source.clone());
    let cmw = endorsed(&[&before]);
    let appraise = || {
        let quote = td_quote(&platform);
        let items = cmw.items();
        let appraised = ready(verifier.appraise_quote(&quote, &items, at(NOW)));
        crate::support::tier(&appraised.unwrap())
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
    let source = Arc::new(FixedCollateral::giving(ours.clone()));
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
