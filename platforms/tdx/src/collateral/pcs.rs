//! Intel's Provisioning Certification Service, and caching services (PCCS) that speak the same.
//!
//! Intel SGX and Intel TDX Provisioning Certification Service API, version 4: `tcb`, `qe/identity`, `pckcrl`; issuer
//! chains come in response headers, percent-encoded PEM.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use atls_collateral::CollateralError;
use atls_collateral::Fetch;
use atls_collateral::Fetched;
use atls_core::BoxFuture;
use atls_core::http::HttpClient;
use atls_core::http::HttpLimits;
use atls_core::pki_types::UnixTime;
use atls_formats::dcap::pem;
use futures_util::future::try_join4;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::bundle::Collateral;
use super::form;
use super::key;
use super::key::EARLY;
use super::parts::CollateralParts;
use crate::root::Root;

/// Fetches collateral from Intel or from a PCCS. It verifies the collateral up to the root, so that a cache before it
/// keeps nothing but what Intel signed.
pub struct Pcs {
    client: Arc<dyn HttpClient>,
    base: String,
    root_crl: String,
    root: Root,
    limits: HttpLimits,
}

impl Pcs {
    /// Asks Intel: `api.trustedservices.intel.com`, and `certificates.trustedservices.intel.com` for the root's
    /// revocation list.
    pub fn intel(client: Arc<dyn HttpClient>) -> Self {
        Self {
            client,
            base: INTEL.to_owned(),
            root_crl: INTEL_ROOT_CRL.to_owned(),
            root: Root::intel(),
            limits: HttpLimits::new(DEADLINE, MAX_BODY),
        }
    }

    /// Asks a PCCS, such as your own or your cloud's, at an address without path: `https://pccs.example`. A PCCS can withhold
    /// collateral, or give collateral that Intel signed within the last month; it can do no other harm. There is no default one.
    pub fn pccs(client: Arc<dyn HttpClient>, base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self {
            root_crl: format!("{base}/sgx/certification/v4/rootcacrl"),
            base,
            ..Self::intel(client)
        }
    }

    /// Trusts another root than Intel's, in DER: that of a forged platform, in tests.
    #[must_use]
    pub fn dangerous_with_root(mut self, root: Vec<u8>) -> Self {
        self.root = Root::other(root);
        self
    }

    async fn collateral(&self, key: &str, now: UnixTime) -> Result<Collateral, CollateralError> {
        let Key {
            tee,
            fmspc,
            ca,
            early,
        } = parse(key).ok_or(CollateralError::Malformed)?;
        let base = &self.base;
        let mut tcb = format!("{base}/{tee}/certification/v4/tcb?fmspc={fmspc}");
        let mut identity = format!("{base}/{tee}/certification/v4/qe/identity");
        // Without this parameter Intel gives the standard issue.
        if early {
            tcb.push_str("&update=early");
            identity.push_str("?update=early");
        }
        let pck_crl = format!("{base}/sgx/certification/v4/pckcrl?ca={ca}&encoding=der");
        // All four at once, so that they answer before the deadline of a connection.
        let (tcb, identity, pck_crl, root_crl) = try_join4(
            self.get(&tcb),
            self.get(&identity),
            self.get(&pck_crl),
            self.get(&self.root_crl),
        )
        .await?;
        let tcb_body: TcbBody =
            serde_json::from_slice(tcb.body()).map_err(|_| CollateralError::Malformed)?;
        let identity_body: IdentityBody =
            serde_json::from_slice(identity.body()).map_err(|_| CollateralError::Malformed)?;
        let signature = |text: &str| form::hex(text).ok_or(CollateralError::Malformed);
        let pck_issuer = issuer_chain(&pck_crl, &["sgx-pck-crl-issuer-chain"])?;
        let collateral = Collateral::new(CollateralParts {
            tcb_info: tcb_body.tcb_info.get().to_owned(),
            tcb_info_signature: signature(&tcb_body.signature)?,
            tcb_info_issuer_chain: issuer_chain(
                &tcb,
                &["tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain"],
            )?,
            qe_identity: identity_body.enclave_identity.get().to_owned(),
            qe_identity_signature: signature(&identity_body.signature)?,
            qe_identity_issuer_chain: issuer_chain(
                &identity,
                &["sgx-enclave-identity-issuer-chain"],
            )?,
            root_ca_crl: der(root_crl.body())?,
            pck_crl: der(pck_crl.body())?,
        })
        .and_then(|collateral| collateral.with_pck_issuer(pck_issuer))
        .map_err(|_| CollateralError::Malformed)?;
        self.verify(key, &collateral, now)?;
        if !collateral.is_current(now) {
            return Err(CollateralError::Expired);
        }
        Ok(collateral)
    }

