//! The certificate of RA-TLS: it has Evidence about its key, and is renewed in the background.

use std::fmt;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::Weak;
use std::time::Duration;

use atls_core::AttestError;
use atls_core::Attester;
use atls_core::ConfigError;
use atls_core::limits::CLOCK_LOOK;
use atls_core::pki_types::UnixTime;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use tokio::time::Instant;

use super::certificate_profile::CertificateProfile;
use super::evidence_certificate::SKEW;
use super::evidence_certificate::with_evidence;
use crate::error::Error;
use crate::metrics::Timed;
use crate::stage::Stage;

/// The identity of a server or client that attests in its certificate: give it to rustls as its certificate resolver.
///
/// Each renewal makes a new key and new Evidence about it. It begins half-way through a certificate's lifetime. A renewal that
/// fails, panics, or takes longer than an eighth of the lifetime is tried again after an eighth, and the old certificate
/// serves to its end. Afterwards there is none, and connections fail: no connection goes unattested. A clock that was set to
/// another time, or ran on while the machine slept, is noticed within a minute.
pub struct InCertificate {
    current: RwLock<Current>,
    maker: Arc<Maker>,
}

struct Current {
    key: Arc<CertifiedKey>,
    made_at: UnixTime,
    expires_at: u64,
}

struct Maker {
    attester: Arc<dyn Attester>,
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn TimeProvider>,
    profile: CertificateProfile,
}

impl InCertificate {
    /// Makes the first certificate, and spawns the task that renews it for as long as this value lives.
    ///
    /// The lifetime of the profile is at least [`SHORTEST`](Self::SHORTEST).
    ///
    /// # Errors
    /// [`Error`]: local, for a shorter lifetime, where the device or the provider fails, or where the device's Evidence does
    /// not fit into the profile's format.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn new(
        attester: Arc<dyn Attester>,
        tls: (Arc<CryptoProvider>, Arc<dyn TimeProvider>),
        profile: CertificateProfile,
    ) -> Result<Arc<Self>, Error> {
        let lifetime = profile.lifetime;
        if lifetime < Self::SHORTEST {
            return Err(ConfigError::Tls("a certificate must live for a minute at least").into());
        }
        let (provider, clock) = tls;
        let maker = Arc::new(Maker {
            attester,
            provider,
            clock,
            profile,
        });
        let current = maker.make().await?;
        let made_at = current.made_at;
        let this = Arc::new(Self {
            current: RwLock::new(current),
            maker,
        });
        tokio::spawn(renew(Arc::downgrade(&this), this.maker.clone(), made_at));
        Ok(this)
    }

    /// The shortest lifetime of a certificate. Each renewal costs the device one piece of Evidence.
    pub const SHORTEST: Duration = Duration::from_secs(60);

    fn current(&self) -> Option<Arc<CertifiedKey>> {
        let now = self.maker.clock.current_time()?.as_secs();
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        (now < current.expires_at).then(|| current.key.clone())
    }
}

impl Maker {
    async fn make(&self) -> Result<Current, Error> {
        let now = now(&*self.clock)?;
        let profile = &self.profile;
        let key = profile.fresh_key(&self.provider)?;
        let request = profile.format.to_attest(&*key)?;
        let request = request.as_request();
        let timed = Timed::begin(Stage::Attestation);
        let cmw = self.attester.attest(request).await?;
        drop(timed);
        Ok(Current {
            key: with_evidence(&self.provider, &key, profile, (request, &cmw), now)?,
            made_at: now,
            expires_at: now.as_secs().saturating_add(profile.lifetime.as_secs()),
        })
    }
}

async fn renew(identity: Weak<InCertificate>, maker: Arc<Maker>, made_at: UnixTime) {
    let lifetime = maker.profile.lifetime;
    let half_way = lifetime.checked_div(2).unwrap_or(lifetime);
    let again = lifetime.checked_div(8).unwrap_or(lifetime);
    let mut pause = half_way;
    let mut since = Some(made_at);
    loop {
        pass(pause, since, &*maker.clock, &identity).await;
        if identity.strong_count() == 0 {
            return;
        }
        let fresh = renewed(maker.clone(), again).await;
        let Some(identity) = identity.upgrade() else {
            return;
        };
        match fresh {
            Ok(fresh) => {
                pause = half_way;
                since = Some(fresh.made_at);
                *identity
                    .current
                    .write()
                    .unwrap_or_else(PoisonError::into_inner) = fresh;
            }
            Err(error) => {
                pause = again;
                since = maker.clock.current_time();
                let error = error.report();
                tracing::error!(fault = "local", %error, "certificate with evidence was not renewed");
            }
        }
    }
}

/// Waits until this time has passed by the timer, or since then by the clock, and no longer than anybody has the certificate. Timers
/// stand still while the machine sleeps; a clock that was set back makes the certificate one that is not valid yet.
async fn pass(
    pause: Duration,
    since: Option<UnixTime>,
    clock: &dyn TimeProvider,
    identity: &Weak<InCertificate>,
) {
    let begun = Instant::now();
    let is_before = |now: UnixTime| {
        let since = since.map(|since| since.as_secs());
        since.is_none_or(|since| {
            let first = since.saturating_sub(SKEW.as_secs());
            (first..since.saturating_add(pause.as_secs())).contains(&now.as_secs())
        })
    };
    while identity.strong_count() > 0 && clock.current_time().is_none_or(is_before) {
        let left = pause.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(CLOCK_LOOK)).await;
    }
}

/// Makes a certificate in a task of its own, so that an attester that panics ends no other work.
async fn renewed(maker: Arc<Maker>, within: Duration) -> Result<Current, Error> {
    let making = tokio::spawn(async move { maker.make().await });
    let aborted = making.abort_handle();
    match tokio::time::timeout(within, making).await {
        Ok(Ok(made)) => made,
        Ok(Err(_)) => Err(AttestError::Device("its driver panicked".to_owned()).into()),
        Err(_) => {
            aborted.abort();
            Err(AttestError::TimedOut.into())
        }
    }
}

fn now(clock: &dyn TimeProvider) -> Result<UnixTime, Error> {
    clock
        .current_time()
        .ok_or_else(|| ConfigError::Identity.into())
}

impl ResolvesServerCert for InCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.current()
    }
}

impl ResolvesClientCert for InCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.current()
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl fmt::Debug for InCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InCertificate")
            .field("profile", &self.maker.profile)
            .finish_non_exhaustive()
    }
}
