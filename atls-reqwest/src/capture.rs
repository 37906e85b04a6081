//! The facts that rustls' callbacks show of a connection that reqwest keeps to itself.
//!
//! The certificate verifier sees the server's chain, the key log the exporter secret, the client-certificate resolver
//! the key that this client used. They find the connection that they are about in a task-local slot, which is in scope
//! exactly while reqwest's own connector runs. Outside of that scope the verifier fails: TLS that does not pass our
//! layer (HTTP/3, a configuration copied to another client) cannot be set up at all.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use rustls::DigitallySignedStruct;
use rustls::DistinguishedName;
use rustls::KeyLog;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::client::danger::ServerCertVerified;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::UnixTime;
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

tokio::task_local! {
    static SLOT: Arc<Slot>;
}

/// Runs a connect with a slot for what it shows, and gives the last handshake that completed in it.
pub(crate) async fn observe<F: Future>(connecting: F) -> (F::Output, Option<Observed>) {
    let slot = Arc::new(Slot::default());
    let output = SLOT.scope(slot.clone(), connecting).await;
    let observed = slot.lock().take();
    (output, observed)
}

/// One handshake, complete and full: its chain was verified, its exporter secret is there.
pub(crate) struct Observed {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// The name that the chain was verified for.
    pub(crate) server: ServerName<'static>,
    pub(crate) exporter_secret: Zeroizing<Vec<u8>>,
    pub(crate) client_random: Option<[u8; 32]>,
    /// The key of the certificate that this client sent, if it sent one.
    pub(crate) identity: Option<Arc<CertifiedKey>>,
}

#[derive(Default)]
struct Slot {
    seen: Mutex<Seen>,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// In the order of the handshake: the key log speaks last, so a secret ends it.
#[derive(Default)]
struct Seen {
    identity: Option<Arc<CertifiedKey>>,
    chain: Vec<CertificateDer<'static>>,
    server: Option<ServerName<'static>>,
    exporter_secret: Option<Zeroizing<Vec<u8>>>,
    client_random: Option<[u8; 32]>,
}

impl Seen {
    /// A handshake inside an earlier one, as with an `https` proxy: the last is the one that HTTP will use.
    fn begin(&mut self) -> &mut Self {
        if self.exporter_secret.is_some() {
            *self = Self::default();
        }
        self
    }

    fn take(&mut self) -> Option<Observed> {
        let seen = std::mem::take(self);
        let exporter_secret = seen.exporter_secret?;
        if seen.chain.is_empty() {
            return None;
        }
        Some(Observed {
            chain: seen.chain,
            server: seen.server?,
            exporter_secret,
            client_random: seen.client_random,
            identity: seen.identity,
        })
    }
}

/// The key log: keeps the exporter secret of a TLS 1.3 connection, and nothing else.
#[derive(Debug)]
pub(crate) struct Exporter;

impl KeyLog for Exporter {
    fn will_log(&self, label: &str) -> bool {
        label == LABEL
    }

    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        // TLS 1.2 does not ask `will_log`, and its master secret is as long as an exporter secret of SHA-384.
        if label != LABEL {
            return;
        }
        // Outside of the scope there is nobody to attest, and the verifier has already failed.
        let _ = SLOT.try_with(|slot| {
            let mut seen = slot.lock();
            seen.exporter_secret = Some(Zeroizing::new(secret.to_vec()));
            seen.client_random = client_random.try_into().ok();
        });
    }
}

/// RFC 9850 §2.1.
const LABEL: &str = "EXPORTER_SECRET";

/// The application's verifier, observed.
#[derive(Debug)]
pub(crate) struct Verifier {
    inner: Arc<dyn ServerCertVerifier>,
}

impl Verifier {
    pub(crate) fn around(inner: Arc<dyn ServerCertVerifier>) -> Self {
        Self { inner }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        )?;
        let chain = std::iter::once(end_entity).chain(intermediates);
        let chain = chain
            .map(|certificate| certificate.clone().into_owned())
            .collect();
        SLOT.try_with(|slot| {
            let mut seen = slot.lock();
            let seen = seen.begin();
            seen.chain = chain;
            seen.server = Some(server_name.to_owned());
        })
        .map_err(|_| rustls::Error::General(OUT_OF_SCOPE.to_owned()))?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }

    fn root_hint_subjects(&self) -> Option<&[DistinguishedName]> {
        self.inner.root_hint_subjects()
    }
}

