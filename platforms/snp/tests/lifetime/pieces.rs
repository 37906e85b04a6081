//! A source of pieces of collateral, each with an end of its own.

use std::sync::Arc;
use std::sync::Mutex;

use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::RecordedAppraisal;
use atls_core::http::HttpError;
use atls_core::pki_types::UnixTime;
use atls_snp::CertificateKind;
use atls_snp::KdsCollateral;
use atls_snp::SnpVerifier;
use atls_snp::testing::ForgedSnp;
use test_support::at;
use test_support::ready;

use crate::support::NOW;
use crate::support::bare;
use crate::support::verifier_with;

pub(crate) const DAY: u64 = 24 * 60 * 60;

/// The end of everything forged, by its source.
pub(crate) const END: u64 = NOW + 10 * DAY;

pub(crate) fn verifier(platform: &ForgedSnp, source: impl Fetch + 'static) -> SnpVerifier {
    verifier_with(platform, platform.policy(), KdsCollateral::new(source))
}

pub(crate) fn appraise(
    platform: &ForgedSnp,
    source: &Arc<Source>,
    now: u64,
) -> Result<RecordedAppraisal, AppraisalError> {
    let verifier = verifier(platform, Arc::clone(source));
    ready(verifier.appraise_report(&bare(platform), &[], at(now)))
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Piece {
    Crl,
    Issuers,
    Vek,
}

impl Piece {
    pub(crate) fn of(key: &str) -> Self {
        match key.rsplit('/').next().unwrap() {
            "crl" => Self::Crl,
            "cert_chain" => Self::Issuers,
            _ => Self::Vek,
        }
    }
}

/// The piece as AMD serves it.
pub(crate) fn platform_bytes(platform: &ForgedSnp, piece: Piece) -> Vec<u8> {
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
pub(crate) struct Source {
    contents: Mutex<[Vec<Fetched>; 3]>,
    pub(crate) rejected: Mutex<Vec<Piece>>,
    failure: Mutex<Option<CollateralError>>,
}

impl Source {
    pub(crate) fn of(platform: &ForgedSnp) -> Arc<Self> {
        let pieces = [Piece::Crl, Piece::Issuers, Piece::Vek];
        let contents = |piece| vec![Fetched::new(platform_bytes(platform, piece), at(END))];
        Arc::new(Self {
            contents: Mutex::new(pieces.map(contents)),
            rejected: Mutex::default(),
            failure: Mutex::default(),
        })
    }

    pub(crate) fn put<const N: usize>(&self, piece: Piece, contents: [Fetched; N]) {
        let mut known = self.contents.lock().unwrap();
        known[place(piece)] = contents.into_iter().rev().collect();
    }

    pub(crate) fn fail(&self, error: CollateralError) {
        *self.failure.lock().unwrap() = Some(error);
    }

    pub(crate) fn rejected(&self) -> Vec<Piece> {
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

pub(crate) fn place(piece: Piece) -> usize {
    match piece {
        Piece::Crl => 0,
        Piece::Issuers => 1,
        Piece::Vek => 2,
    }
}
