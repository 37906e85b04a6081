//! The device of a reverse proxy, and whether it makes Evidence.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::limits::DEFAULT_DEADLINE;
use atls_core::limits::NONCE_LENGTH;
use atls_core::session::Side;
use rustls::sign::SigningKey;
use tokio::sync::Mutex;

use crate::failure::Failure;
use crate::tls;

/// An attester whose last outcome is known.
pub(super) struct Device {
    inner: Arc<dyn Attester>,
    failed: AtomicBool,
    /// Held by the one check that is under way, also if that is dropped or panics.
    checking: Mutex<()>,
    /// For Evidence that nobody gets. It is about a nonce that no client chose: Evidence about the key alone would be good for ever
    /// where clients accept the weakest mode, and whoever makes it on behalf of this machine, such as its host, sees it.
    request: OwnedAttestRequest,
}

impl Device {
    /// A device that is to attest this key.
    ///
    /// # Errors
    /// A local fault where the key has no public one.
    pub(super) fn new(
        inner: Arc<dyn Attester>,
        key: &dyn SigningKey,
    ) -> Result<Arc<Self>, Failure> {
        let mut nonce = [0; NONCE_LENGTH];
        tls::provider()
            .secure_random
            .fill(&mut nonce)
            .map_err(|_| Failure::fault("the system gives no randomness"))?;
        let request = OwnedAttestRequest::for_handshake(Side::Server, &nonce, key)
            .map_err(|error| Failure::fault("the key cannot be attested").because(&error))?;
        Ok(Arc::new(Self {
            inner,
            failed: AtomicBool::new(false),
            checking: Mutex::new(()),
            request,
        }))
    }

    /// Has it make Evidence that nobody gets.
    ///
    /// # Errors
    /// A local fault where it makes none.
    pub(super) async fn check(&self) -> Result<(), Failure> {
        let Ok(_checking) = self.checking.try_lock() else {
            return Ok(());
        };
        let made = tokio::time::timeout(DEFAULT_DEADLINE, self.attest(self.request.as_request()));
        let made = made.await.unwrap_or(Err(AttestError::TimedOut));
        self.note(&made);
        made.map(drop)
            .map_err(|error| Failure::fault("the device makes no Evidence").because(&error))
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    fn note(&self, made: &Result<Cmw, AttestError>) {
        // One that is busy makes Evidence.
        let failed = made.as_ref().is_err_and(|it| *it != AttestError::Busy);
        self.failed.store(failed, Ordering::Relaxed);
    }
}

impl Attester for Device {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn names_leaf_key(&self) -> bool {
        self.inner.names_leaf_key()
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let made = self.inner.attest(request).await;
            self.note(&made);
            made
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::sync::Mutex;

    use atls_core::pki_types::PrivateKeyDer;

    use super::*;

    /// Fails as long as it is told to.
    struct Failing(Mutex<Option<AttestError>>);

    impl Attester for Failing {
        fn media_types(&self) -> &[MediaType] {
            &[]
        }

        fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
            let made = match self.0.lock().unwrap().clone() {
                Some(error) => Err(error),
                None => Ok(Cmw::evidence(MediaType::parse("a/b").unwrap(), vec![1])),
            };
            Box::pin(async { made })
        }
    }

    /// Notes the values that it is to attest.
    #[derive(Default)]
    struct Noting(Mutex<Vec<Vec<u8>>>);

    impl Attester for Noting {
        fn media_types(&self) -> &[MediaType] {
            &[]
        }

        fn attest<'a>(&'a self, of: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
            self.0.lock().unwrap().push(of.bound().as_bytes().to_vec());
            Box::pin(async { Err(AttestError::Busy) })
        }
    }

    #[tokio::test]
    async fn no_check_makes_evidence_about_the_key_alone() {
        let inner = Arc::new(Noting::default());
        let key = key();
        for _ in 0..2 {
            let device = Device::new(inner.clone(), &*key).unwrap();
            device.check().await.unwrap_err();
        }
        let about_key = OwnedAttestRequest::for_key(&*key).unwrap();
        let about_key = about_key.as_request().bound().as_bytes().to_vec();
        let noted = inner.0.lock().unwrap();
        assert!(!noted.contains(&about_key));
        assert_ne!(noted[0], noted[1]);
    }

    #[tokio::test]
    async fn it_has_failed_until_it_makes_evidence_again() {
        let inner = Arc::new(Failing(Mutex::new(None)));
        let device = Device::new(inner.clone(), &*key()).unwrap();
        for (outcome, failed) in [
            (None, false),
            (Some(AttestError::Device("gone".to_owned())), true),
            (Some(AttestError::Busy), false),
            (Some(AttestError::TimedOut), true),
            (None, false),
        ] {
            *inner.0.lock().unwrap() = outcome.clone();
            let checked = device.check().await;
            assert_eq!(device.has_failed(), failed, "{outcome:?}");
            assert_eq!(checked.is_err(), outcome.is_some(), "{outcome:?}");
        }
    }

    /// Never answers.
    struct Hanging;

    impl Attester for Hanging {
        fn media_types(&self) -> &[MediaType] {
            &[]
        }

        fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
            Box::pin(pending())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_was_given_up_stands_for_no_later_one() {
        let device = Device::new(Arc::new(Hanging), &*key()).unwrap();
        let given_up = tokio::time::timeout(DEFAULT_DEADLINE / 2, device.check());
        given_up.await.unwrap_err();
        device.check().await.unwrap_err();
        assert!(device.has_failed());
    }

    fn key() -> Arc<dyn SigningKey> {
        let key = rcgen::KeyPair::generate().unwrap().serialize_der();
        let key = PrivateKeyDer::try_from(key).unwrap();
        tls::provider().key_provider.load_private_key(key).unwrap()
    }
}
