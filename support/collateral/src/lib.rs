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
mod error;
mod fetch;
mod fetched;
mod fetching;
mod flight;
mod http;
mod limits;
mod pace;
mod shelf;
mod state;
mod stats;
mod store;

pub use cache::Cache;
pub use cache::CacheBuilder;
pub use error::CollateralError;
pub use fetch::Fetch;
pub use fetch::Kind;
pub use fetched::Fetched;
pub use http::get;
pub use limits::CacheLimits;
pub use limits::MAX_GRACE;
pub use limits::MAX_KEY;
pub use limits::StalePolicy;
pub use stats::Refreshed;
pub use stats::Stats;
