//! AMD's key distribution service (AMD document 57230 §4).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_collateral::Kind;
use atls_core::BoxFuture;
use atls_core::HttpClient;
use atls_core::HttpLimits;
use atls_core::pki_types::CertificateDer;
use atls_core::pki_types::UnixTime;
use atls_core::pki_types::pem::PemObject;

use super::SnpCollateral;
use super::VekId;
use super::key::KdsKey;
use crate::crl;
use crate::product::Product;
use crate::report::SigningKey;
use crate::x509::Certificate;

/// Fetches from AMD, one request for each piece. AMD limits how many it answers, so there belongs a cache in front.
pub struct Kds {
    http: Arc<dyn HttpClient>,
    base: String,
}

impl Kds {
    /// From `https://kdsintf.amd.com`.
    pub fn new(http: Arc<dyn HttpClient>) -> Self {
        Self::at(http, "https://kdsintf.amd.com")
    }

    /// From a mirror with the same paths: scheme and authority, without a slash at the end. It needs no trust, as what it
    /// gives is signed, except that it can withhold.
    pub fn at(http: Arc<dyn HttpClient>, base: impl Into<String>) -> Self {
        Self {
            http,
            base: base.into(),
        }
    }

    async fn get(&self, key: &KdsKey) -> Result<Vec<u8>, CollateralError> {
        let request = http::Request::get(format!("{}{}", self.base, key.path()))
            .body(Vec::new())
            .map_err(|_| CollateralError::Malformed)?;
        let limits = HttpLimits::new(DEADLINE, MAX_BODY);
        let response = self.http.send(request, limits).await?;
        if response.status() != http::StatusCode::OK {
            return Err(CollateralError::Status(response.status().as_u16()));
        }
        Ok(response.into_body())
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
            let until = fresh_until(&key, &body).ok_or(CollateralError::Malformed)?;
            if until < now.as_secs() {
                return Err(CollateralError::Expired);
            }
            let until = UnixTime::since_unix_epoch(Duration::from_secs(until));
            Ok(Fetched::new(body, until))
        })
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

    async fn get(&self, key: &KdsKey, now: UnixTime) -> Result<Arc<[u8]>, CollateralError> {
        let fetched = self.source.fetch(&key.to_string(), now).await?;
        Ok(fetched.bytes)
    }
}

impl<F: Fetch> SnpCollateral for KdsCollateral<F> {
    fn vek<'a>(
        &'a self,
        vek: &'a VekId,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Arc<[u8]>>, CollateralError>> {
        Box::pin(async move { self.get(&KdsKey::Vcek(vek.clone()), now).await.map(Some) })
    }

    fn issuers(
        &self,
        product: Product,
        key: SigningKey,
        now: UnixTime,
    ) -> BoxFuture<'_, Result<Vec<Vec<u8>>, CollateralError>> {
        Box::pin(async move {
            let chain = self.get(&KdsKey::Issuers(product, key), now).await?;
            issuers_of(&chain).ok_or(CollateralError::Malformed)
        })
    }

    fn crl(
        &self,
        product: Product,
        key: SigningKey,
        now: UnixTime,
    ) -> BoxFuture<'_, Result<Option<Arc<[u8]>>, CollateralError>> {
        Box::pin(async move { self.get(&KdsKey::Crl(product, key), now).await.map(Some) })
    }
}

/// What the piece says itself, seconds since the epoch. `None` where it is not what was asked for.
fn fresh_until(key: &KdsKey, body: &[u8]) -> Option<u64> {
    let end = |der: &[u8]| {
        let certificate = Certificate::decode(der).ok()?;
        certificate
            .validity()
            .ok()
            .map(|validity| validity.not_after)
    };
    match key {
        KdsKey::Crl(..) => crl::next_update(body),
        KdsKey::Issuers(..) => issuers_of(body)?
            .iter()
            .map(|der| end(der))
            .collect::<Option<Vec<_>>>()?
            .into_iter()
            .min(),
        KdsKey::Vcek(_) => end(body),
    }
}

/// Intermediate and root, in PEM.
fn issuers_of(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    let certificates = CertificateDer::pem_slice_iter(pem);
    let certificates: Vec<_> = certificates
        .map(|certificate| certificate.map(|der| der.to_vec()))
        .collect::<Result<_, _>>()
        .ok()?;
    (certificates.len() == 2).then_some(certificates)
}

/// AMD answers within a second, and slowly when it limits. Twice this, for certificate and list, is less than a connection
/// has.
const DEADLINE: Duration = Duration::from_secs(4);

/// Octets. Certificates have two or three thousand, lists little more.
const MAX_BODY: usize = 64 * 1024;
