//! The Attester (RFC 9334 §4.1): makes Evidence.

use std::fmt;

use rustls::sign::SigningKey;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::BoxFuture;
use crate::bound::Bound;
use crate::certificate;
use crate::cmw::Cmw;
use crate::cmw::CmwError;
use crate::error::AttestError;
use crate::error::ProtocolError;
use crate::expected::ExpectedValue;
use crate::limits::NONCE_LENGTH;
use crate::media_type::MediaType;
use crate::session::Side;

/// Makes Evidence, or obtains Attestation Results, for one connection.
///
/// Dyn-compatible and free of any runtime; a device that blocks belongs on a thread of its own.
///
/// An implementation must let its Evidence carry [`AttestRequest::bound`] and nothing that a peer chose. A TEE that
/// signs caller-chosen values under the same attestation key, for whatever purpose, makes every relay possible again.
pub trait Attester: Send + Sync {
    /// The media types that [`attest`](Self::attest) may make. A peer that appraises none of them is declined
    /// before the device is asked.
    fn media_types(&self) -> &[MediaType];

    /// Makes the message for this connection: one record, or a collection for several devices.
    ///
    /// # Errors
    /// [`AttestError`]; the peer then gets an empty authenticator and no reason.
    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>>;
}

/// An Attester that blocks: a device driver, without any runtime.
///
/// What needs a thread of its own lifts it into an [`Attester`]; over tokio that is `atls_tower::Blocking`.
///
/// ```
/// use atls_core::{AttestError, AttestRequest, LocalAttester, MediaType, cmw::Cmw, first_available};
///
/// struct Device([MediaType; 1]);
///
/// impl LocalAttester for Device {
///     fn media_types(&self) -> &[MediaType] {
///         &self.0
///     }
///
///     fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
///         let evidence = request.bound().as_bytes().to_vec(); // A device would sign this.
///         Ok(Cmw::evidence(self.0[0].clone(), evidence))
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let here: Box<dyn LocalAttester> = Box::new(Device(["application/vnd.example.evidence".parse()?]));
/// let device = first_available([None, Some(here)]).ok_or("no platform here")?;
/// assert_eq!(device.media_types().len(), 1);
/// # Ok(())
/// # }
/// ```
pub trait LocalAttester: Send {
    /// As [`Attester::media_types`].
    fn media_types(&self) -> &[MediaType];

    /// As [`Attester::attest`], for as long as the device takes. Never called twice at once.
    ///
    /// # Errors
    /// [`AttestError`]
    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError>;
}

impl<T: LocalAttester + ?Sized> LocalAttester for Box<T> {
    fn media_types(&self) -> &[MediaType] {
        (**self).media_types()
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        (**self).attest(request)
    }
}

/// The first platform that is this machine, in the order of the application's own list.
///
/// Each platform's `open` looks at files only, never at the network, and gives `None` where its device is absent. A
/// simulated platform is never the answer unless the application put it into the list by name.
pub fn first_available<const N: usize>(
    candidates: [Option<Box<dyn LocalAttester>>; N],
) -> Option<Box<dyn LocalAttester>> {
    candidates.into_iter().flatten().next()
}

/// What Evidence has to be about.
///
/// Made by [`Challenge`](crate::Challenge) from the live connection, or for a weaker mode by [`OwnedAttestRequest`] from a key
/// and a nonce, hashed under a name of their own, or from a key alone, which must be one SubjectPublicKeyInfo and nothing more:
/// no caller can have a value of its own attested.
#[derive(Clone, Copy)]
pub struct AttestRequest<'a> {
    pub(crate) bound: &'a Bound,
    pub(crate) leaf_key: &'a [u8],
    pub(crate) report_data: Option<&'a [u8; 64]>,
}

impl<'a> AttestRequest<'a> {
    /// The value that the Evidence must carry, whole, in the way that the platform defines.
    pub fn bound(&self) -> &'a Bound {
        self.bound
    }

    /// DER SubjectPublicKeyInfo of the key that authenticates this end, for formats with a claim for it.
    pub fn leaf_key(&self) -> &'a [u8] {
        self.leaf_key
    }

    /// The 64 octets of report data that the Evidence must have *instead of* what the platform makes of
    /// [`bound`](Self::bound): the counterpart of [`Evidence::report_data`](crate::Evidence::report_data), for certificates
    /// in [`Format::TaggedEvidence`](certificate::Format::TaggedEvidence).
    ///
    /// Like `bound` it is a digest of the key under a name of its own, never a value that somebody chose. An attester
    /// without such a field need not ask: what it makes is then not presented.
    pub fn report_data(&self) -> Option<&'a [u8; 64]> {
        self.report_data
    }

    /// For platforms with 64 bytes of report data: what they must be. The counterpart of
    /// [`Evidence::expected_report_data`](crate::Evidence::expected_report_data).
    pub fn expected_report_data(&self) -> ExpectedValue<[u8; 64]> {
        self.bound.report_data(self.report_data)
    }

    /// The same for another thread: a device that blocks must not do so where connections are served.
    pub fn to_owned(self) -> OwnedAttestRequest {
        OwnedAttestRequest {
            bound: self.bound.clone(),
            leaf_key: self.leaf_key.to_vec(),
            report_data: self.report_data.copied(),
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
}

impl OwnedAttestRequest {
    /// For a certificate that carries its Evidence as a CMW: about this key, whoever's connection it is then used on.
    ///
    /// # Errors
    /// [`ProtocolError::NoIdentity`] for a key that does not give its public half, or gives something else.
    pub fn for_key(key: &dyn SigningKey) -> Result<Self, ProtocolError> {
        let leaf_key = public_key(key)?;
        Ok(Self {
            bound: Bound::of_key(&leaf_key),
            leaf_key,
            report_data: None,
        })
    }

    /// For a certificate made during a handshake: about this key and what the peer chose as nonce.
    ///
    /// # Errors
    /// As [`for_key`](Self::for_key).
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
        })
    }

    /// The request that it was made from.
    pub fn as_request(&self) -> AttestRequest<'_> {
        AttestRequest {
            bound: &self.bound,
            leaf_key: &self.leaf_key,
            report_data: self.report_data.as_ref(),
        }
    }

    /// The same key, named by a claims buffer.
    pub(crate) fn for_claims(mut self) -> Result<Self, CmwError> {
        let (_, report_data) = certificate::claims_for_key(&self.leaf_key)?;
        self.report_data = Some(report_data);
        Ok(self)
    }
}

/// DER SubjectPublicKeyInfo, and nothing after it: a key object that appends the exported value of some connection would
/// otherwise have that connection's binder attested.
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
