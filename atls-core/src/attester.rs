//! The Attester (RFC 9334 §4.1): makes Evidence.

use crate::attest_request::AttestRequest;
use crate::box_future::BoxFuture;
use crate::cmw::Cmw;
use crate::error::AttestError;
use crate::media_type::MediaType;

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
