//! Collateral for one kind of platform: parsed, dated, and verified under a root.

use std::fmt;

use atls_collateral::Fetched;
use atls_core::Stale;
use atls_core::pki_types::UnixTime;
use dcap_qvl::QuoteCollateralV3;
use serde::Deserialize;

use super::crl::Crl;
use super::evaluation::Evaluation;
use super::parts::CollateralFormError;
use super::parts::CollateralParts;
use crate::error::QuoteError;
use crate::signatures;
use crate::signatures::PckCa;
use crate::signatures::Platform;
use crate::signatures::Root;
use crate::time;
use atls_formats::dcap::Tee;
use atls_formats::dcap::pem;

/// TCB Info, QE Identity and revocation lists for one kind of platform.
///
/// A value of this type parses; whether Intel signed it is found out where it is used. It serves until the first of its
/// parts expires, about thirty days.
#[derive(Clone, PartialEq, Eq)]
pub struct Collateral {
    parts: CollateralParts,
    dcap: QuoteCollateralV3,
    /// Where it came along: the issuer of the PCK certificate's list, and the root.
    pck_issuer: Option<Vec<Vec<u8>>>,
    platform: Platform,
    evaluation: Evaluation,
    lists: Lists,
    windows: [Window; 4],
    issued: u64,
    expires: u64,
    /// Later than `expires` where whoever keeps it lets it be used beyond its validity.
    usable_until: u64,
}

/// When a piece serves, seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    piece: &'static str,
    issued: u64,
    expires: u64,
}

/// `thisUpdate` of the revocation lists, seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lists {
    root: u64,
    pck: u64,
}

impl Collateral {
    /// # Errors
    /// [`CollateralFormError`] where a piece does not parse or lacks a date. Signatures are not looked at.
    pub fn new(parts: CollateralParts) -> Result<Self, CollateralFormError> {
        let tcb_info: TcbInfo =
            serde_json::from_str(&parts.tcb_info).map_err(|_| CollateralFormError::TcbInfo)?;
        let qe_identity: Dated = serde_json::from_str(&parts.qe_identity)
            .map_err(|_| CollateralFormError::QeIdentity)?;
        let tee = match &*tcb_info.id {
            "SGX" => Tee::Sgx,
            "TDX" => Tee::Tdx,
            _ => return Err(CollateralFormError::TcbInfo),
        };
        // A certificate more would be one that nothing verifies.
        if parts.tcb_info_issuer_chain.len() != 2 || parts.qe_identity_issuer_chain.len() != 2 {
            return Err(CollateralFormError::Chain);
        }
        let fmspc = atls_reference::Digest::from_hex(&tcb_info.fmspc)
            .ok_or(CollateralFormError::TcbInfo)?;
        let root_crl = Crl::decode(&parts.root_ca_crl).ok_or(CollateralFormError::Crl)?;
        let pck_crl = Crl::decode(&parts.pck_crl).ok_or(CollateralFormError::Crl)?;
        let tcb_dates = dates(&tcb_info.issue_date, &tcb_info.next_update)
            .ok_or(CollateralFormError::TcbInfo)?;
        let qe_dates = dates(&qe_identity.issue_date, &qe_identity.next_update)
            .ok_or(CollateralFormError::QeIdentity)?;
        let window = |piece, (issued, expires)| Window {
            piece,
            issued,
            expires,
        };
        let windows = [
            window("TCB info", tcb_dates),
            window("QE identity", qe_dates),
            window("root CRL", (root_crl.issued, root_crl.expires)),
            window("PCK CRL", (pck_crl.issued, pck_crl.expires)),
        ];
        let ends = windows.iter().map(|window| window.expires);
        let expires = ends.fold(u64::MAX, u64::min);
        Ok(Self {
            platform: Platform {
                tee,
                fmspc: *fmspc.as_bytes(),
                ca: pck_crl.pck_ca().ok_or(CollateralFormError::Crl)?,
            },
            evaluation: Evaluation {
                tcb_info: tcb_info.tcb_evaluation_data_number,
                qe_identity: qe_identity.tcb_evaluation_data_number,
            },
            issued: windows.iter().map(|window| window.issued).fold(0, u64::max),
            windows,
            expires,
            usable_until: expires,
            lists: Lists {
                root: root_crl.issued,
                pck: pck_crl.issued,
            },
            dcap: dcap(&parts),
            pck_issuer: None,
            parts,
        })
    }

    /// With the chain by which the list of the issuer of the PCK certificate is verified.
    ///
    /// # Errors
    /// [`CollateralFormError::Chain`] unless there are two certificates.
    pub(crate) fn with_pck_issuer(
        mut self,
        chain: Vec<Vec<u8>>,
    ) -> Result<Self, CollateralFormError> {
        if chain.len() != 2 {
            return Err(CollateralFormError::Chain);
        }
        self.pck_issuer = Some(chain);
        Ok(self)
    }

    /// The pieces.
    pub fn parts(&self) -> &CollateralParts {
        &self.parts
    }

    /// SGX or TDX.
    pub fn tee(&self) -> Tee {
        self.platform.tee
    }

    /// The kind of platform that it is about.
    pub fn fmspc(&self) -> [u8; 6] {
        self.platform.fmspc
    }

    /// Whose PCK certificates its revocation list is about.
    pub fn ca(&self) -> PckCa {
        self.platform.ca
    }

    /// The first `nextUpdate` of its parts. Certificates live for years; they are checked where it is used.
    pub fn expires_at(&self) -> UnixTime {
        time::seconds(self.expires)
    }

