//! AMD's key distribution service (AMD document 57230 §4).

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
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;
use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;

use super::SnpCollateral;
use super::SnpPiece;
use super::VekId;
use super::key::KdsKey;
use crate::chain;
use crate::chain::Chain;
use crate::crl::RevocationList;
use crate::roots::Roots;
use crate::vek::VekExtensions;
use crate::x509::Certificate;

/// Fetches from AMD, one request for each piece. AMD limits how many it answers, so there belongs a cache in front.
///
/// What it gives is verified up to the root, so that a cache never keeps what AMD did not sign.
pub struct Kds {
    http: Arc<dyn HttpClient>,
    base: String,
    roots: Roots,
}

impl Kds {
    /// From `https://kdsintf.amd.com`.
    pub fn new(http: Arc<dyn HttpClient>) -> Self {
        Self::at(http, "https://kdsintf.amd.com")
    }

    /// From a mirror with the same paths: scheme and authority, without a slash at the end; `https`, or this machine. It
    /// needs no trust, as what it gives is signed, except that it can withhold.
    pub fn at(http: Arc<dyn HttpClient>, base: impl Into<String>) -> Self {
        Self {
            http,
            base: base.into(),
            roots: Roots::amd(),
        }
    }

    /// Keeps what these roots signed, in place of AMD's: those of a forged platform, in tests. What is trusted is still
    /// the verifier's to say.
    #[must_use]
    pub fn dangerous_with_roots(mut self, roots: Roots) -> Self {
        self.roots = roots;
        self
    }

    async fn get(&self, key: &KdsKey) -> Result<Vec<u8>, CollateralError> {
        let url = format!("{}{}", self.base, key.path());
        let limits = HttpLimits::new(DEADLINE, MAX_BODY);
        let response = atls_collateral::get(&*self.http, &url, limits).await?;
        Ok(response.into_body())
    }

    /// Certificates without which a chip's cannot be verified: of roots whose intermediates are not known beforehand.
    async fn issuers_for(
        &self,
        key: &KdsKey,
        now: UnixTime,
    ) -> Result<Vec<Vec<u8>>, CollateralError> {
        let KdsKey::Vcek(vek) = key else {
            return Ok(Vec::new());
        };
        if !chain::lacks_intermediate(&self.roots, vek.product, SigningKey::Vcek) {
            return Ok(Vec::new());
        }
        let issuers = KdsKey::Issuers(vek.product, SigningKey::Vcek);
        let body = self.get(&issuers).await?;
        self.verify(&issuers, &body, &[], now)?;
        issuers_of(&body).ok_or(CollateralError::Malformed)
    }

    /// That it is what was asked for and signed up to the root; its dates and number.
    fn verify(
        &self,
        key: &KdsKey,
        body: &[u8],
        issuers: &[Vec<u8>],
        now: UnixTime,
    ) -> Result<Dated, CollateralError> {
        let verified = match key {
            KdsKey::Crl(product, _) => self.list(*product, body, now),
            KdsKey::Issuers(product, signing_key) => {
                let certificates = issuers_of(body).ok_or(CollateralError::Malformed)?;
                chain::verify_issuers(&self.roots, *product, *signing_key, &certificates, now)
                    .map(Dated::until)
            }
            KdsKey::Vcek(vek) => self.vcek(vek, body, issuers, now).map(Dated::until),
        };
        verified.map_err(|error| match error {
            AppraisalError::Expired => CollateralError::Expired,
            _ => CollateralError::Malformed,
        })
    }

