//! No result outlives the collateral that it rests on, and bad collateral does not stay.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

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
use atls_core::Verifier;
use atls_core::ear::Tier;
use atls_core::http::HttpError;
use atls_core::pki_types::UnixTime;
use atls_snp::CertTable;
use atls_snp::CertificateKind;
use atls_snp::KdsCollateral;
use atls_snp::Product;
use atls_snp::SigningKey;
use atls_snp::SnpEvidence;
use atls_snp::SnpVerifier;
use atls_snp::SuppliedCollateral;
use atls_snp::testing::ForgedKey;
use atls_snp::testing::ForgedSnp;

use support::CHALLENGE;
use support::NOW;
use support::appraise_with;
use support::bare;
use support::milan;
use support::verifier_with;
use test_support::at;
use test_support::ready;

const DAY: u64 = 24 * 60 * 60;

/// The end of everything forged, by its source.
const END: u64 = NOW + 10 * DAY;

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
    let judge = |now| {
        let appraised = ready(verifier.appraise_report(&evidence, &[], at(now)));
        assert!(appraised.is_ok());
        verifier.generation()
    };
    let first = judge(NOW);
    assert_eq!(judge(NOW + 1), first);
    platform.crl.next_update = Some(NOW + DAY);
    source.put(Piece::Crl, [list(&platform, NOW + DAY)]);
    assert!(judge(NOW + 61) > first);
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

// --- Helpers -----------------------------------------------------------------------------------------------------------

fn verifier(platform: &ForgedSnp, source: impl Fetch + 'static) -> SnpVerifier {
    verifier_with(platform, platform.policy(), KdsCollateral::new(source))
}

fn appraise(
    platform: &ForgedSnp,
    source: &Arc<Source>,
    now: u64,
) -> Result<RecordedAppraisal, AppraisalError> {
    let verifier = verifier(platform, Arc::clone(source));
    ready(verifier.appraise_report(&bare(platform), &[], at(now)))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece {
    Crl,
    Issuers,
    Vek,
}

impl Piece {
    fn of(key: &str) -> Self {
        match key.rsplit('/').next().unwrap() {
            "crl" => Self::Crl,
            "cert_chain" => Self::Issuers,
            _ => Self::Vek,
        }
    }
}

/// The piece as AMD serves it.
fn platform_bytes(platform: &ForgedSnp, piece: Piece) -> Vec<u8> {
    let pem = |der: Vec<u8>| atls_formats::snp::pem(CertificateKind::Ask, &der);
    match piece {
        Piece::Crl => platform.crl.encode(),
        Piece::Issuers => [platform.ask.certificate(), platform.ark.certificate()]
            .map(pem)
            .concat()
            .into_bytes(),
        Piece::Vek => platform.vek_certificate(),
    }
}

/// A source that gives the first contents of a piece until they are rejected, and then the next ones.
struct Source {
    contents: Mutex<[Vec<Fetched>; 3]>,
    rejected: Mutex<Vec<Piece>>,
    failure: Mutex<Option<CollateralError>>,
}

impl Source {
    fn of(platform: &ForgedSnp) -> Arc<Self> {
        let pieces = [Piece::Crl, Piece::Issuers, Piece::Vek];
        let contents = |piece| vec![Fetched::new(platform_bytes(platform, piece), at(END))];
        Arc::new(Self {
            contents: Mutex::new(pieces.map(contents)),
            rejected: Mutex::default(),
            failure: Mutex::default(),
        })
    }

    fn put<const N: usize>(&self, piece: Piece, contents: [Fetched; N]) {
        let mut known = self.contents.lock().unwrap();
        known[place(piece)] = contents.into_iter().rev().collect();
    }

    fn fail(&self, error: CollateralError) {
        *self.failure.lock().unwrap() = Some(error);
    }

    fn rejected(&self) -> Vec<Piece> {
        self.rejected.lock().unwrap().clone()
    }
}

impl Fetch for Source {
    fn fetch<'a>(
        &'a self,
        key: &'a str,
        _now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        let contents = self.contents.lock().unwrap();
        let found = contents[place(Piece::of(key))].last().cloned();
        let outcome = match (self.failure.lock().unwrap().clone(), found) {
            (Some(error), _) => Err(error),
            (None, found) => found.ok_or(CollateralError::Unreachable(HttpError::TimedOut)),
        };
        Box::pin(async { outcome })
    }

    fn read(
        &self,
        _key: &str,
        _bytes: Arc<[u8]>,
        _now: UnixTime,
    ) -> Result<Fetched, CollateralError> {
        Err(CollateralError::Malformed)
    }

    fn reject(&self, key: &str, contents: &Fetched, _now: UnixTime) {
        let piece = Piece::of(key);
        let mut known = self.contents.lock().unwrap();
        let known = &mut known[place(piece)];
        if known.last() == Some(contents) {
            known.pop();
            self.rejected.lock().unwrap().push(piece);
        }
    }
}

fn place(piece: Piece) -> usize {
    match piece {
        Piece::Crl => 0,
        Piece::Issuers => 1,
        Piece::Vek => 2,
    }
}
