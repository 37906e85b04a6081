//! The trait that each platform implements for its collateral.

use std::sync::Arc;

use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;

use crate::error::CollateralError;
use crate::fetched::Fetched;

/// Fetches one piece of collateral from its maker.
pub trait Fetch: Send + Sync {
    /// Fetches the piece of this key.
    ///
    /// A key has lower-case letters, digits, `-`, `_` and `/`. The platform makes it from parsed values, never from the text of
    /// a peer. The values are verified, except where [`kind`](Self::kind) says [`Kind::Device`].
    ///
    /// # Errors
    /// [`CollateralError`]
    fn fetch<'a>(
        &'a self,
        key: &'a str,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Fetched, CollateralError>>;

    /// Reads contents from disk, where an attacker may have written: the result is that of [`fetch`](Self::fetch), had the
    /// maker just sent them. It verifies signatures, and takes dates and numbers from the contents. It reads expired contents
    /// too, because their numbers count.
    ///
    /// # Errors
    /// [`CollateralError`]: the cache drops the contents and fetches others.
    fn read(&self, key: &str, bytes: Arc<[u8]>, now: UnixTime) -> Result<Fetched, CollateralError>;

    /// A number that rises when another piece replaces one that was given. A wrapper of another [`Fetch`] passes this on. A
    /// source that keeps nothing keeps the default, 0.
    fn generation(&self) -> u64 {
        0
    }

    /// The kind of this key. A wrapper of another [`Fetch`] passes this on.
    fn kind(&self, key: &str) -> Kind {
        let _ = key;
        Kind::Published
    }

    /// Says that contents did not verify. A cache drops them; a `Fetch` that keeps nothing does nothing.
    ///
    /// Contents from disk are fetched anew at the next [`fetch`](Self::fetch); contents from the maker only after a moment, as
    /// after other failures. So a caller may ask once more at once, and gets other contents or an error.
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

    fn generation(&self) -> u64 {
        (**self).generation()
    }

    fn kind(&self, key: &str) -> Kind {
        (**self).kind(key)
    }

    fn reject(&self, key: &str, contents: &Fetched, now: UnixTime) {
        (**self).reject(key, contents, now);
    }
}

/// The kind of a piece. A [`Cache`](crate::Cache) has bounds for each kind, so neither can exhaust those of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The certificate of one device. The verifier needs it before it can verify a signature of the Evidence, so the key is a
    /// **claim** of the peer, and any peer causes requests by it. There is one per device; it does not change, and revokes
    /// nothing.
    Device,
    /// A publication about all devices of a sort, renewed by its maker: revocation lists, TCB information, issuers. There are
    /// few, and verified values name them.
    Published,
}
