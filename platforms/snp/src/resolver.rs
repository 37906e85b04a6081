//! Finds the certificate chain and the revocation list for one appraisal: the peer's, or those of the verifier's own source.
//!
//! A report goes in; a [`Chain`] and a [`RevocationList`] come out, verified. The verifier rejects a piece of its own only for
//! what is wrong with that piece, never for what a peer claims or sends beside it: a peer that could have good pieces dropped
//! could have others refused.

use std::sync::Arc;

use atls_collateral::CollateralError;
use atls_collateral::Fetched;
use atls_core::AppraisalError;
use atls_core::Fault;
use atls_core::Stale;
use atls_core::pki_types::UnixTime;
use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;
use atls_formats::snp::Tcb;

use crate::chain;
use crate::chain::Chain;
use crate::collateral::PeerCollateral;
use crate::collateral::SnpCollateral;
use crate::collateral::SnpPiece;
use crate::collateral::VekId;
use crate::crl::RevocationList;
use crate::policy::SnpPolicy;
use crate::roots::Roots;
use crate::x509;

/// The verifier's roots and source, at the time of one appraisal.
pub(crate) struct Resolver<'a> {
    pub(crate) roots: &'a Roots,
    pub(crate) source: &'a Arc<dyn SnpCollateral>,
    pub(crate) now: UnixTime,
}

/// A verified list, and the end of what rests on it, seconds since the epoch.
pub(crate) struct ResolvedList {
    pub(crate) list: RevocationList,
    pub(crate) until: u64,
}

/// Why there is no chain or list.
enum Unresolved {
    /// Asking again would not help.
    Final(AppraisalError),
    /// A piece of the verifier's own was unusable, and its source has dropped it. The source may give a better one. The error is
    /// the verifier's and says nothing about the peer.
    Rejected(AppraisalError),
}

/// Certificates of issuers from the verifier's own source, and the end of their use, seconds since the epoch.
struct Issuers {
    certificates: Vec<Vec<u8>>,
    until: u64,
}

