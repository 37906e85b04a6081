//! Collateral that the application has at hand: what is verified of it, and which piece is used.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use atls_core::AppraisalError;
use atls_core::Stale;
use atls_core::ear::Tier;
use atls_tdx::Collateral;
use atls_tdx::CollateralParts;
use atls_tdx::QuoteError;
use atls_tdx::SuppliedCollateral;
use atls_tdx::TdxPolicy;
use atls_tdx::Tee;
use atls_tdx::testing::ForgedPlatform;
use test_support::at;
use test_support::ready;

use crate::service::FixedCollateral;
use crate::service::appraise;
use crate::service::supplied;
use crate::support::DAY;
use crate::support::NOW;
use crate::support::policy;
use crate::support::td_quote;
use crate::support::td_verifier;

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
        let careless = Arc::new(FixedCollateral::giving(collateral));
        let verifier = td_verifier(&platform, policy(&report), careless.clone());
        let appraised = ready(verifier.appraise_quote(&quote, &[], at(NOW)));
        assert_eq!(appraised.map(drop), Err(QuoteError::Collateral));
    }
}

#[test]
fn evaluation_never_goes_backwards() {
    let mut platform = ForgedPlatform::new(NOW).unwrap();
    let report = platform.td_report();
    let source = Arc::new(FixedCollateral::giving(
        platform.collateral(Tee::Tdx).unwrap(),
    ));
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
    let source = Arc::new(FixedCollateral::giving(Collateral::new(parts).unwrap()));
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
