//! Collateral: certificates, revocation lists and TCB information that their makers sign and publish, and that a verifier
//! needs beside the Evidence.
//!
//! What to ask for, and how to read it, is each platform's: it implements [`Fetch`], usually over [`get`]. This crate
//! keeps what was fetched: a [`Cache`] is a [`Fetch`] too, so a verifier is given the one or the other and knows nothing of
//! the difference.
//!
//! ```no_run
//! use atls_collateral::{Cache, Fetch};
//! # use atls_core::pki_types::UnixTime;
//! # fn example(service: impl Fetch + 'static, now: fn() -> UnixTime) -> std::io::Result<()> {
//! let cache = Cache::builder(service)
//!     .directory("/var/cache/service/collateral")
//!     .build()?;
//!
//! // A clone is the same cache. In the background, so that revocations are seen and no handshake waits for it:
//! let background = cache.clone();
//! tokio::spawn(background.keep_fresh(now, tokio::time::sleep, |refreshed| {
//!     for (key, error) in refreshed.failed {
//!         eprintln!("collateral {key} was not renewed: {}", atls_core::report(&error));
//!     }
//! }));
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here verifies a signature: the platform does, in [`Fetch::fetch`] and in [`Fetch::read`], so that neither memory
//! nor directory is poisoned by what some server or file gave. Whoever uses it verifies it once more, its dates included,
//! and [`reject`](Fetch::reject)s what does not verify.
#![forbid(unsafe_code)]

mod cache;
mod disk;
mod entry;
mod flight;
mod http;
mod limits;
mod pace;
mod shelf;
mod store;

use std::sync::Arc;
use std::time::Duration;

use atls_core::BoxFuture;
use atls_core::http::HttpError;
use atls_core::http::NotSent;
use atls_core::pki_types::UnixTime;

pub use cache::Cache;
pub use cache::CacheBuilder;
pub use cache::Refreshed;
pub use cache::Stats;
pub use http::get;
pub use limits::CacheLimits;
pub use limits::MAX_GRACE;
pub use limits::MAX_KEY;
pub use limits::StalePolicy;

/// Fetches one piece of collateral from its maker.
pub trait Fetch: Send + Sync {
    /// `key` names the piece: lower-case letters, digits, `-`, `_` and `/`, made by the platform from parsed values,
    /// never from a peer's text. The values are verified ones, except where [`kind`](Self::kind) says [`Kind::Device`].
    ///
    /// # Errors
    /// [`CollateralError`]
    fn fetch<'a>(
        &'a self,
        key: &'a str,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>>;

    /// Reads contents that were kept on disk, where anybody may have written: what [`fetch`](Self::fetch) would make of
    /// them, had the maker just sent them. Signatures are verified, and dates and numbers are those of the contents. What
    /// has expired is read too: its numbers count.
    ///
    /// # Errors
    /// [`CollateralError`]: they are not used, and others are fetched.
    fn read(&self, key: &str, bytes: Arc<[u8]>, now: UnixTime) -> Result<Fetched, CollateralError>;

    /// What the key stands for. Whoever wraps another [`Fetch`] passes this on, too.
    fn kind(&self, key: &str) -> Kind {
        let _ = key;
        Kind::Published
    }

    /// Says that contents did not verify, so that what keeps them drops them. What keeps nothing has nothing to do.
    ///
    /// What had come from disk is fetched anew at the next [`fetch`](Self::fetch); what its maker gave, only after a moment
    /// as after other failures. So a caller may ask once more at once, and gets other contents or an error.
    fn reject(&self, key: &str, contents: &Fetched, now: UnixTime) {
        let _ = (key, contents, now);
    }
}

impl<F: Fetch + ?Sized> Fetch for Arc<F> {
    fn fetch<'a>(
        &'a self,
        key: &'a str,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>> {
        (**self).fetch(key, now)
    }

    fn read(&self, key: &str, bytes: Arc<[u8]>, now: UnixTime) -> Result<Fetched, CollateralError> {
        (**self).read(key, bytes, now)
    }

    fn kind(&self, key: &str) -> Kind {
        (**self).kind(key)
    }

    fn reject(&self, key: &str, contents: &Fetched, now: UnixTime) {
        (**self).reject(key, contents, now);
    }
}

