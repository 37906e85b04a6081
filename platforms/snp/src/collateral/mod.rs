//! Collateral: the certificate of the key that signed a report, those of its issuers, and AMD's revocation list.
//!
//! A verifier asks its [`SnpCollateral`] for a [`SnpPiece`] and gets bytes with the time until which it may use them. It verifies
//! them itself. An error ends the appraisal, as the verifier's fault.
//!
//! Certificates may come with the Evidence, because AMD signed all that they say. A revocation list from the peer counts only if
//! the verifier's own source has none: the peer would choose an old one.

mod kds;
mod key;
mod peer;
mod piece;
mod supplied;

use atls_collateral::CollateralError;
use atls_collateral::Fetched;
use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;

pub use kds::Kds;
pub use kds::KdsCollateral;
pub(crate) use peer::PeerCollateral;
pub use piece::SnpPiece;
pub use piece::VekId;
pub use supplied::SuppliedCollateral;

/// A verifier's own source of collateral. The verifier verifies every piece, and its result ends when a piece may no longer be
/// used ([`Fetched::usable_until`]).
pub trait SnpCollateral: Send + Sync {
    /// Gives a piece; `None` if this source does not have such pieces.
    ///
    /// * A certificate of a chip's key is asked for before the report's signature is verified, which needs it: chip and versions
    ///   are the peer's claim, in a well-formed report that carries this connection's challenge. A source that fetches bounds how
    ///   often.
    /// * Issuers are asked for under roots whose intermediates are not known beforehand.
    /// * A revocation list is asked for last. It is used until its next update, or later if it comes
    ///   [with a grace](Fetched::usable_until).
    ///
    /// # Errors
    /// [`CollateralError`]: this source should have the piece and cannot give it.
    fn get<'a>(
        &'a self,
        piece: &'a SnpPiece,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Fetched>, CollateralError>>;

    /// A number that rises when a piece that was given is replaced by another: an appraisal under the old one is then not used
    /// again by [`Cached`](atls_core::combine::Cached). Default: it never is.
    fn generation(&self) -> u64 {
        0
    }

    /// Whether this source is to have the certificates of chips' keys. A missing one is then its fault, and otherwise that of a
    /// peer that sent none. Default: it is.
    fn supplies_veks(&self) -> bool {
        true
    }

    /// Learns that a piece of its own is unusable: AMD did not sign it, nobody asked for it, or it is outside of its time. The
    /// verifier then asks once more.
    fn reject(&self, piece: &SnpPiece, contents: &Fetched, now: UnixTime) {
        let _ = (piece, contents, now);
    }
}

/// No collateral but that which comes with the Evidence. The peer may then leave AMD's revocation list out, so this takes a peer
/// that sends it, or [`SnpPolicy::allow_missing_crl`](crate::SnpPolicy::allow_missing_crl).
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct CollateralFromPeer;

impl CollateralFromPeer {
    /// The one value.
    pub fn new() -> Self {
        Self
    }
}

impl SnpCollateral for CollateralFromPeer {
    fn get<'a>(
        &'a self,
        _: &'a SnpPiece,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Fetched>, CollateralError>> {
        Box::pin(async { Ok(None) })
    }

    fn supplies_veks(&self) -> bool {
        false
    }
}
