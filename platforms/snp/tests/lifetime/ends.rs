//! The end of a result.

use std::sync::Arc;
use std::time::Duration;

use atls_collateral::Cache;
use atls_collateral::CollateralError;
use atls_collateral::Fetched;
use atls_collateral::StalePolicy;
use atls_core::AppraisalError;
use atls_core::Fault;
use atls_core::Stale;
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_snp::Product;
use atls_snp::SigningKey;
use atls_snp::SuppliedCollateral;
use atls_snp::testing::ForgedSnp;
use test_support::at;
use test_support::ready;

use crate::pieces::DAY;
use crate::pieces::Piece;
use crate::pieces::Source;
use crate::pieces::appraise;
use crate::pieces::platform_bytes;
use crate::pieces::verifier;
use crate::support::CHALLENGE;
use crate::support::NOW;
use crate::support::appraise_with;
use crate::support::bare;
use crate::support::milan;

#[test]
fn a_result_ends_with_each_piece_that_was_fetched_for_it() {
    let platform = milan();
    for piece in [Piece::Crl, Piece::Issuers, Piece::Vek] {
        let source = Source::of(&platform);
        source.put(
            piece,
            [Fetched::new(platform_bytes(&platform, piece), at(NOW + 60))],
        );
        let appraised = appraise(&platform, &source, NOW).unwrap();
        let ends = appraised.ear().expires_at();
        assert_eq!(ends, Some(at(NOW + 60)), "{piece:?}");
    }
    // A keeper may shorten the time of a piece, and never extend it.
    let mut platform = milan();
    platform.crl.next_update = Some(NOW + 30);
    let source = Source::of(&platform);
    let appraised = appraise(&platform, &source, NOW).unwrap();
    assert_eq!(appraised.ear().expires_at(), Some(at(NOW + 30)));
}

/// `Cached` uses a result again under the same number only.
#[test]
fn the_generation_of_a_verifier_rises_with_a_list_that_is_replaced() {
    let mut platform = milan();
    let source = Source::of(&platform);
    let list =
        |platform: &ForgedSnp, until| Fetched::new(platform_bytes(platform, Piece::Crl), at(until));
    source.put(Piece::Crl, [list(&platform, NOW + 60)]);
    let verifier = verifier(&platform, Cache::new(Arc::clone(&source)));
    let evidence = bare(&platform);
    let generation_at = |now| {
        let appraised = ready(verifier.appraise_report(&evidence, &[], at(now)));
        assert!(appraised.is_ok());
        verifier.generation()
    };
    let first = generation_at(NOW);
    assert_eq!(generation_at(NOW + 1), first);
    platform.crl.next_update = Some(NOW + DAY);
    source.put(Piece::Crl, [list(&platform, NOW + DAY)]);
    assert!(generation_at(NOW + 61) > first);
}

#[test]
fn a_list_beyond_its_time_is_checked_as_at_its_end() {
    for piece in [Piece::Crl, Piece::Issuers, Piece::Vek] {
        let mut platform = milan();
        match piece {
            Piece::Crl => platform.crl.next_update = Some(NOW + 60),
            Piece::Issuers => platform.ask.not_after = NOW + 60,
            Piece::Vek => platform.vek.not_after = NOW + 60,
        }
        let source = Source::of(&platform);
        source.put(
            piece,
            [Fetched::new(platform_bytes(&platform, piece), at(NOW + 61))],
        );
        let grace = StalePolicy::dangerous_while_unreachable(Duration::from_secs(DAY));
        let cache = Cache::builder(Arc::clone(&source)).stale_policy(grace);
        let verifier = verifier(&platform, cache.build().unwrap());
        let appraise = |now| {
            let evidence = bare(&platform);
            let appraised = ready(verifier.appraise_report(&evidence, &[], at(now)));
            appraised.map(|it| (it.ear().status(), it.ear().expires_at()))
        };
        assert!(appraise(NOW).is_ok(), "{piece:?}");
        source.put(piece, []);
        let until = Some(at(NOW + 61 + DAY));
        for now in [NOW + 61, NOW + 60 + DAY] {
            match piece {
                Piece::Crl => assert_eq!(appraise(now), Ok((Tier::Affirming, until))),
                // There is no grace for certificates.
                Piece::Issuers | Piece::Vek => {
                    let fault = appraise(now).unwrap_err().fault();
                    assert_eq!(fault, Fault::Verifier, "{piece:?}");
                }
            }
        }
        assert!(appraise(NOW + 61 + DAY).is_err(), "{piece:?}");
    }
}

#[test]
fn stale_collateral_of_the_source_is_named() {
    let mut platform = milan();
    platform.crl.next_update = Some(NOW - 1);
    let evidence = platform.evidence(&CHALLENGE);
    let crl = platform.crl.encode();
    let own = SuppliedCollateral::new().with_crl(Product::Milan, SigningKey::Vcek, &crl);
    let refused = appraise_with(&platform, &evidence, own.unwrap(), platform.policy());
    assert_eq!(
        refused.unwrap_err(),
        AppraisalError::StaleCollateral(Stale::expired("VCEK CRL of Milan", at(NOW - 1)))
    );
    let source = Source::of(&platform);
    source.fail(CollateralError::Expired);
    let refused = appraise(&platform, &source, NOW).map(drop);
    assert_eq!(
        refused,
        Err(AppraisalError::StaleCollateral(Stale::undated(
            "VCEK certificate of Milan"
        )))
    );
}