    /// Expired or not, but not of the future: its date counts.
    fn list(&self, product: Product, der: &[u8], now: UnixTime) -> Result<Dated, AppraisalError> {
        let ark = &self.roots.anchor(product)?.ark;
        let validity = RevocationList::verify_signature(der, ark)?.validity();
        if now.as_secs() < validity.not_before {
            return Err(AppraisalError::Malformed);
        }
        Ok(Dated {
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
        let is_asked_for = extensions.key == SigningKey::Vcek
            && extensions.product == vek.product
            && extensions.hwid.as_ref() == Some(&vek.hwid)
            && extensions.tcb == vek.tcb;
        if !is_asked_for {
            return Err(AppraisalError::UnknownKey);
        }
        let issuers = issuers.iter().map(|der| &**der);
        Chain::verify(&self.roots, der, issuers, now)?;
        Ok(certificate.validity()?.not_after)
    }
}

/// What a piece says itself, seconds since the epoch.
struct Dated {
    until: u64,
    /// Of a revocation list. AMD never issues an older one after a newer.
    issued_at: Option<u64>,
}

impl Dated {
    fn until(until: u64) -> Self {
        Self {
            until,
            issued_at: None,
        }
    }

    fn describe(&self, body: impl Into<Arc<[u8]>>) -> Fetched {
        let until = UnixTime::since_unix_epoch(Duration::from_secs(self.until));
        let fetched = Fetched::new(body, until);
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
            let key = KdsKey::parse(key).ok_or(CollateralError::Malformed)?;
            let body = self.get(&key).await?;
            let issuers = self.issuers_for(&key, now).await?;
            let dated = self.verify(&key, &body, &issuers, now)?;
            if dated.until < now.as_secs() {
                return Err(CollateralError::Expired);
            }
            Ok(dated.describe(body))
        })
    }

    /// A chip's certificate only under roots whose intermediates are known beforehand, as AMD's are.
    fn read(&self, key: &str, bytes: Arc<[u8]>, now: UnixTime) -> Result<Fetched, CollateralError> {
        let key = KdsKey::parse(key).ok_or(CollateralError::Malformed)?;
        let dated = self.verify(&key, &bytes, &[], now)?;
        Ok(dated.describe(bytes))
    }

    /// Chips are what reports claim, before there is a key to verify those with.
    fn kind(&self, key: &str) -> Kind {
        match KdsKey::parse(key) {
            Some(KdsKey::Vcek(_)) => Kind::Device,
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
///
/// A certificate is asked for by chip and firmware, so that one key stands for one certificate for good.
#[derive(Clone, Debug)]
pub struct KdsCollateral<F> {
    source: F,
}

impl<F: Fetch> KdsCollateral<F> {
    /// Through `source`.
    pub fn new(source: F) -> Self {
        Self { source }
    }

    async fn get(&self, key: KdsKey, now: UnixTime) -> Result<Option<Fetched>, CollateralError> {
        self.source.fetch(&key.to_string(), now).await.map(Some)
    }
}

impl<F: Fetch> SnpCollateral for KdsCollateral<F> {
    fn vek<'a>(
        &'a self,
        vek: &'a VekId,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Fetched>, CollateralError>> {
        Box::pin(self.get(KdsKey::Vcek(vek.clone()), now))
    }

    fn issuers(
        &self,
        product: Product,
        key: SigningKey,
        now: UnixTime,
    ) -> BoxFuture<'_, Result<Option<Fetched>, CollateralError>> {
        Box::pin(self.get(KdsKey::Issuers(product, key), now))
    }

    fn crl(
        &self,
        product: Product,
        key: SigningKey,
        now: UnixTime,
    ) -> BoxFuture<'_, Result<Option<Fetched>, CollateralError>> {
        Box::pin(self.get(KdsKey::Crl(product, key), now))
    }

    fn reject(&self, piece: SnpPiece<'_>, contents: &Fetched, now: UnixTime) {
        let key = match piece {
            SnpPiece::Crl(product, key) => KdsKey::Crl(product, key),
            SnpPiece::Issuers(product, key) => KdsKey::Issuers(product, key),
            SnpPiece::Vek(vek) => KdsKey::Vcek(vek.clone()),
        };
        self.source.reject(&key.to_string(), contents, now);
    }
}

/// Certificates in PEM, at least one.
pub(crate) fn issuers_of(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let certificates = CertificateDer::pem_slice_iter(pem);
    let certificates: Vec<_> = certificates
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect::<Result<_, _>>()
        .ok()?;
    (!certificates.is_empty()).then_some(certificates)
}

/// AMD answers within a second, and slowly when it limits. Twice this, for certificate and list, is less than a connection
/// has.
const DEADLINE: Duration = Duration::from_secs(4);

/// Bytes. Certificates have two or three thousand, lists little more.
const MAX_BODY: usize = 64 * 1024;
