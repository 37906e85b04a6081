//! The signatures of collateral: Intel's, under a root.
//!
//! Each method fails with [`QuoteError::BadSignature`], or with [`QuoteError::Expired`] where a certificate is not valid at the given
//! time. Dates of documents and lists are not checked here.

use atls_core::pki_types::UnixTime;

use super::bundle::Collateral;
use crate::chain;
use crate::ecdsa;
use crate::error::QuoteError;
use crate::root::Root;

impl Collateral {
    /// Whether the chains of the two documents end at the root, byte for byte.
    pub(crate) fn is_under(&self, root: &Root) -> bool {
        let mut chains = self.signed_documents().into_iter();
        chains.all(|document| root.split(document.issuer_chain).is_ok())
    }

    /// Verifies the chains of the two documents, and gives the time at which their first certificate expires, in seconds since
    /// the epoch.
    pub(crate) fn verify_chains(&self, root: &Root, now: UnixTime) -> Result<u64, QuoteError> {
        let mut end = u64::MAX;
        for document in self.signed_documents() {
            root.split(document.issuer_chain)?.verify(now)?;
            end = end.min(chain::not_after(document.issuer_chain)?);
        }
        Ok(end)
    }

    /// Verifies all that Intel signs, with the chain of the issuer of the PCK certificates.
    pub(crate) fn verify(
        &self,
        pck_issuer_chain: &[Vec<u8>],
        root: &Root,
        now: UnixTime,
    ) -> Result<(), QuoteError> {
        for document in self.signed_documents() {
            let chain = root.split(document.issuer_chain)?;
            let signer = chain.verify(now)?;
            ecdsa::verify_by(&signer, document.text.as_bytes(), document.signature)?;
        }
        let parts = self.parts();
        let chain = root.split(pck_issuer_chain)?;
        let issuer = chain.verify_issuer(now)?;
        ecdsa::verify_signed(&issuer, &parts.pck_crl)?;
        ecdsa::verify_signed(&chain.anchor()?, &parts.root_ca_crl)
    }

    fn signed_documents(&self) -> [SignedDocument<'_>; 2] {
        let parts = self.parts();
        [
            SignedDocument {
                text: &parts.tcb_info,
                signature: &parts.tcb_info_signature,
                issuer_chain: &parts.tcb_info_issuer_chain,
            },
            SignedDocument {
                text: &parts.qe_identity,
                signature: &parts.qe_identity_signature,
                issuer_chain: &parts.qe_identity_issuer_chain,
            },
        ]
    }
}

/// TCB Info or QE Identity.
struct SignedDocument<'a> {
    text: &'a str,
    /// `r ‖ s`.
    signature: &'a [u8],
    issuer_chain: &'a [Vec<u8>],
}
