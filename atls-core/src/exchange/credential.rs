//! The attestation that a peer presented, before it is appraised.

use std::fmt;

use pki_types::CertificateDer;

use crate::binding::Binding;
use crate::bound::Bound;
use crate::cmw::Cmw;
use crate::error::ProtocolError;
use crate::exchange::Selection;
use crate::exchange::authenticator;
use crate::exchange::certificate;
use crate::exchange::certificate::Carried;
use crate::exchange::certificate::Validity;
use crate::limits::NONCE_LENGTH;
use crate::session::Handshake;
use crate::session::TlsFacts;

/// A CMW, the value that its Evidence must carry, and the key that presented it on this connection.
///
/// [`Pending::finish`](crate::exchange::Pending::finish) makes it, or in the two weaker modes the certificate of a completed
/// handshake. [`RelyingParty::appraise`](crate::RelyingParty::appraise) consumes it. It proves which key the peer holds, and
/// nothing about the peer's code.
pub struct Credential {
    pub(crate) cmw: Cmw,
    pub(crate) bound: Bound,
    pub(crate) leaf_key: Vec<u8>,
    pub(crate) tls: TlsFacts,
    pub(crate) selection: Option<Selection>,
    pub(crate) binding: Binding,
    /// The report data, if the certificate fixes it in place of the platform.
    pub(crate) report_data: Option<[u8; 64]>,
    /// The validity of the certificate that carried it.
    pub(crate) validity: Option<Validity>,
}

impl Credential {
    /// Evidence out of the certificate that the peer used in this handshake: the pre-handshake mode, RA-TLS.
    ///
    /// Its binding is [`Binding::Key`]: the peer proved the certificate's key in the handshake, and the Evidence is about that key
    /// and about no connection.
    ///
    /// # Errors
    /// [`ProtocolError::NoAttestation`] for a peer without certificate or without Evidence in it. Other errors for an extension
    /// of the certificate that is not well-formed or is about another key.
    pub fn in_certificate(handshake: &Handshake) -> Result<Self, ProtocolError> {
        let leaf = leaf(handshake)?;
        let leaf_key = authenticator::spki(leaf)?;
        let (carried, validity) = certificate::read(leaf, &leaf_key)?;
        let (cmw, report_data) = match carried {
            Carried::Cmw(cmw) => (cmw, None),
            Carried::Quote { cmw, report_data } => (cmw, Some(report_data)),
        };
        cmw.check_without_proof()?;
        Ok(Self {
            cmw,
            bound: Bound::of_key(&leaf_key),
            leaf_key,
            tls: handshake.tls(),
            selection: None,
            binding: Binding::Key,
            report_data,
            validity: Some(validity),
        })
    }

    /// Evidence out of a certificate that the peer made during this handshake over this end's nonce: the intra-handshake mode.
    /// Its binding is [`Binding::Handshake`].
    ///
    /// This end chose `nonce` for this handshake and no other. A client's nonce is its `client_random`. A server's nonce is one of
    /// the names of acceptable authorities that it sent.
    ///
    /// # Errors
    /// Those of [`in_certificate`](Self::in_certificate). [`ProtocolError::NoAttestation`] also for formats of certificates that
    /// have no room for a nonce.
    pub fn in_handshake(
        handshake: &Handshake,
        nonce: &[u8; NONCE_LENGTH],
    ) -> Result<Self, ProtocolError> {
        let leaf = leaf(handshake)?;
        let leaf_key = authenticator::spki(leaf)?;
        let (Carried::Cmw(cmw), validity) = certificate::read(leaf, &leaf_key)? else {
            return Err(ProtocolError::NoAttestation);
        };
        cmw.check_without_proof()?;
        Ok(Self {
            cmw,
            bound: Bound::of_handshake(handshake.side().peer(), nonce, &leaf_key),
            leaf_key,
            tls: handshake.tls(),
            selection: None,
            binding: Binding::Handshake,
            report_data: None,
            validity: Some(validity),
        })
    }

    /// The message that the peer presented, as it came; of a [`Batch`](crate::exchange::batch::Batch) without the inclusion proof.
    pub fn cmw(&self) -> &Cmw {
        &self.cmw
    }

    /// The value that the Evidence must carry: that of this connection, or the root of a batch to which its proof leads from that
    /// value.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// The DER SubjectPublicKeyInfo of the end-entity certificate that presented it.
    pub fn leaf_key(&self) -> &[u8] {
        &self.leaf_key
    }

    /// What is known of the connection on which it was presented.
    pub fn tls(&self) -> TlsFacts {
        self.tls
    }

    /// The report data that the certificate fixes; see [`Evidence::report_data`](crate::Evidence::report_data).
    pub fn report_data(&self) -> Option<&[u8; 64]> {
        self.report_data.as_ref()
    }

    /// The peer's choice among the offered parameters. There is none in the minimal exchange.
    pub fn selection(&self) -> Option<Selection> {
        self.selection
    }
}

fn leaf(handshake: &Handshake) -> Result<&CertificateDer<'static>, ProtocolError> {
    handshake
        .peer_chain()
        .first()
        .ok_or(ProtocolError::NoAttestation)
}

/// Prints sizes. Evidence and keys identify devices, so it leaves them out.
impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("cmw", &self.cmw)
            .field("bound", &self.bound)
            .field("selection", &self.selection)
            .finish_non_exhaustive()
    }
}
