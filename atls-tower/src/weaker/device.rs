//! A client that attests in the handshake, over a nonce of the server.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use atls_core::LocalAttester;
use atls_core::OwnedAttestRequest;
use atls_core::Side;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;

use super::CertificateProfile;
use super::nonce;
use super::with_evidence;
use crate::error::Error;
use crate::identity;

/// The certificate resolver of a client that attests to servers in [`Mode::InHandshake`](super::Mode::InHandshake).
///
/// rustls asks for the certificate in the middle of the handshake and cannot wait: the device is asked on the thread that
/// drives it, which is blocked for as long as that takes. Use a runtime of several threads, and the default mode where the
/// server speaks it.
///
/// A server that did not choose a nonce gets no certificate.
pub struct InHandshake {
    device: Mutex<Box<dyn LocalAttester>>,
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn TimeProvider>,
}

impl InHandshake {
    /// A device, the provider that makes keys, and the clock for certificates.
    pub fn new(
        device: Box<dyn LocalAttester>,
        provider: Arc<CryptoProvider>,
        clock: Arc<dyn TimeProvider>,
    ) -> Self {
        Self {
            device: Mutex::new(device),
            provider,
            clock,
        }
    }

    fn make(&self, nonce: &[u8; 32]) -> Result<Arc<CertifiedKey>, Error> {
        let now = self
            .clock
            .current_time()
            .ok_or(atls_core::ConfigError::Identity)?;
        let key = identity::fresh_key(&self.provider)?;
        let request = OwnedAttestRequest::for_handshake(Side::Client, nonce, &*key)?;
        let mut device = self.device.lock().unwrap_or_else(PoisonError::into_inner);
        let request = request.as_request();
        let cmw = device.attest(request)?;
        let profile = CertificateProfile::new(LIFETIME);
        with_evidence(&self.provider, &key, &profile, (request, &cmw), now)
    }
}

impl ResolvesClientCert for InHandshake {
    fn resolve(&self, hints: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let nonce = nonce::in_hints(hints)?;
        match self.make(&nonce) {
            Ok(key) => Some(key),
            Err(error) => {
                tracing::error!(fault = "local", %error, "no evidence for this handshake");
                None
            }
        }
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for InHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InHandshake(..)")
    }
}

/// A certificate for one handshake needs to live no longer.
const LIFETIME: Duration = Duration::from_secs(3600);
