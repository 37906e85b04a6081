//! The asking end, once its request is sent: the authenticator becomes a [`Credential`].

use std::fmt;

use super::ATTESTATION_PARAMETERS;
use super::credential::Credential;
use super::parameters::Selection;
use crate::binding::Binding;
use crate::bound::Bound;
use crate::bound::ExportedValue;
use crate::cmw::Cmw;
use crate::codec::Reader;
use crate::error::ProtocolError;
use crate::exchange::authenticator::SentRequest;
use crate::exchange::authenticator::VerifiedAuthenticator;
use crate::exchange::batch::Batches;
use crate::merkle::NodeHash;
use crate::session::TlsFacts;
use crate::wire_profile::WireProfile;

/// A request for attestation that waits for its one answer.
pub struct Pending {
    pub(super) profile: WireProfile,
    pub(super) request: SentRequest,
    pub(super) exported: ExportedValue,
    pub(super) handshake_key: Option<Vec<u8>>,
    pub(super) offered: Selection,
    pub(super) tls: TlsFacts,
}

impl Pending {
    /// Verifies the authenticator and takes the CMW out of it. From Evidence of a [`Batch`](crate::exchange::batch::Batch), it takes the
    /// inclusion proof away and computes the root that the Evidence must carry.
    ///
    /// # Errors
    /// [`ProtocolError::Declined`] for an authentic refusal, [`ProtocolError::NoAttestation`] for an authentic
    /// answer without CMW, [`ProtocolError::Proof`] for an inclusion proof that is malformed or not due,
    /// [`ProtocolError::KeyMismatch`] where its key is not that of the TLS handshake, and every reject rule of RFC 9261. Only
    /// [`Declined`](ProtocolError::Declined) says that the peer itself refused.
    pub fn finish(self, authenticator: &[u8]) -> Result<Credential, ProtocolError> {
        let code = self.profile.cmw_attestation();
        let tls = self.tls;
        let Answer {
            verified,
            exported,
            selection,
        } = self.verify(authenticator)?;
        let data = verified
            .extension(code)
            .ok_or(ProtocolError::NoAttestation)?;
        let leaf_key = verified.public_key().to_vec();
        let binder = exported.bind(&leaf_key);
        let batches = selection.map_or(Batches::No, |selection| selection.batches);
        let (cmw, bound) = match batches {
            Batches::No => alone(cmw_data(data)?, binder)?,
            Batches::Yes => of_batch(cmw_data(data)?, &binder)?,
        };
        Ok(Credential {
            cmw,
            bound,
            leaf_key,
            tls: tls.signed_by(verified.scheme()),
            selection,
            binding: Binding::Connection,
            report_data: None,
            validity: None,
        })
    }

    /// Verifies the plain or empty authenticator of a peer that was not asked to attest. It must be of this connection. It says
    /// nothing about the peer's code.
    ///
    /// # Errors
    /// Those of [`finish`](Self::finish) without [`ProtocolError::Declined`] and [`ProtocolError::NoAttestation`].
    pub fn finish_without_attestation(self, authenticator: &[u8]) -> Result<(), ProtocolError> {
        match self.verify(authenticator) {
            Ok(_) | Err(ProtocolError::Declined) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The rules for every answer, whether it attests or not.
    fn verify(self, authenticator: &[u8]) -> Result<Answer, ProtocolError> {
        let verified = self.request.verify(authenticator)?;
        // A server has always sent a certificate. A client that sent one must answer with its key; one that
        // did not answers with a key of its own, which only the Evidence vouches for.
        if let Some(key) = &self.handshake_key
            && key != verified.public_key()
        {
            return Err(ProtocolError::KeyMismatch);
        }
        for code in [self.profile.cmw_attestation(), ATTESTATION_PARAMETERS] {
            if verified.has_later_extension(code) {
                return Err(ProtocolError::UnsolicitedExtension(code));
            }
        }
        let selection = verified
            .extension(ATTESTATION_PARAMETERS)
            .map(|data| Selection::decode(data, self.offered))
            .transpose()?;
        Ok(Answer {
            verified,
            exported: self.exported,
            selection,
        })
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("profile", &self.profile)
            .field("request", &self.request)
            .field("offered", &self.offered)
            .finish_non_exhaustive()
    }
}

/// A valid authenticator, and the exported value of its connection and request.
struct Answer {
    verified: VerifiedAuthenticator,
    exported: ExportedValue,
    selection: Option<Selection>,
}

/// Evidence of this connection alone. It carries the binder.
fn alone(cmw: &[u8], binder: Bound) -> Result<(Cmw, Bound), ProtocolError> {
    let cmw = Cmw::decode(cmw)?;
    cmw.check_without_proof()?;
    Ok((cmw, binder))
}

/// Evidence of a batch. It carries the root to which the proof leads from this connection's binder.
fn of_batch(cmw: &[u8], binder: &Bound) -> Result<(Cmw, Bound), ProtocolError> {
    let (cmw, proof) = Cmw::decode_of_batch(cmw)?;
    let root = proof.root_from(NodeHash::of_leaf(binder.as_bytes()));
    Ok((cmw, Bound::of_batch(&root)))
}

/// draft-fossati-seat-expat, §3: `struct { opaque cmw_data<1..2^16-1>; } CMWAttestation;`
fn cmw_data(extension_data: &[u8]) -> Result<&[u8], ProtocolError> {
    let mut reader = Reader::new(extension_data);
    let cmw = reader.vec16()?;
    reader.finish()?;
    if cmw.is_empty() {
        Err(ProtocolError::Malformed)
    } else {
        Ok(cmw)
    }
}
