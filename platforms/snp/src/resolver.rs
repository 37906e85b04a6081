//! The verifier's own collateral: used for as long as its keeper allows, and rejected where it is no good.
//!
//! A piece is rejected for what is wrong with itself, never for what a peer sent beside it or claims: whoever could have a
//! good piece dropped could have others refused.

use std::sync::Arc;

use atls_collateral::CollateralError;
use atls_collateral::Fetched;
use atls_core::AppraisalError;
use atls_core::Fault;
use atls_core::Stale;
use atls_core::pki_types::UnixTime;
use atls_formats::snp::Product;
use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;
use atls_formats::snp::Tcb;

use crate::chain;
use crate::chain::Chain;
use crate::collateral::PeerCollateral;
use crate::collateral::SnpCollateral;
use crate::collateral::SnpPiece;
use crate::collateral::VekId;
use crate::collateral::issuers_of;
use crate::crl::RevocationList;
use crate::roots::Roots;

/// What one appraisal may ask.
pub(crate) struct OwnCollateral<'a> {
    pub(crate) roots: &'a Roots,
    pub(crate) source: &'a Arc<dyn SnpCollateral>,
    pub(crate) now: UnixTime,
}

/// A list that is in force, and when what rests on it ends, seconds since the epoch.
pub(crate) struct InForce {
    pub(crate) list: RevocationList,
    pub(crate) until: u64,
}

/// Why there is no chain or list.
enum Refused {
    /// That is that.
    Final(AppraisalError),
    /// Our own piece was no good and was rejected. Whoever kept it may give better. The error is ours, and says nothing about
    /// the peer.
    Rejected(AppraisalError),
}

