//! The request to an Attester: the value and the key that Evidence must be about.

use std::fmt;

use rustls::sign::SigningKey;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::bound::Bound;
use crate::cmw::CmwError;
use crate::error::ProtocolError;
use crate::exchange::batch::Batches;
use crate::exchange::certificate;
use crate::expected::ExpectedValue;
use crate::limits::NONCE_LENGTH;
use crate::session::Side;

/// The value and the key that Evidence must be about.
///
/// A [`Challenge`](crate::exchange::Challenge) makes it from the live connection. For the weaker modes an
/// [`OwnedAttestRequest`](crate::exchange::OwnedAttestRequest) makes it from a key, or from a key and a nonce. Those are hashed
/// with a prefix of their own, and the key must be exactly one SubjectPublicKeyInfo. So no caller can have a value of its own
/// choice attested.
#[derive(Clone, Copy)]
pub struct AttestRequest<'a> {
    pub(crate) bound: &'a Bound,
    pub(crate) leaf_key: &'a [u8],
    pub(crate) report_data: Option<&'a [u8; 64]>,
    pub(crate) batches: Batches,
}

impl<'a> AttestRequest<'a> {
    /// The value that the Evidence must carry, whole, in the form that the platform defines.
    pub fn bound(&self) -> &'a Bound {
        self.bound
    }

    /// DER SubjectPublicKeyInfo of the key that authenticates this end, for formats with a claim for it.
    pub fn leaf_key(&self) -> &'a [u8] {
        self.leaf_key
    }

    /// The 64 bytes of report data that the Evidence must carry *instead of* the platform's own form of
    /// [`bound`](Self::bound), for certificates in [`Format::TaggedEvidence`](certificate::Format::TaggedEvidence).
    /// [`Evidence::report_data`](crate::Evidence::report_data) is its counterpart.
    ///
    /// Like `bound` it is a digest of the key with a prefix of its own, and nobody can choose it. An attester without such a
    /// field ignores this method; its Evidence is then not presented.
    pub fn report_data(&self) -> Option<&'a [u8; 64]> {
        self.report_data
    }

    /// The value of a field of 64 bytes of report data. [`Evidence::expected_report_data`](crate::Evidence::expected_report_data)
    /// is its counterpart.
    pub fn expected_report_data(&self) -> ExpectedValue<[u8; 64]> {
        self.bound.report_data(self.report_data)
    }

    /// Whether the peer takes the message of a [`Batch`](crate::exchange::batch::Batch) in answer. Only a
    /// [`Challenge`](crate::exchange::Challenge) makes such requests.
    pub fn batches(&self) -> Batches {
        self.batches
    }

    /// The same request, for Evidence of this connection alone: for an attester that hands it on to another one, and needs to
    /// find [`bound`](Self::bound) in what that one makes.
    #[must_use]
    pub fn alone(mut self) -> Self {
        self.batches = Batches::No;
        self
    }

    /// The same request, for another thread. A device that blocks must not do so where connections are served.
    pub fn to_owned(self) -> OwnedAttestRequest {
        OwnedAttestRequest {
            bound: self.bound.clone(),
            leaf_key: self.leaf_key.to_vec(),
            report_data: self.report_data.copied(),
            batches: self.batches,
        }
    }
}

impl fmt::Debug for AttestRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AttestRequest")
            .field("bound", self.bound)
            .finish_non_exhaustive()
    }
}

/// An [`AttestRequest`] that can be sent to the thread that owns the device.
#[derive(Clone)]
pub struct OwnedAttestRequest {
    bound: Bound,
    leaf_key: Vec<u8>,
    report_data: Option<[u8; 64]>,
    batches: Batches,
}

impl OwnedAttestRequest {
    /// A request about this key, for a certificate that carries its Evidence as a CMW. The Evidence then says nothing about
    /// a connection.
    ///
    /// # Errors
    /// [`ProtocolError::NoIdentity`] for a key that does not give its public half, or gives something else.
    pub fn for_key(key: &dyn SigningKey) -> Result<Self, ProtocolError> {
        let leaf_key = public_key(key)?;
        Ok(Self {
            bound: Bound::of_key(&leaf_key),
            leaf_key,
            report_data: None,
            batches: Batches::No,
        })
    }

    /// A request about this key and the nonce that the peer chose, for a certificate made during a handshake.
    ///
    /// # Errors
    /// The same as [`for_key`](Self::for_key).
    pub fn for_handshake(
        attests: Side,
        nonce: &[u8; NONCE_LENGTH],
        key: &dyn SigningKey,
    ) -> Result<Self, ProtocolError> {
        let leaf_key = public_key(key)?;
        Ok(Self {
            bound: Bound::of_handshake(attests, nonce, &leaf_key),
            leaf_key,
            report_data: None,
            batches: Batches::No,
        })
    }

    /// The borrowed form, which an attester takes.
    pub fn as_request(&self) -> AttestRequest<'_> {
        AttestRequest {
            bound: &self.bound,
            leaf_key: &self.leaf_key,
            report_data: self.report_data.as_ref(),
            batches: self.batches,
        }
    }

    /// A request about the root of a batch. It is not batched again.
    pub(crate) fn for_root(root: Bound, leaf_key: Vec<u8>) -> Self {
        Self {
            bound: root,
            leaf_key,
            report_data: None,
            batches: Batches::No,
        }
    }

    /// The same request, whose report data names the key by a claims buffer.
    pub(crate) fn for_claims(mut self) -> Result<Self, CmwError> {
        let (_, report_data) = certificate::claims_for_key(&self.leaf_key)?;
        self.report_data = Some(report_data);
        Ok(self)
    }
}

/// The DER SubjectPublicKeyInfo of the key. Bytes after it are refused: a key object that appends the exported value of some
/// connection would otherwise have that connection's binder attested.
fn public_key(key: &dyn SigningKey) -> Result<Vec<u8>, ProtocolError> {
    let spki = key.public_key().ok_or(ProtocolError::NoIdentity)?;
    match SubjectPublicKeyInfo::from_der(&spki) {
        Ok(([], _)) => Ok(spki.as_ref().to_vec()),
        _ => Err(ProtocolError::NoIdentity),
    }
}

impl fmt::Debug for OwnedAttestRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedAttestRequest")
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}
