//! AMD's key distribution service (AMD document 57230 §4): the key of a piece goes in, its verified bytes come out. An answer
//! that AMD did not sign, or that is about something else, is [`CollateralError::Malformed`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_collateral::Kind;
use atls_core::AppraisalError;
use atls_core::BoxFuture;
use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use atls_core::pki_types::UnixTime;
use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;

use super::SnpCollateral;
use super::piece::SnpPiece;
use super::piece::VekId;
use crate::chain;
use crate::chain::Chain;
use crate::crl::RevocationList;
use crate::roots::Roots;
use crate::roots::SnpRoot;
use crate::vek::VekExtensions;
use crate::x509;
use crate::x509::Certificate;

/// Fetches from AMD, one request for each piece. AMD limits how many requests it answers, so put a cache in front.
///
/// It verifies each piece up to the root, so that a cache keeps only what AMD signed.
pub struct Kds {
    http: Arc<dyn HttpClient>,
    base: String,
    roots: Roots,
}

impl Kds {
    /// Fetches from `https://kdsintf.amd.com`.
    pub fn new(http: Arc<dyn HttpClient>) -> Self {
        Self::at(http, "https://kdsintf.amd.com")
    }

    /// Fetches from a mirror with the same paths: scheme and authority, without a slash at the end; `https`, or this machine. A
    /// mirror can withhold pieces, and cannot forge them, as AMD signs them.
    pub fn at(http: Arc<dyn HttpClient>, base: impl Into<String>) -> Self {
        Self {
            http,
            base: base.into(),
            roots: Roots::amd(),
        }
    }

    /// Gives what this root signed, in place of AMD's: that of a forged platform, in tests. The verifier still decides which root
    /// it trusts.
    #[must_use]
    pub fn dangerous_with_root(mut self, root: SnpRoot) -> Self {
        self.roots = root.into();
        self
    }

    async fn request(&self, piece: &SnpPiece) -> Result<Vec<u8>, CollateralError> {
        let url = format!("{}{}", self.base, piece.path());
        let limits = HttpLimits::new(DEADLINE, MAX_BODY);
        let response = atls_collateral::get(&*self.http, &url, limits).await?;
        Ok(response.into_body())
    }

    /// The certificates that verify a chip's, if the intermediate of its root is not known beforehand.
    async fn issuers_for(
        &self,
        piece: &SnpPiece,
        now: UnixTime,
    ) -> Result<Vec<Vec<u8>>, CollateralError> {
        let SnpPiece::Vek(vek) = piece else {
            return Ok(Vec::new());
        };
        if !chain::lacks_intermediate(&self.roots, vek.product, SigningKey::Vcek) {
            return Ok(Vec::new());
        }
        let issuers = SnpPiece::Issuers(vek.product, SigningKey::Vcek);
        let body = self.request(&issuers).await?;
        self.verify(&issuers, &body, &[], now)?;
        x509::from_pem(&body).ok_or(CollateralError::Malformed)
    }

    /// Verifies that this is the piece, signed up to the root, and gives its dates.
    fn verify(
        &self,
        piece: &SnpPiece,
        body: &[u8],
        issuers: &[Vec<u8>],
        now: UnixTime,
    ) -> Result<Dates, CollateralError> {
        let verified = match piece {
            SnpPiece::Crl(product, _) => self.list(*product, body, now),
            SnpPiece::Issuers(product, key) => {
                let certificates = x509::from_pem(body).ok_or(CollateralError::Malformed)?;
                chain::verify_issuers(&self.roots, *product, *key, &certificates, now)
                    .map(Dates::until)
            }
            SnpPiece::Vek(vek) => self.vcek(vek, body, issuers, now).map(Dates::until),
        };
        verified.map_err(|error| match error {
            AppraisalError::Expired => CollateralError::Expired,
            _ => CollateralError::Malformed,
        })
    }

