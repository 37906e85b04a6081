//! A client that attests in the handshake, over a nonce of the server.

use std::fmt;
use std::io;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::Weak;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::SyncSender;
use std::thread;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::LocalAttester;
use atls_core::cmw::Cmw;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::session::Side;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;

use super::certificate_profile::CertificateProfile;
use super::evidence_certificate::with_evidence;
use super::nonce_name::nonce_in;
use crate::device_queue::Asking;
use crate::device_queue::Job;
use crate::device_queue::Serving;
use crate::device_queue::device_queue;
use crate::device_queue::stopped;
use crate::error::Error;
use crate::identity;
use crate::metrics::Timed;
use crate::stage::Stage;

/// The certificate resolver of a client that attests to servers in [`Mode::InHandshake`](super::Mode::InHandshake).
///
/// rustls asks for the certificate in the middle of the handshake and cannot wait: the thread that drives it is blocked for as
/// long as the device takes, up to the [`deadline`](Self::with_deadline), and no deadline of the connection is kept
/// meanwhile. Use a runtime of several threads, and the default mode where the server speaks it. The device itself lives on
/// a thread of its own; while it hangs, and beyond a short queue, handshakes go without certificate at once.
///
/// A server that did not choose a nonce gets no certificate.
pub struct InHandshake {
    queue: Asking<Request>,
    deadline: Duration,
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn TimeProvider>,
}

struct Request {
    request: OwnedAttestRequest,
    reply: SyncSender<Result<Cmw, AttestError>>,
    /// Dangles once the caller has given up.
    asked: Weak<()>,
}

impl Job for Request {
    fn is_gone(&self) -> bool {
        self.asked.strong_count() == 0
    }
}

impl InHandshake {
    /// A device, the provider that makes keys, and the clock for certificates.
    ///
    /// # Errors
    /// Where the system gives no thread for the device.
    pub fn new(
        device: Box<dyn LocalAttester>,
        provider: Arc<CryptoProvider>,
        clock: Arc<dyn TimeProvider>,
    ) -> io::Result<Self> {
        let (queue, requests) = device_queue(QUEUE);
        thread::Builder::new()
            .name("atls-attester".to_owned())
            .spawn(move || serve(device, &requests))?;
        Ok(Self {
            queue,
            deadline: DEFAULT_DEADLINE,
            provider,
            clock,
        })
    }

    /// How long one handshake waits for queue and device together, blocking its thread; 2 s unless set.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    fn make(&self, nonce: &[u8; 32]) -> Result<Arc<CertifiedKey>, Error> {
        let now = self
            .clock
            .current_time()
            .ok_or(atls_core::ConfigError::Identity)?;
        let key = identity::fresh_key(&self.provider)?;
        let request = OwnedAttestRequest::for_handshake(Side::Client, nonce, &*key)?;
        let cmw = self.ask(request.clone())?;
        let profile = CertificateProfile::new(LIFETIME);
        let evidence = (request.as_request(), &cmw);
        with_evidence(&self.provider, &key, &profile, evidence, now)
    }

    fn ask(&self, request: OwnedAttestRequest) -> Result<Cmw, AttestError> {
        let _timed = Timed::begin(Stage::Attestation);
        let (reply, answer) = mpsc::sync_channel(1);
        let waiting = Arc::new(());
        let asked = Arc::downgrade(&waiting);
        self.queue.ask(Request {
            request,
            reply,
            asked,
        })?;
        answer
            .recv_timeout(self.deadline)
            .unwrap_or_else(|error| match error {
                RecvTimeoutError::Timeout => Err(AttestError::TimedOut),
                RecvTimeoutError::Disconnected => Err(stopped()),
            })
    }
}

fn serve(mut device: Box<dyn LocalAttester>, requests: &Serving<Request>) {
    while let Some(job) = requests.next() {
        // A driver keeps no state between calls that half a call could break: its device answers or fails.
        let made = catch_unwind(AssertUnwindSafe(|| device.attest(job.request.as_request())));
        let panicked = |_| Err(AttestError::Device("its driver panicked".to_owned()));
        // The caller may have given up meanwhile.
        let _ = job.reply.send(made.unwrap_or_else(panicked));
    }
}

impl ResolvesClientCert for InHandshake {
    fn resolve(&self, hints: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let nonce = nonce_in(hints)?;
        match self.make(&nonce) {
            Ok(key) => Some(key),
            Err(error) => {
                let error = error.report();
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

/// Handshakes that wait for the device beside the one that it works for; each blocks a thread.
const QUEUE: usize = 3;
const DEFAULT_DEADLINE: Duration = Duration::from_secs(2);

/// A certificate for one handshake needs to live no longer.
const LIFETIME: Duration = Duration::from_secs(3600);
