//! Any bytes as an authenticator request, by either end, and as an authenticator. None is accepted, for none has the MAC of its
//! connection; a context that is read is in the message.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_core::exchange;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Parameters;
use atls_core::exchange::authenticator;
use atls_core::session::Side;
use rustls::Tls13CipherSuite;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use test_support::ObservedSession;

struct Setting {
    provider: CryptoProvider,
    identity: Arc<CertifiedKey>,
}

atls_fuzz::target!(|bytes: &[u8]| {
    static SETTING: OnceLock<Setting> = OnceLock::new();
    let setting = SETTING.get_or_init(|| Setting {
        provider: rustls::crypto::ring::default_provider(),
        identity: test_support::identity(),
    });
    if let Ok(Some(context)) = authenticator::context(bytes) {
        assert!(
            bytes
                .windows(context.len().max(1))
                .any(|part| part.starts_with(context))
        );
    }
    for side in [Side::Client, Side::Server] {
        let session = setting.session(side);
        if let Ok(challenge) = Challenge::receive(&session, bytes) {
            // Whoever is asked well can answer.
            assert!(challenge.decline().is_ok());
        }
        let parameters = match side {
            Side::Client => Parameters::client(Vec::new(), true, CanAttest::EitherOrder),
            Side::Server => Parameters::server(Vec::new(), exchange::Order::ClientLast),
        };
        let asked = exchange::request(&session, &setting.provider, Some(&parameters));
        let (_, pending) = asked.expect("a request");
        assert!(pending.finish(bytes).is_err());
    }
});

impl Setting {
    fn session(&self, side: Side) -> ObservedSession {
        let suite = self.suite();
        let secret = vec![7; suite.common.hash_provider.output_len()];
        let chain = self.identity.cert.clone();
        ObservedSession::new(side, suite, &secret, Some(self.identity.clone()), chain)
    }

    fn suite(&self) -> &'static Tls13CipherSuite {
        let mut suites = self.provider.cipher_suites.iter();
        suites.find_map(|suite| suite.tls13()).expect("TLS 1.3")
    }
}
