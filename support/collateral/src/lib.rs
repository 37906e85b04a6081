//! Collateral for verifiers: certificates, revocation lists and TCB information, which their makers sign and publish.
//!
//! A key goes in, and a piece with its validity comes out: [`Fetched`]. On failure there is a [`CollateralError`], and the
//! verifier refuses the peer.
//!
//! Each platform knows where its collateral is and how it is read: it implements [`Fetch`], usually over [`get`]. A [`Cache`]
//! keeps the fetched pieces. It is a [`Fetch`] too, so a verifier takes either one.
//!
//! ```no_run
//! use atls_collateral::{Cache, Fetch};
//! # use atls_core::pki_types::UnixTime;
//! # fn example(service: impl Fetch + 'static, now: fn() -> UnixTime) -> std::io::Result<()> {
//! let cache = Cache::builder(service)
//!     .directory("/var/cache/service/collateral")
//!     .build()?;
//!
//! // A clone is the same cache. This task renews pieces: revocations are seen, and no handshake waits.
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
//! The platform verifies signatures, in [`Fetch::fetch`] and in [`Fetch::read`]: a lying server or file poisons neither memory
//! nor directory. The verifier checks a piece once more when it uses it, dates included, and [`reject`](Fetch::reject)s a bad
//! one.
//!
//! [The guide] says what each platform fetches from whom.
//!
#![doc = concat!("[The guide]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/collateral.md")]
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
mod metrics;
mod moment;
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
