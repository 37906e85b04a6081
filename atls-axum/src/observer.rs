//! Connections that were not accepted, as the application hears of them.

use std::fmt;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;

use atls_tower::Error;

/// The function that is called for each connection that was not accepted.
#[derive(Clone)]
pub(crate) struct Observer(Arc<dyn Observe>);

trait Observe: Send + Sync {
    fn refused(&self, error: &Error, client: SocketAddr);
}

impl<F> Observe for F
where
    F: Fn(&Error, SocketAddr) + Send + Sync,
{
    fn refused(&self, error: &Error, client: SocketAddr) {
        self(error, client);
    }
}

impl Observer {
    pub(crate) fn new(observer: impl Fn(&Error, SocketAddr) + Send + Sync + 'static) -> Self {
        Self(Arc::new(observer))
    }

    pub(crate) fn refused(&self, error: &Error, client: SocketAddr) {
        // Its panic would cost the client its answer, and nobody would hear of it.
        let called = catch_unwind(AssertUnwindSafe(|| self.0.refused(error, client)));
        if called.is_err() {
            tracing::error!(
                fault = "local",
                "the observer of refused connections panicked"
            );
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer(..)")
    }
}