    /// An expired list passes, because its date counts. A list from the future does not: it would keep genuine ones away.
    fn list(&self, product: Product, der: &[u8], now: UnixTime) -> Result<Dates, AppraisalError> {
        let ark = &self.roots.anchor(product)?.ark;
        let validity = RevocationList::verify_signature(der, ark)?.validity();
        if now.as_secs() < validity.not_before {
            return Err(AppraisalError::Malformed);
        }
        Ok(Dates {
            until: validity.not_after,
            issued_at: Some(validity.not_before),
        })
    }

    fn vcek(
        &self,
        vek: &VekId,
        der: &[u8],
        issuers: &[Vec<u8>],
        now: UnixTime,
    ) -> Result<u64, AppraisalError> {
        let certificate = Certificate::decode(der)?;
        let extensions = VekExtensions::read(&certificate)?;
        if !vek.is_of(&extensions) {
            return Err(AppraisalError::UnknownKey);
        }
        let issuers = issuers.iter().map(|der| &**der);
        Chain::verify(&self.roots, der, issuers, now)?;
        Ok(certificate.validity()?.not_after)
    }
}

/// The dates in a piece, seconds since the epoch.
struct Dates {
    until: u64,
    /// The time of a revocation list. AMD never issues an older list after a newer one.
    issued_at: Option<u64>,
}

impl Dates {
    fn until(until: u64) -> Self {
        Self {
            until,
            issued_at: None,
        }
    }

    fn describe(&self, body: impl Into<Arc<[u8]>>) -> Fetched {
        let fetched = Fetched::new(body, x509::time(self.until));
        self.issued_at
            .into_iter()
            .fold(fetched, Fetched::with_sequence)
    }
}

impl Fetch for Kds {
    fn fetch<'a>(
        &'a self,
        key: &'a str,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        Box::pin(async move {
            let piece = SnpPiece::parse(key).ok_or(CollateralError::Malformed)?;
            let body = self.request(&piece).await?;
            let issuers = self.issuers_for(&piece, now).await?;
            let dates = self.verify(&piece, &body, &issuers, now)?;
            if dates.until < now.as_secs() {
                return Err(CollateralError::Expired);
            }
            Ok(dates.describe(body))
        })
    }

    /// A chip's certificate is read only under roots whose intermediates are known beforehand, as AMD's are.
    fn read(&self, key: &str, bytes: Arc<[u8]>, now: UnixTime) -> Result<Fetched, CollateralError> {
        let piece = SnpPiece::parse(key).ok_or(CollateralError::Malformed)?;
        let dates = self.verify(&piece, &bytes, &[], now)?;
        Ok(dates.describe(bytes))
    }

    /// A chip is the claim of a report that nobody has verified yet.
    fn kind(&self, key: &str) -> Kind {
        match SnpPiece::parse(key) {
            Some(SnpPiece::Vek(_)) => Kind::Device,
            _ => Kind::Published,
        }
    }
}

impl fmt::Debug for Kds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kds")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// AMD's collateral through anything that fetches by key: [`Kds`] itself, or better a cache in front of it.
#[derive(Clone, Debug)]
pub struct KdsCollateral<F> {
    source: F,
}

impl<F: Fetch> KdsCollateral<F> {
    /// Asks `source`.
    pub fn new(source: F) -> Self {
        Self { source }
    }
}

impl<F: Fetch> SnpCollateral for KdsCollateral<F> {
    fn get<'a>(
        &'a self,
        piece: &'a SnpPiece,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Fetched>, CollateralError>> {
        Box::pin(async move { self.source.fetch(&piece.to_string(), now).await.map(Some) })
    }

    fn generation(&self) -> u64 {
        self.source.generation()
    }

    fn reject(&self, piece: &SnpPiece, contents: &Fetched, now: UnixTime) {
        self.source.reject(&piece.to_string(), contents, now);
    }
}

/// AMD answers within a second, and slower when it limits. Certificate and list together take at most twice this, which is less
/// than the deadline of a connection.
const DEADLINE: Duration = Duration::from_secs(4);

/// Bytes. A certificate has two or three thousand, a list little more.
const MAX_BODY: usize = 64 * 1024;