impl Resolver<'_> {
    /// The chain from the root to the report's key. The source is asked for nothing that the peer sent along.
    pub(crate) async fn chain(
        &self,
        report: &Report<'_>,
        peer: &PeerCollateral<'_>,
    ) -> Result<Chain, AppraisalError> {
        match self.try_chain(report, peer).await {
            Err(Unresolved::Rejected(_)) => Ok(self.try_chain(report, peer).await?),
            resolved => Ok(resolved?),
        }
    }

    /// The revocation list of the source, or the peer's if the source has none. `None` only where the policy allows that.
    pub(crate) async fn revocation(
        &self,
        chain: &Chain,
        peer: &PeerCollateral<'_>,
        policy: &SnpPolicy,
    ) -> Result<Option<ResolvedList>, AppraisalError> {
        let own = match self.try_revocation(chain, policy).await {
            Err(Unresolved::Rejected(_)) => self.try_revocation(chain, policy).await?,
            resolved => resolved?,
        };
        match (own, peer.crl()) {
            (Some(own), _) => Ok(Some(own)),
            (None, Some(peers)) => {
                let list = RevocationList::verify(peers, &chain.ark, self.now)?;
                let until = list.validity().not_after;
                Ok(Some(ResolvedList { list, until }))
            }
            (None, None) if policy.allow_missing_crl => Ok(None),
            (None, None) => Err(AppraisalError::Unreachable),
        }
    }

    async fn try_chain(
        &self,
        report: &Report<'_>,
        peer: &PeerCollateral<'_>,
    ) -> Result<Chain, Unresolved> {
        let own_vek = match peer.vek() {
            Some(_) => None,
            None => Some(self.vek(report, peer).await?),
        };
        let issuers = self.issuers(report, peer).await?;
        let own_issuers = || issuers.certificates.iter().map(|der| &**der);
        let own_der = own_vek.as_ref().map(|(_, fetched)| &*fetched.bytes);
        let der = own_der.or_else(|| peer.vek()).unwrap_or_default();
        let authorities = peer.authorities().chain(own_issuers());
        let chain = Chain::verify(self.roots, der, authorities, self.now);
        let chain = chain.and_then(|chain| chain.fitting(report));
        let Some((piece, fetched)) = own_vek else {
            return Ok(chain?.ending(issuers.until));
        };
        let error = match chain {
            Ok(chain) => {
                let until = issuers.until.min(fetched.usable_until.as_secs());
                return Ok(chain.ending(until));
            }
            Err(error) => error,
        };
        // The certificate is at fault only if it fails without the peer's authorities too.
        let needs_peer = issuers.certificates.is_empty()
            && matches!(&piece, SnpPiece::Vek(vek)
                if chain::lacks_intermediate(self.roots, vek.product, SigningKey::Vcek));
        let alone = Chain::verify(self.roots, &fetched.bytes, own_issuers(), self.now);
        let is_good = alone.is_ok_and(|chain| chain.extensions.fit(report));
        if is_good || needs_peer {
            return Err(Unresolved::Final(error));
        }
        Err(self.reject(&piece, &fetched, &error))
    }

    async fn vek(
        &self,
        report: &Report<'_>,
        peer: &PeerCollateral<'_>,
    ) -> Result<(SnpPiece, Fetched), Unresolved> {
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
        // The peer must send the certificate if nobody can ask for it: version 2 names no product, a hidden chip has no name, and
        // AMD does not publish a provider's key.
        let product = report.product().map_err(AppraisalError::from)?;
        let product = product.ok_or_else(|| missing(Fault::Peer))?;
        let hwid = match report.signing_key {
            SigningKey::Vcek => report.hwid(product),
            SigningKey::Vlek => None,
        };
        let hwid = hwid.ok_or_else(|| missing(Fault::Peer))?.to_vec();
        self.roots.anchor(product)?;
        let tcb = Tcb::decode(product, report.reported_tcb).ok_or(AppraisalError::Malformed)?;
        let piece = SnpPiece::Vek(VekId { product, hwid, tcb });
        let due_from = match self.source.supplies_veks() {
            true => Fault::Verifier,
            false => Fault::Peer,
        };
        let fetched = self.source.get(&piece, self.now).await;
        let fetched = fetched.map_err(|error| unreachable(&piece, &error))?;
        Ok((piece, fetched.ok_or_else(|| missing(due_from))?))
    }

    /// Asks only if neither the root's intermediate is known beforehand nor the peer sent one.
    async fn issuers(
        &self,
        report: &Report<'_>,
        peer: &PeerCollateral<'_>,
    ) -> Result<Issuers, Unresolved> {
        let none = Issuers {
            certificates: Vec::new(),
            until: u64::MAX,
        };
        let key = report.signing_key;
        let Some(product) = report.product().map_err(AppraisalError::from)? else {
            return Ok(none);
        };
        if peer.authorities().next().is_some()
            || !chain::lacks_intermediate(self.roots, product, key)
        {
            return Ok(none);
        }
        let piece = SnpPiece::Issuers(product, key);
        let fetched = self.source.get(&piece, self.now).await;
        let Some(fetched) = fetched.map_err(|error| unreachable(&piece, &error))? else {
            return Ok(none);
        };
        let read = x509::from_pem(&fetched.bytes).ok_or(AppraisalError::Malformed);
        let verified = read.and_then(|certificates| {
            let authorities = certificates.iter().map(|der| &**der);
            chain::verify_authorities(self.roots, product, key, authorities, self.now)?;
            Ok(certificates)
        });
        match verified {
            Ok(certificates) => Ok(Issuers {
                certificates,
                until: fetched.usable_until.as_secs(),
            }),
            Err(error) => Err(self.reject(&piece, &fetched, &error)),
        }
    }

    async fn try_revocation(
        &self,
        chain: &Chain,
        policy: &SnpPolicy,
    ) -> Result<Option<ResolvedList>, Unresolved> {
        let piece = SnpPiece::Crl(chain.extensions.product, chain.extensions.key);
        let fetched = match self.source.get(&piece, self.now).await {
            Ok(Some(fetched)) => fetched,
            Ok(None) => return Ok(None),
            // Peers can bring about the other errors, such as limits of this end. Those must not switch revocation off.
            Err(error) if policy.allow_missing_crl && error.is_outage() => return Ok(None),
            Err(error) => return Err(Unresolved::Final(unreachable(&piece, &error))),
        };
        let at = fetched.validity_time(self.now);
        match RevocationList::verify(&fetched.bytes, &chain.ark, at) {
            Ok(list) => {
                let usable_until = fetched.usable_until.as_secs();
                // Only a grace of the source's keeper lets a list be used beyond its time.
                let until = if at == self.now {
                    list.validity().not_after.min(usable_until)
                } else {
                    usable_until
                };
                Ok(Some(ResolvedList { list, until }))
            }
            Err(error) => Err(self.reject(&piece, &fetched, &error)),
        }
    }

    fn reject(&self, piece: &SnpPiece, fetched: &Fetched, error: &AppraisalError) -> Unresolved {
        self.source.reject(piece, fetched, self.now);
        Unresolved::Rejected(match error {
            AppraisalError::Expired => {
                let at = fetched.validity_time(self.now);
                AppraisalError::StaleCollateral(piece.stale(&fetched.bytes, at))
            }
            _ => AppraisalError::Unreachable,
        })
    }
}

impl From<AppraisalError> for Unresolved {
    fn from(error: AppraisalError) -> Self {
        Self::Final(error)
    }
}

impl From<Unresolved> for AppraisalError {
    fn from(unresolved: Unresolved) -> Self {
        match unresolved {
            Unresolved::Final(error) | Unresolved::Rejected(error) => error,
        }
    }
}

/// Without the piece nothing is known about the peer, so this is the verifier's fault.
fn unreachable(piece: &SnpPiece, error: &CollateralError) -> AppraisalError {
    match error {
        CollateralError::Expired => AppraisalError::StaleCollateral(Stale::undated(piece.name())),
        _ => AppraisalError::Unreachable,
    }
}