impl OwnCollateral<'_> {
    /// From the root to a key that is the report's. Nothing is asked for what the peer sent along.
    pub(crate) async fn chain(
        &self,
        report: &Report<'_>,
        peer: &PeerCollateral<'_>,
    ) -> Result<Chain, AppraisalError> {
        match self.try_chain(report, peer).await {
            Err(Refused::Rejected(_)) => Ok(self.try_chain(report, peer).await?),
            decided => Ok(decided?),
        }
    }

    /// The revocation list, or the peer's where there is none of our own.
    pub(crate) async fn revocation(
        &self,
        chain: &Chain,
        peer: Option<&[u8]>,
        missing_is_allowed: bool,
    ) -> Result<Option<InForce>, AppraisalError> {
        let own = match self.try_revocation(chain, missing_is_allowed).await {
            Err(Refused::Rejected(_)) => self.try_revocation(chain, missing_is_allowed).await?,
            decided => decided?,
        };
        match (own, peer) {
            (Some(own), _) => Ok(Some(own)),
            (None, Some(peers)) => {
                let list = RevocationList::verify(peers, &chain.ark, self.now)?;
                let until = list.validity().not_after;
                Ok(Some(InForce { list, until }))
            }
            (None, None) if missing_is_allowed => Ok(None),
            (None, None) => Err(AppraisalError::Unreachable),
        }
    }

    async fn try_chain(
        &self,
        report: &Report<'_>,
        peer: &PeerCollateral<'_>,
    ) -> Result<Chain, Refused> {
        let own_vek = match peer.vek() {
            Some(_) => None,
            None => Some(self.vek(report, peer).await?),
        };
        let issuers = self.issuers(report, peer).await?;
        let (own_issuers, issuers_until) = issuers.unwrap_or((Vec::new(), u64::MAX));
        let own_issuers: Vec<&[u8]> = own_issuers.iter().map(|it| &**it).collect();
        let Some((id, fetched)) = own_vek else {
            let vek = peer.vek().unwrap_or_default();
            let authorities = peer.authorities().chain(own_issuers.iter().copied());
            let chain = Chain::verify(self.roots, vek, authorities, self.now)?;
            return fitting(chain.ending(issuers_until), report);
        };
        let authorities = peer.authorities().chain(own_issuers.iter().copied());
        let verified = Chain::verify(self.roots, &fetched.bytes, authorities, self.now);
        let chain = verified.map_err(Refused::Final);
        let error = match chain.and_then(|chain| fitting(chain, report)) {
            Ok(chain) => {
                let until = issuers_until.min(fetched.usable_until.as_secs());
                return Ok(chain.ending(until));
            }
            Err(Refused::Final(error) | Refused::Rejected(error)) => error,
        };
        // Is it the certificate's own fault, whatever the peer sent beside it?
        let needs_peer = own_issuers.is_empty()
            && chain::lacks_intermediate(self.roots, id.product, SigningKey::Vcek);
        let alone = Chain::verify(self.roots, &fetched.bytes, own_issuers, self.now);
        let is_good = alone.is_ok_and(|chain| chain.extensions.fit(report));
        if is_good || needs_peer {
            return Err(Refused::Final(error));
        }
        Err(self.reject(SnpPiece::Vek(&id), &fetched, &error))
    }

    async fn vek(
        &self,
        report: &Report<'_>,
        peer: &PeerCollateral<'_>,
    ) -> Result<(VekId, Fetched), Refused> {
        // What the peer sent is of another key; or it sent none, and then it matters who was to have one.
        let missing = |due_from| match (peer.sent_another_vek(), report.signing_key) {
            (true, _) => AppraisalError::UnknownKey,
            (false, SigningKey::Vcek) => AppraisalError::NoEndorsement {
                what: "VCEK",
                due_from,
            },
            (false, SigningKey::Vlek) => AppraisalError::NoEndorsement {
                what: "VLEK",
                due_from,
            },
        };
        // Version 2 names no product, a hidden chip has no name, and a provider's key is not to be had: the peer's to send.
        let product = report.product().map_err(AppraisalError::from)?;
        let product = product.ok_or_else(|| missing(Fault::Peer))?;
        let hwid = match report.signing_key {
            SigningKey::Vcek => report.hwid(product),
            SigningKey::Vlek => None,
        };
        let hwid = hwid.ok_or_else(|| missing(Fault::Peer))?;
        self.roots.anchor(product)?;
        let tcb = Tcb::decode(product, report.reported_tcb).ok_or(AppraisalError::Malformed)?;
        let id = VekId::new(product, hwid, tcb);
        let found = self.source.vek(&id, self.now).await;
        let found = found.map_err(|error| unreachable(SnpPiece::Vek(&id), &error))?;
        let due_from = match self.source.supplies_veks() {
            true => Fault::Verifier,
            false => Fault::Peer,
        };
        let found = found.ok_or_else(|| missing(due_from))?;
        Ok((id, found))
    }

    /// Only where neither the root's intermediate is known nor the peer sent one; and until when they may be used.
    async fn issuers(
        &self,
        report: &Report<'_>,
        peer: &PeerCollateral<'_>,
    ) -> Result<Option<(Vec<Vec<u8>>, u64)>, Refused> {
        let key = report.signing_key;
        let Some(product) = report.product().map_err(AppraisalError::from)? else {
            return Ok(None);
        };
        if peer.authorities().next().is_some()
            || !chain::lacks_intermediate(self.roots, product, key)
        {
            return Ok(None);
        }
        let piece = SnpPiece::Issuers(product, key);
        let found = self.source.issuers(product, key, self.now).await;
        let Some(fetched) = found.map_err(|error| unreachable(piece, &error))? else {
            return Ok(None);
        };
        match self.read_issuers(product, key, &fetched) {
            Ok(certificates) => Ok(Some((certificates, fetched.usable_until.as_secs()))),
            Err(error) => Err(self.reject(piece, &fetched, &error)),
        }
    }

    fn read_issuers(
        &self,
        product: Product,
        key: SigningKey,
        fetched: &Fetched,
    ) -> Result<Vec<Vec<u8>>, AppraisalError> {
        let certificates = issuers_of(&fetched.bytes).ok_or(AppraisalError::Malformed)?;
        let authorities = certificates.iter().map(|der| &**der);
        chain::verify_authorities(self.roots, product, key, authorities, self.now)?;
        Ok(certificates)
    }

    async fn try_revocation(
        &self,
        chain: &Chain,
        missing_is_allowed: bool,
    ) -> Result<Option<InForce>, Refused> {
        let (product, key) = (chain.extensions.product, chain.extensions.key);
        let piece = SnpPiece::Crl(product, key);
        let fetched = match self.source.crl(product, key, self.now).await {
            Ok(Some(fetched)) => fetched,
            Ok(None) => return Ok(None),
            // What peers can bring about, such as our own limits, must not switch revocation off.
            Err(error) if missing_is_allowed && error.is_outage() => return Ok(None),
            Err(error) => return Err(Refused::Final(unreachable(piece, &error))),
        };
        let at = fetched.validity_time(self.now);
        match RevocationList::verify(&fetched.bytes, &chain.ark, at) {
            Ok(list) => {
                let usable_until = fetched.usable_until.as_secs();
                // Beyond its time only by the grace of whoever keeps it.
                let until = if at == self.now {
                    list.validity().not_after.min(usable_until)
                } else {
                    usable_until
                };
                Ok(Some(InForce { list, until }))
            }
            Err(error) => Err(self.reject(piece, &fetched, &error)),
        }
    }

    fn reject(&self, piece: SnpPiece<'_>, fetched: &Fetched, error: &AppraisalError) -> Refused {
        self.source.reject(piece, fetched, self.now);
        Refused::Rejected(match error {
            AppraisalError::Expired => {
                let at = fetched.validity_time(self.now);
                AppraisalError::StaleCollateral(piece.stale(&fetched.bytes, at))
            }
            _ => AppraisalError::Unreachable,
        })
    }
}

impl From<AppraisalError> for Refused {
    fn from(error: AppraisalError) -> Self {
        Self::Final(error)
    }
}

impl From<Refused> for AppraisalError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Final(error) | Refused::Rejected(error) => error,
        }
    }
}

fn fitting(chain: Chain, report: &Report<'_>) -> Result<Chain, Refused> {
    if chain.extensions.fit(report) {
        Ok(chain)
    } else {
        Err(Refused::Final(AppraisalError::UnknownKey))
    }
}

/// Whatever kept collateral away, nothing is known about the peer then, and it is not the peer's fault.
fn unreachable(piece: SnpPiece<'_>, error: &CollateralError) -> AppraisalError {
    match error {
        CollateralError::Expired => AppraisalError::StaleCollateral(Stale::undated(piece.name())),
        _ => AppraisalError::Unreachable,
    }
}
