//! Pieces that are rejected.

use std::sync::Arc;

use atls_collateral::Fetched;
use atls_core::AppraisalError;
use atls_core::Stale;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::KdsCollateral;
use atls_snp::SnpEvidence;
use atls_snp::testing::ForgedKey;
use atls_snp::testing::ForgedSnp;
use test_support::at;

use crate::pieces::END;
use crate::pieces::Piece;
use crate::pieces::Source;
use crate::pieces::appraise;
use crate::pieces::platform_bytes;
use crate::support::CHALLENGE;
use crate::support::NOW;
use crate::support::appraise_with;
use crate::support::milan;

/// Bad contents of a cache refuse no handshake, and are gone.
#[test]
fn bad_contents_are_rejected_and_asked_for_once_more() {
    let platform = milan();
    let with = |change: fn(&mut ForgedSnp), piece| {
        let mut other = milan();
        change(&mut other);
        platform_bytes(&other, piece)
    };
    let garbage = || b"garbage".to_vec();
    for (piece, bad, what) in [
        (Piece::Crl, garbage(), "garbage"),
        (
            Piece::Crl,
            with(|it| it.crl.signed_by = ForgedKey::Ask, Piece::Crl),
            "signed by another",
        ),
        (
            Piece::Crl,
            with(|it| it.crl.next_update = Some(NOW - 1), Piece::Crl),
            "expired",
        ),
        (Piece::Vek, garbage(), "garbage"),
        (
            Piece::Vek,
            with(|it| it.vek.set(&[4], &[0xdd; 64]), Piece::Vek),
            "another chip's",
        ),
        (
            Piece::Vek,
            with(|it| it.vek.not_after = NOW - 1, Piece::Vek),
            "expired",
        ),
        (Piece::Issuers, garbage(), "garbage"),
        (
            Piece::Issuers,
            with(|it| it.ask.not_after = NOW - 1, Piece::Issuers),
            "expired",
        ),
    ] {
        let good = || Fetched::new(platform_bytes(&platform, piece), at(END));
        let bad = || Fetched::new(bad.clone(), at(END));
        let source = Source::of(&platform);
        source.put(piece, [bad(), good()]);
        assert!(
            appraise(&platform, &source, NOW).is_ok(),
            "{piece:?} {what}"
        );
        assert_eq!(source.rejected(), [piece], "{what}");
        // The verifier asks twice at most, so no peer makes it ask on and on.
        source.put(piece, [bad(), bad(), good()]);
        let expected = if what == "expired" {
            let name = match piece {
                Piece::Crl => "VCEK CRL of Milan",
                Piece::Issuers => "ASK and ARK of Milan",
                Piece::Vek => "VCEK certificate of Milan",
            };
            AppraisalError::StaleCollateral(Stale::expired(name, at(NOW - 1)))
        } else {
            AppraisalError::Unreachable
        };
        let refused = appraise(&platform, &source, NOW).map(drop);
        assert_eq!(refused, Err(expected), "{piece:?} {what}");
        assert_eq!(source.rejected(), [piece; 3], "{what}");
    }
}

/// Neither a claimed chip nor other pieces of a peer are a reason to drop a good piece.
#[test]
fn no_peer_has_a_good_piece_rejected() {
    let platform = milan();
    let source = Source::of(&platform);
    let appraise = |evidence: &SnpEvidence| {
        let own = KdsCollateral::new(Arc::clone(&source));
        appraise_with(&platform, evidence, own, platform.policy()).map(drop)
    };
    // Another machine claims to be this one.
    let liar = SnpEvidence::new(milan().signed_report(&CHALLENGE), CertTable::new());
    assert_eq!(appraise(&liar), Err(AppraisalError::BadSignature));
    let mut broken = platform.ask.certificate();
    *broken.last_mut().unwrap() ^= 1;
    let table = |ask| {
        let ark = platform.ark.certificate();
        let table = CertTable::new().with(CertificateKind::Ask, ask);
        table.with(CertificateKind::Ark, ark)
    };
    let report = || platform.signed_report(&CHALLENGE);
    let bad = SnpEvidence::new(report(), table(broken));
    assert!(appraise(&bad).is_err());
    // Good authorities of the peer do not matter either.
    let good = SnpEvidence::new(report(), table(platform.ask.certificate()));
    assert_eq!(appraise(&good), Ok(()));
    assert_eq!(source.rejected(), []);
}