    /// Serves for as long as whoever keeps it says: no longer than Intel, but for a grace that it allows.
    pub(crate) fn kept_as(self, fetched: &Fetched) -> Self {
        Self {
            expires: self.expires.min(fetched.fresh_until.as_secs()),
            usable_until: fetched.usable_until.as_secs(),
            ..self
        }
    }

    /// Until when it may be used, as at its last moment, although it expired; as
    /// [`Fetched::usable_until`].
    pub(crate) fn usable_until(&self) -> u64 {
        self.usable_until
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.platform
    }

    pub(crate) fn evaluation(&self) -> Evaluation {
        self.evaluation
    }

    pub(crate) fn pck_issuer(&self) -> Option<&[Vec<u8>]> {
        self.pck_issuer.as_deref()
    }

    /// What its maker never lowers: the numbers of evaluation, and the dates of the revocation lists.
    pub(crate) fn sequence(&self) -> [u64; 4] {
        [
            self.evaluation.tcb_info.into(),
            self.evaluation.qe_identity.into(),
            self.lists.root,
            self.lists.pck,
        ]
    }

    /// Whether a part of it has a date of issue that is yet to come.
    pub(crate) fn is_early(&self, now: UnixTime) -> bool {
        now.as_secs() < self.issued
    }

    pub(crate) fn dcap(&self) -> &QuoteCollateralV3 {
        &self.dcap
    }

    /// Whether the time lies between the last issue date and the first `nextUpdate` of its parts.
    pub(crate) fn is_current(&self, now: UnixTime) -> bool {
        (self.issued..self.expires).contains(&now.as_secs())
    }

    /// The piece by which it is not current: the first to expire, or one that is yet to come.
    pub(crate) fn stale(&self, now: UnixTime) -> Stale {
        let now = now.as_secs();
        let expired = self.windows.iter().filter(|window| window.expires <= now);
        if let Some(first) = expired.min_by_key(|window| window.expires) {
            return Stale::expired(first.piece, time::seconds(first.expires));
        }
        match self.windows.iter().find(|window| now < window.issued) {
            Some(early) => Stale::early(early.piece, time::seconds(early.issued)),
            // Whoever keeps it said less than Intel.
            None => Stale::expired("what the cache kept", self.expires_at()),
        }
    }

    /// Whether its chains end at the root, byte for byte.
    pub(crate) fn is_under(&self, root: &Root) -> bool {
        let parts = &self.parts;
        root.split(&parts.tcb_info_issuer_chain).is_ok()
            && root.split(&parts.qe_identity_issuer_chain).is_ok()
    }

    /// Verifies the chains of the two documents at the given time, and gives the end of their validity, in seconds
    /// since the epoch.
    pub(crate) fn verify_chains(&self, root: &Root, now: UnixTime) -> Result<u64, QuoteError> {
        let mut end = u64::MAX;
        for chain in [
            &self.parts.tcb_info_issuer_chain,
            &self.parts.qe_identity_issuer_chain,
        ] {
            root.split(chain)?.verify(now)?;
            end = end.min(signatures::not_after(chain)?);
        }
        Ok(end)
    }

    /// Verifies all that Intel signs, with the chain of the issuer of the PCK certificates: before it is kept, and when it
    /// comes from where it was kept. Dates of documents and lists are not looked at.
    pub(crate) fn verify(
        &self,
        pck_issuer_chain: &[Vec<u8>],
        root: &Root,
        now: UnixTime,
    ) -> Result<(), QuoteError> {
        let parts = &self.parts;
        let chain = root.split(&parts.tcb_info_issuer_chain)?;
        let signer = chain.verify(now)?;
        signatures::verify_by(
            &signer,
            parts.tcb_info.as_bytes(),
            &parts.tcb_info_signature,
        )?;
        let chain = root.split(&parts.qe_identity_issuer_chain)?;
        let signer = chain.verify(now)?;
        signatures::verify_by(
            &signer,
            parts.qe_identity.as_bytes(),
            &parts.qe_identity_signature,
        )?;
        let chain = root.split(pck_issuer_chain)?;
        let issuer = chain.verify_issuer(now)?;
        signatures::verify_signed(&issuer, &parts.pck_crl)?;
        signatures::verify_signed(&chain.anchor()?, &parts.root_ca_crl)
    }
}

impl fmt::Debug for Collateral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collateral")
            .field("platform", &self.platform)
            .field("evaluation", &self.evaluation)
            .field("issued", &self.issued)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// The members of a TCB Info that are read before its signature is verified: its subject, and how long it serves.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TcbInfo {
    id: String,
    fmspc: String,
    issue_date: String,
    next_update: String,
    tcb_evaluation_data_number: u32,
}

/// The same of a QE Identity.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dated {
    issue_date: String,
    next_update: String,
    tcb_evaluation_data_number: u32,
}

fn dates(issued: &str, expires: &str) -> Option<(u64, u64)> {
    Some((time::rfc3339(issued)?, time::rfc3339(expires)?))
}

/// As the DCAP library takes it. The PCK chain is always the quote's own, and the list's issuer the one in that chain.
fn dcap(parts: &CollateralParts) -> QuoteCollateralV3 {
    QuoteCollateralV3 {
        pck_crl_issuer_chain: String::new(),
        root_ca_crl: parts.root_ca_crl.clone(),
        pck_crl: parts.pck_crl.clone(),
        tcb_info_issuer_chain: pem::encode(&parts.tcb_info_issuer_chain),
        tcb_info: parts.tcb_info.clone(),
        tcb_info_signature: parts.tcb_info_signature.clone(),
        qe_identity_issuer_chain: pem::encode(&parts.qe_identity_issuer_chain),
        qe_identity: parts.qe_identity.clone(),
        qe_identity_signature: parts.qe_identity_signature.clone(),
        pck_certificate_chain: None,
    }
}