const OUT_OF_SCOPE: &str = "this TLS configuration is for attested connections, and this one does not pass \
                            the attesting layer (HTTP/3, or a configuration taken to another client)";

/// The application's client certificates, observed.
#[derive(Debug)]
pub(crate) struct Resolver {
    inner: Arc<dyn ResolvesClientCert>,
}

impl Resolver {
    pub(crate) fn around(inner: Arc<dyn ResolvesClientCert>) -> Self {
        Self { inner }
    }
}

impl ResolvesClientCert for Resolver {
    fn resolve(
        &self,
        root_hints: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let key = self.inner.resolve(root_hints, schemes)?;
        // Without a common scheme rustls sends no certificate after all.
        if key.key.choose_scheme(schemes).is_some() {
            let _ = SLOT.try_with(|slot| slot.lock().begin().identity = Some(key.clone()));
        }
        Some(key)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.inner.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.inner.has_certs()
    }
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed")
            .field("chain", &self.chain.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Believes everything.
    #[derive(Debug)]
    struct Believer;

    impl ServerCertVerifier for Believer {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, rustls::Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            Vec::new()
        }
    }

    fn verify(certificate: &'static [u8]) -> Result<ServerCertVerified, rustls::Error> {
        let verifier = Verifier::around(Arc::new(Believer));
        let name = ServerName::try_from("localhost").unwrap();
        let now = UnixTime::since_unix_epoch(std::time::Duration::ZERO);
        verifier.verify_server_cert(&CertificateDer::from(certificate), &[], &name, &[], now)
    }

    async fn observed(callbacks: impl FnOnce()) -> Option<Observed> {
        observe(async { callbacks() }).await.1
    }

    /// HTTP/3 does its TLS in a task of its own, past every connector layer.
    #[test]
    fn tls_that_does_not_pass_the_layer_cannot_be_set_up() {
        assert!(verify(b"certificate").is_err());
    }

    #[tokio::test]
    async fn a_whole_handshake_is_observed() {
        let seen = observed(|| {
            verify(b"certificate").unwrap();
            Exporter.log(LABEL, b"random", b"secret");
        });
        let seen = seen.await.unwrap();
        assert_eq!(seen.chain, [CertificateDer::from(&b"certificate"[..])]);
        assert_eq!(*seen.exporter_secret, b"secret");
        assert!(
            !format!("{seen:?}").contains("115"),
            "a letter of the secret"
        );
    }

    #[tokio::test]
    async fn half_a_handshake_is_none() {
        assert!(observed(|| {}).await.is_none());
        assert!(observed(|| drop(verify(b"certificate"))).await.is_none());
        assert!(
            observed(|| Exporter.log(LABEL, b"random", b"secret"))
                .await
                .is_none()
        );
    }

    #[tokio::test]
    async fn the_last_handshake_counts_and_only_whole() {
        let proxied = || {
            verify(b"proxy").unwrap();
            Exporter.log(LABEL, b"random", b"of the proxy");
            verify(b"target").unwrap();
        };
        assert!(
            observed(proxied).await.is_none(),
            "the proxy's secret is not the target's"
        );
        let seen = observed(|| {
            proxied();
            Exporter.log(LABEL, b"random", b"of the target");
        });
        let seen = seen.await.unwrap();
        assert_eq!(seen.chain, [CertificateDer::from(&b"target"[..])]);
        assert_eq!(*seen.exporter_secret, b"of the target");
    }

    #[tokio::test]
    async fn the_master_secret_of_tls_1_2_is_no_exporter_secret() {
        let seen = observed(|| {
            verify(b"certificate").unwrap();
            Exporter.log("CLIENT_RANDOM", b"random", &[7; 48]);
        });
        assert!(seen.await.is_none());
        assert!(!Exporter.will_log("CLIENT_TRAFFIC_SECRET_0"));
    }
}
