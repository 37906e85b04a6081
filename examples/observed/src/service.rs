//! A verification service that is away now and then, and a verifier that asks it.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_remote::RemoteVerifier;
use atls_remote::Resilient;
use atls_trustee::SampleEvidence;
use atls_trustee::TrusteeService;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware;
use axum::middleware::Next;
use axum::response::IntoResponse;
use rustls::time_provider::DefaultTimeProvider;
use rustls::time_provider::TimeProvider;
use stand_in::Loopback;
use stand_in::Signer;

/// A stand-in for Trustee, on loopback.
pub(crate) struct Service {
    loopback: Loopback,
    signer: Arc<Signer>,
    away: Arc<AtomicBool>,
}

impl Service {
    pub(crate) async fn start() -> Self {
        let signer = Arc::new(Signer::es256());
        let away = Arc::new(AtomicBool::new(false));
        let is_away = away.clone();
        let answer = move |request: Request, next: Next| {
            let away = is_away.load(Ordering::Relaxed);
            async move {
                match away {
                    true => StatusCode::SERVICE_UNAVAILABLE.into_response(),
                    false => next.run(request).await,
                }
            }
        };
        let app = stand_in::trustee(signer.clone(), now).layer(middleware::from_fn(answer));
        Self {
            loopback: Loopback::serve(app).await,
            signer,
            away,
        }
    }

    pub(crate) fn is_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    /// Accepts whom the service affirms.
    pub(crate) fn relying_party(&self) -> Result<Arc<RelyingParty>, Box<dyn Error>> {
        let client = Resilient::builder("trustee", Loopback::client()).circuit(2, PAUSE);
        let service = TrusteeService::new(&self.loopback.endpoint(), Arc::new(client.build()))?;
        let keys = Arc::new(self.signer.keys());
        let verifier = RemoteVerifier::builder(service, keys, &demo::provider())
            .format(SampleEvidence::new())
            .build()?;
        let party = RelyingParty::builder()
            .verifier(Arc::new(verifier))
            // Leave this out with real hardware: it is what accepts a simulator.
            .standard_policy(StandardPolicy::new().dangerous_accept_simulated());
        Ok(Arc::new(party.build()?))
    }
}

/// Seconds since the epoch.
fn now() -> u64 {
    let now = DefaultTimeProvider.current_time();
    now.map_or(0, |now| now.as_secs())
}

/// For which the service is left alone.
const PAUSE: Duration = Duration::from_secs(2);
