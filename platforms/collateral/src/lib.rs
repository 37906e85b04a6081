//! Collateral: certificates, revocation lists and TCB information that their makers sign and publish, and that a verifier
//! needs beside the Evidence.
//!
//! What to ask for, and how to read it, is each platform's; this crate keeps it.
#![forbid(unsafe_code)]

use std::sync::Arc;

use atls_core::BoxFuture;
use atls_core::HttpError;
use atls_core::pki_types::UnixTime;

/// Fetches one piece of collateral from its maker.
pub trait Fetch: Send + Sync {
    /// `key` names the piece: lower-case letters, digits, `-`, `_` and `/`, made by the platform from values that were
    /// verified, never from a peer's text.
    ///
    /// # Errors
    /// [`CollateralError`]
    fn fetch<'a>(
        &'a self,
        key: &'a str,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>>;
}

/// A piece of collateral, and until when it may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// As the maker sent it. Whoever uses it verifies its signature.
    pub bytes: Arc<[u8]>,
    /// Its maker's word: `nextUpdate`, or the end of a certificate.
    pub fresh_until: UnixTime,
}

impl Fetched {
    /// Both.
    pub fn new(bytes: impl Into<Arc<[u8]>>, fresh_until: UnixTime) -> Self {
        Self {
            bytes: bytes.into(),
            fresh_until,
        }
    }
}

/// Collateral is not to be had. Nothing is known about the peer then: it is refused, as the verifier's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CollateralError {
    /// Its maker gave something that cannot be read or is not what was asked for.
    #[error("collateral is malformed")]
    Malformed,
    /// Its maker answered with another status than 200.
    #[error("service for collateral answered with status {0}")]
    Status(u16),
    /// Its maker was not reached.
    #[error("collateral could not be fetched")]
    Unreachable(#[from] HttpError),
    /// All that is at hand has expired.
    #[error("collateral has expired")]
    Expired,
}
