//! The Attester (RFC 9334 §4.1): makes Evidence.
//!
//! [`Attester::attest`] takes the value of one connection and gives a CMW that carries it. Where it fails, the peer gets an empty
//! authenticator and no reason; the [`AttestError`] stays on this side.

use std::sync::Arc;

use crate::attest_request::AttestRequest;
use crate::box_future::BoxFuture;
use crate::cmw::Cmw;
use crate::error::AttestError;
use crate::media_type::MediaType;

/// Makes Evidence, or obtains Attestation Results, for one connection.
///
/// The trait works as `dyn Attester` and needs no runtime. A device that blocks implements [`LocalAttester`] instead.
///
/// The Evidence must carry [`AttestRequest::bound`], and no value that a peer chose. A TEE that signs caller-chosen values
/// under the same attestation key, for whatever purpose, makes every relay possible again.
pub trait Attester: Send + Sync {
    /// The media types that [`attest`](Self::attest) may make. A peer that appraises none of them is declined, and the device
    /// is not asked.
    fn media_types(&self) -> &[MediaType];

    /// Tells whether the Evidence names the leaf key in a claim of its own, so that it is about connections of one key only. An
    /// attester that makes none of [`AttestRequest::leaf_key`] may say no, and a
    /// [`Batch`](crate::exchange::batch::Batch) may then have connections of several keys.
    fn names_leaf_key(&self) -> bool {
        true
    }

    /// Makes the message for this connection: one record, or a collection for several devices.
    ///
    /// # Errors
    /// [`AttestError`], of which the peer learns nothing: it gets an empty authenticator.
    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>>;
}

impl<T: Attester + ?Sized> Attester for Arc<T> {
    fn media_types(&self) -> &[MediaType] {
        (**self).media_types()
    }

    fn names_leaf_key(&self) -> bool {
        (**self).names_leaf_key()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        (**self).attest(request)
    }
}

/// An Attester that blocks, such as the driver of a device.
///
/// `atls_tower::Blocking` gives it a thread of its own and makes an [`Attester`] of it.
///
/// ```
/// use atls_core::{AttestError, AttestRequest, LocalAttester, MediaType, cmw::Cmw, combine::first_available};
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
    /// The same as [`Attester::media_types`].
    fn media_types(&self) -> &[MediaType];

    /// The same as [`Attester::names_leaf_key`].
    fn names_leaf_key(&self) -> bool {
        true
    }

    /// The same as [`Attester::attest`]. It blocks for as long as the device takes, and is never called twice at once.
    ///
    /// # Errors
    /// [`AttestError`] where the device makes no Evidence.
    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError>;
}

impl<T: LocalAttester + ?Sized> LocalAttester for Box<T> {
    fn media_types(&self) -> &[MediaType] {
        (**self).media_types()
    }

    fn names_leaf_key(&self) -> bool {
        (**self).names_leaf_key()
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        (**self).attest(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says nothing of the leaf key.
    struct Plain([MediaType; 1]);

    /// Says that its Evidence does not name the leaf key.
    struct Keyless([MediaType; 1]);

    #[test]
    fn evidence_names_the_leaf_key_unless_the_attester_says_that_it_does_not() {
        assert!(Attester::names_leaf_key(&Plain(media_types())));
        assert!(LocalAttester::names_leaf_key(&Plain(media_types())));
    }

    /// A batch of several keys goes by it.
    #[test]
    fn a_pointer_to_an_attester_says_what_the_attester_says() {
        let shared: [Arc<dyn Attester>; 2] = [
            Arc::new(Plain(media_types())),
            Arc::new(Keyless(media_types())),
        ];
        let boxed: [Box<dyn LocalAttester>; 2] = [
            Box::new(Plain(media_types())),
            Box::new(Keyless(media_types())),
        ];
        assert_eq!(
            shared.each_ref().map(Attester::names_leaf_key),
            [true, false]
        );
        assert_eq!(
            boxed.each_ref().map(LocalAttester::names_leaf_key),
            [true, false]
        );
        for attester in &shared {
            assert_eq!(Attester::media_types(attester), media_types());
        }
        for attester in &boxed {
            assert_eq!(LocalAttester::media_types(attester), media_types());
        }
    }

    impl Attester for Plain {
        fn media_types(&self) -> &[MediaType] {
            &self.0
        }

        fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
            Box::pin(std::future::ready(Err(AttestError::Busy)))
        }
    }

    impl LocalAttester for Plain {
        fn media_types(&self) -> &[MediaType] {
            &self.0
        }

        fn attest(&mut self, _: AttestRequest<'_>) -> Result<Cmw, AttestError> {
            Err(AttestError::Busy)
        }
    }

    impl Attester for Keyless {
        fn media_types(&self) -> &[MediaType] {
            &self.0
        }

        fn names_leaf_key(&self) -> bool {
            false
        }

        fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
            Box::pin(std::future::ready(Err(AttestError::Busy)))
        }
    }

    impl LocalAttester for Keyless {
        fn media_types(&self) -> &[MediaType] {
            &self.0
        }

        fn names_leaf_key(&self) -> bool {
            false
        }

        fn attest(&mut self, _: AttestRequest<'_>) -> Result<Cmw, AttestError> {
            Err(AttestError::Busy)
        }
    }

    fn media_types() -> [MediaType; 1] {
        ["test/evidence".parse().unwrap()]
    }
}