/// What a key stands for. A [`Cache`] gives each kind bounds of its own, so that none can exhaust those of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The certificate of one device, which must be at hand before a signature of its Evidence can be verified: the key is
    /// what a peer **claims**, so that any peer causes requests by it. There are as many as devices, each stays as it is,
    /// and nothing is revoked by it.
    Device,
    /// What a maker publishes about all devices of a sort, and publishes anew: revocation lists, TCB information,
    /// issuers. There are few, and they are asked for by verified values.
    Published,
}

/// A piece of collateral, and until when it may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetched {
    /// As the maker sent it. Whoever uses it verifies its signature.
    pub bytes: Arc<[u8]>,
    /// Its maker's word: `nextUpdate`, or the end of a certificate.
    pub fresh_until: UnixTime,
    /// [`fresh_until`](Self::fresh_until), or later where a [`StalePolicy`] of the application lets it be used beyond its
    /// validity. A result that rests on it ends then.
    pub usable_until: UnixTime,
    /// Numbers that its maker raises with each issue, or never lowers: `tcbEvaluationDataNumber`, or the `thisUpdate` of a
    /// list. A piece of several documents has those of each, always in the same order.
    pub sequence: Vec<u64>,
}

impl Fetched {
    /// Both.
    pub fn new(bytes: impl Into<Arc<[u8]>>, fresh_until: UnixTime) -> Self {
        Self {
            bytes: bytes.into(),
            fresh_until,
            usable_until: fresh_until,
            sequence: Vec::new(),
        }
    }

    /// With one more number of its issue: a cache then refuses a lower one than it has, so that nobody on the way can
    /// bring back a state of before a revocation.
    ///
    /// Only from contents whose signature the [`Fetch`] has verified. With a number that anybody could write, anybody
    /// could write the highest one, and nothing genuine would be accepted again.
    #[must_use]
    pub fn with_sequence(mut self, sequence: u64) -> Self {
        self.sequence.push(sequence);
        self
    }

    /// The time at which its dates are to be checked: now. Only where a [`StalePolicy`] let it be used beyond its
    /// validity, the last second of that.
    pub fn validity_time(&self, now: UnixTime) -> UnixTime {
        if now < self.fresh_until || now >= self.usable_until {
            return now;
        }
        let last = self.fresh_until.as_secs().saturating_sub(1);
        UnixTime::since_unix_epoch(Duration::from_secs(last))
    }

    /// How long it may be used beyond its validity is not its maker's to say.
    pub(crate) fn unextended(self) -> Self {
        Self {
            usable_until: self.fresh_until,
            ..self
        }
    }
}

/// Collateral is not to be had. Nothing is known about the peer then: it is refused, as the verifier's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CollateralError {
    /// Its service has an address that is not `https`, nor on this machine. Correct the configuration.
    #[error("address of a service for collateral is not https; http is only for this machine")]
    Address,
    /// All that is at hand has expired.
    #[error("collateral has expired; compare the clocks, and see whether its maker can be reached")]
    Expired,
    /// A key with another character than those of [`Fetch::fetch`], empty, or of more than [`MAX_KEY`] bytes.
    #[error("collateral is asked for by a malformed key")]
    Key,
    /// Its maker gave something that cannot be read or is not what was asked for.
    #[error(
        "collateral cannot be read or is not what was asked for; look for a proxy that answers in its maker's place"
    )]
    Malformed,
    /// An older issue than one that was seen before: an old answer of a cache on the way, or an attempt to undo a
    /// revocation.
    #[error("collateral is older than what was seen before; a cache on the way may be stale")]
    RolledBack,
    /// Its maker answered with another status than 200.
    #[error("service for collateral answered with HTTP status {0}")]
    Status(u16),
    /// Its maker was not reached.
    #[error("collateral could not be fetched")]
    Unreachable(#[from] HttpError),
}

impl CollateralError {
    /// Whether the maker was out: not reached, or answering with a failure of its own (status 500 to 599). Only then may
    /// anybody go on without what was asked for, where a policy says so.
    ///
    /// Never for what peers could bring about: limits of this end, or the maker's (status 429), since it is peers who
    /// cause requests; nor for contents that cannot be read, went backwards or have expired.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Status(status) => matches!(status, 500..=599),
            Self::Unreachable(HttpError::NotSent(NotSent::Failing)) => true,
            Self::Unreachable(HttpError::NotSent(_) | HttpError::TooLarge) => false,
            Self::Unreachable(_) => true,
            Self::Address | Self::Expired | Self::Key | Self::Malformed | Self::RolledBack => false,
        }
    }
}
