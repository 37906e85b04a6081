//! Collateral for one kind of platform: parsed, dated, and verified under a root.

use std::fmt;

use atls_collateral::Fetched;
use atls_core::Stale;
use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Tee;
use atls_formats::dcap::pem;
use dcap_qvl::QuoteCollateralV3;
use serde::Deserialize;

use super::crl::Crl;
use super::evaluation::Evaluation;
use super::parts::CollateralFormError;
use super::parts::CollateralParts;
use super::validity::Validity;
use super::validity::Window;
use crate::platform::PckCa;
use crate::platform::Platform;
use crate::time;

/// TCB Info, QE Identity and revocation lists for one kind of platform.
///
/// A value of this type parses; the verifier verifies that Intel signed it. It serves until its first part expires, about
/// thirty days.
#[derive(Clone, PartialEq, Eq)]
pub struct Collateral {
    parts: CollateralParts,
    dcap: QuoteCollateralV3,
    /// The issuer of the PCK certificate's list, and the root, where they came along.
    pck_issuer: Option<Vec<Vec<u8>>>,
    platform: Platform,
    evaluation: Evaluation,
    lists: Lists,
    validity: Validity,
}

/// `thisUpdate` of the revocation lists, seconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Lists {
    root: u64,
    pck: u64,
}

impl Collateral {
    /// # Errors
    /// [`CollateralFormError`] where a piece does not parse or lacks a date. Signatures are not verified.
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
        // A third certificate would be one that nothing verifies.
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
            validity: Validity::of(windows),
            lists: Lists {
                root: root_crl.issued,
                pck: pck_crl.issued,
            },
            dcap: dcap(&parts),
            pck_issuer: None,
            parts,
        })
    }

    /// Adds the chain that verifies the list of the issuer of the PCK certificate.
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

    /// The issuer of the PCK certificates that its revocation list is about.
    pub fn ca(&self) -> PckCa {
        self.platform.ca
    }

    /// The first `nextUpdate` of its parts. Certificates live for years; the verifier checks their ends.
    pub fn expires_at(&self) -> UnixTime {
        self.validity.expires_at()
    }

    /// Ends with the time that a cache allows: no later than Intel's end, apart from the grace of the cache.
    pub(crate) fn kept_as(self, fetched: &Fetched) -> Self {
        Self {
            validity: self.validity.kept_as(fetched),
            ..self
        }
    }

    /// The end of the grace in which it may be used, as at its last moment, although it expired; as
    /// [`Fetched::usable_until`].
    pub(crate) fn usable_until(&self) -> u64 {
        self.validity.usable_until()
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

    /// The numbers that its maker never lowers: those of the evaluation, and the dates of the revocation lists.
    pub(crate) fn sequence(&self) -> [u64; 4] {
        [
            self.evaluation.tcb_info.into(),
            self.evaluation.qe_identity.into(),
            self.lists.root,
            self.lists.pck,
        ]
    }

    /// Whether a part is yet to be issued.
    pub(crate) fn is_early(&self, now: UnixTime) -> bool {
        self.validity.is_early(now)
    }

    pub(crate) fn dcap(&self) -> &QuoteCollateralV3 {
        &self.dcap
    }

    /// Whether the time lies between the last issue date and the first `nextUpdate` of its parts.
    pub(crate) fn is_current(&self, now: UnixTime) -> bool {
        self.validity.contains(now)
    }

    /// The piece by which it is not current: the first to expire, or one that is yet to be issued.
    pub(crate) fn stale(&self, now: UnixTime) -> Stale {
        self.validity.stale(now)
    }
}

impl fmt::Debug for Collateral {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collateral")
            .field("platform", &self.platform)
            .field("evaluation", &self.evaluation)
            .field("validity", &self.validity)
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
