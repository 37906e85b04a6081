//! The trait that each platform implements for its collateral.

use std::sync::Arc;

use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;

use crate::error::CollateralError;
use crate::fetched::Fetched;

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

    /// A number that rises when a piece that was given is replaced by another one. Whoever wraps another [`Fetch`] passes this
    /// on, too. A source that keeps nothing keeps the default: it does not know.
    fn generation(&self) -> u64 {
        0
    }

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
