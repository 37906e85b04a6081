//! What a report is verified with: the VEK's certificate, its issuers', and AMD's revocation list.
//!
//! Certificates may come with the Evidence, as their signatures say all there is to say. A revocation list that comes with
//! the Evidence is taken only where the verifier's own source has none: the peer would choose an old one.

mod kds;
mod key;
mod peer;
mod piece;
mod supplied;

use std::fmt;

use atls_collateral::CollateralError;
use atls_collateral::Fetched;
use atls_core::BoxFuture;
use atls_core::pki_types::UnixTime;
use atls_formats::snp::Product;
use atls_formats::snp::SigningKey;
use atls_formats::snp::Tcb;

pub use kds::Kds;
pub use kds::KdsCollateral;
pub(crate) use kds::issuers_of;
pub(crate) use peer::PeerCollateral;
pub use piece::SnpPiece;
pub use supplied::SuppliedCollateral;

/// A verifier's own source of collateral. Whatever it gives is verified, and what rests on it ends when it may no longer be
/// used ([`Fetched::usable_until`]).
///
/// `None` says that this source does not have such a thing; an error, that it should and could not give it.
pub trait SnpCollateral: Send + Sync {
    /// The certificate of a chip's key, in DER.
    ///
    /// Asked before the report's signature is verified, which needs it: chip and versions are what the peer says, in a
    /// report that is well-formed and carries this connection's challenge. Whoever fetches bounds how often.
    ///
    /// # Errors
    /// [`CollateralError`]
    fn vek<'a>(
        &'a self,
        vek: &'a VekId,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Fetched>, CollateralError>>;

    /// The certificates of intermediate and root, in PEM; for roots whose intermediates are not known beforehand.
    ///
    /// # Errors
    /// [`CollateralError`]
    fn issuers(
        &self,
        product: Product,
        key: SigningKey,
        now: UnixTime,
    ) -> BoxFuture<'_, Result<Option<Fetched>, CollateralError>>;

    /// The revocation list, in DER. Asked only when the report is verified but for it. It is used until its next update, or
    /// later where it comes [with a grace](Fetched::usable_until).
    ///
    /// # Errors
    /// [`CollateralError`]
    fn crl(
        &self,
        product: Product,
        key: SigningKey,
        now: UnixTime,
    ) -> BoxFuture<'_, Result<Option<Fetched>, CollateralError>>;

    /// Whether certificates of chips' keys are this source's to give, so that a missing one is its fault and not that of a peer
    /// which sent none. It is, unless said otherwise.
    fn supplies_veks(&self) -> bool {
        true
    }

    /// Told of a piece that it gave and that is no good: not what AMD signed, not what was asked for, or outside of its time.
    /// It is then asked once more.
    fn reject(&self, piece: SnpPiece<'_>, contents: &Fetched, now: UnixTime) {
        let _ = (piece, contents, now);
    }
}

/// Which VCEK: of which chip, for which versions of firmware.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct VekId {
    /// The processor.
    pub product: Product,
    /// The hardware ID: 64 bytes, Turin 8.
    pub hwid: Vec<u8>,
    /// The versions that the report states.
    pub tcb: Tcb,
}

impl VekId {
    pub(crate) fn new(product: Product, hwid: &[u8], tcb: Tcb) -> Self {
        Self {
            product,
            hwid: hwid.to_vec(),
            tcb,
        }
    }
}

/// Without the hardware ID, which names a machine.
impl fmt::Debug for VekId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VekId")
            .field("product", &self.product)
            .field("tcb", &self.tcb)
            .finish_non_exhaustive()
    }
}

/// No source at all: only what comes with the Evidence. AMD's revocation list is then the peer's to leave away, so it
/// takes [`SnpPolicy::allow_missing_crl`](crate::SnpPolicy::allow_missing_crl) or a peer that sends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "nothing is nothing")]
pub struct NoCollateral;

impl SnpCollateral for NoCollateral {
    fn vek<'a>(
        &'a self,
        _: &'a VekId,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Option<Fetched>, CollateralError>> {
        Box::pin(async { Ok(None) })
    }

    fn issuers(
        &self,
        _: Product,
        _: SigningKey,
        _: UnixTime,
    ) -> BoxFuture<'_, Result<Option<Fetched>, CollateralError>> {
        Box::pin(async { Ok(None) })
    }

    fn crl(
        &self,
        _: Product,
        _: SigningKey,
        _: UnixTime,
    ) -> BoxFuture<'_, Result<Option<Fetched>, CollateralError>> {
        Box::pin(async { Ok(None) })
    }

    fn supplies_veks(&self) -> bool {
        false
    }
}