    /// Verifies that the collateral is about the platform of the key, and signed up to the root.
    fn verify(
        &self,
        key: &str,
        collateral: &Collateral,
        now: UnixTime,
    ) -> Result<(), CollateralError> {
        let standard = key.strip_suffix(EARLY).unwrap_or(key);
        if key::key(collateral.platform()) != standard {
            return Err(CollateralError::Malformed);
        }
        let pck_issuer = collateral.pck_issuer().ok_or(CollateralError::Malformed)?;
        collateral
            .verify(pck_issuer, &self.root, now)
            .map_err(|_| CollateralError::Malformed)
    }

    async fn get(&self, url: &str) -> Result<http::Response<Vec<u8>>, CollateralError> {
        atls_collateral::get(&*self.client, url, self.limits).await
    }
}

impl Fetch for Pcs {
    fn fetch<'a>(
        &'a self,
        key: &'a str,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        Box::pin(async move {
            let collateral = self.collateral(key, now).await?;
            let bytes = collateral
                .encode()
                .map_err(|_| CollateralError::Malformed)?;
            Ok(described(bytes, &collateral))
        })
    }

    fn read(&self, key: &str, bytes: Arc<[u8]>, now: UnixTime) -> Result<Fetched, CollateralError> {
        let collateral = Collateral::decode(&bytes).map_err(|_| CollateralError::Malformed)?;
        self.verify(key, &collateral, now)?;
        if collateral.is_early(now) {
            return Err(CollateralError::Malformed);
        }
        Ok(described(bytes, &collateral))
    }
}

impl fmt::Debug for Pcs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pcs")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

/// The bytes with the dates and numbers of their collateral.
fn described(bytes: impl Into<Arc<[u8]>>, collateral: &Collateral) -> Fetched {
    let fetched = Fetched::new(bytes, collateral.expires_at());
    let numbers = collateral.sequence().into_iter();
    numbers.fold(fetched, Fetched::with_sequence)
}

struct Key<'a> {
    tee: &'a str,
    fmspc: &'a str,
    ca: &'a str,
    early: bool,
}

/// `tdx/90c06f000000/platform`, or with `/early` behind it. Nothing but these parts gets into a URL.
fn parse(key: &str) -> Option<Key<'_>> {
    let standard = key.strip_suffix(EARLY);
    let mut parts = standard.unwrap_or(key).split('/');
    let (Some(tee), Some(fmspc), Some(ca), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let hexadecimal = fmspc.len() == 12 && fmspc.bytes().all(|digit| digit.is_ascii_hexdigit());
    let known = matches!(tee, "sgx" | "tdx") && matches!(ca, "platform" | "processor");
    (hexadecimal && known).then_some(Key {
        tee,
        fmspc,
        ca,
        early: standard.is_some(),
    })
}

/// Intel signs the bytes of the value, as sent.
#[derive(Deserialize)]
struct TcbBody {
    #[serde(rename = "tcbInfo")]
    tcb_info: Box<RawValue>,
    signature: String,
}

#[derive(Deserialize)]
struct IdentityBody {
    #[serde(rename = "enclaveIdentity")]
    enclave_identity: Box<RawValue>,
    signature: String,
}

fn issuer_chain(
    response: &http::Response<Vec<u8>>,
    names: &[&str],
) -> Result<Vec<Vec<u8>>, CollateralError> {
    let header = names.iter().find_map(|name| response.headers().get(*name));
    header
        .and_then(|value| percent_decode(value.as_bytes()))
        .and_then(|text| pem::decode_unended(&text))
        .ok_or(CollateralError::Malformed)
}

/// RFC 3986 §2.1.
fn percent_decode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        if *byte == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            out.extend(form::hex(std::str::from_utf8(digits).ok()?)?);
            rest = after;
        } else {
            out.push(*byte);
            rest = after;
        }
    }
    Some(out)
}

/// A PCCS gives lists in hexadecimal, Intel in DER.
fn der(body: &[u8]) -> Result<Vec<u8>, CollateralError> {
    if body.first() == Some(&DER_SEQUENCE) && body.get(1).is_some_and(|length| *length >= 0x80) {
        return Ok(body.to_vec());
    }
    let text = std::str::from_utf8(body).map_err(|_| CollateralError::Malformed)?;
    form::hex(text.trim_ascii()).ok_or(CollateralError::Malformed)
}

const INTEL: &str = "https://api.trustedservices.intel.com";
const INTEL_ROOT_CRL: &str = "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";

/// For each of the four requests, which go out at once. A connection has longer, so it sees the outcome.
const DEADLINE: Duration = Duration::from_secs(5);

/// Bytes. The list of the Platform CA has some 3,000, the TCB Info some 6,000.
const MAX_BODY: usize = 1024 * 1024;

const DER_SEQUENCE: u8 = 0x30;
