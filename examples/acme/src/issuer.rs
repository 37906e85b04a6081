//! One order of ACME: account, order, proof of the names, request, certificate. RFC 8555 §7.1.6 has the states.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use atls_core::http::HttpClient;
use http::Uri;
use instant_acme::Account;
use instant_acme::AuthorizationStatus;
use instant_acme::ChallengeType;
use instant_acme::Identifier;
use instant_acme::Key;
use instant_acme::NewOrder;
use instant_acme::Order;
use instant_acme::OrderStatus;
use instant_acme::RetryPolicy;
use rcgen::CertificateParams;
use rcgen::DistinguishedName;
use rcgen::KeyPair;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::time_provider::TimeProvider;

use crate::certificate::Certificate;
use crate::challenges::Challenges;
use crate::challenges::Pending;
use crate::error::OrderError;
use crate::error::escaped;
use crate::http::OneOrigin;
use crate::name::Name;

/// Gives certificates, each for a new key.
pub trait Issue: Send + Sync {
    /// One certificate.
    ///
    /// # Errors
    /// [`OrderError`]; there is no certificate then, and nothing is kept of the order.
    fn issue(&self) -> impl Future<Output = Result<Certificate, OrderError>> + Send;
}

/// Orders certificates of an ACME server.
///
/// The account's key is made with this value and is nowhere but in its memory: another process has another account. The holder of that key can
/// have certificates for the names that were validated of late, so it is kept as the key of the service is.
pub struct Issuer {
    http: Arc<dyn HttpClient>,
    directory: Uri,
    names: Vec<Name>,
    challenges: Arc<Challenges>,
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn TimeProvider>,
    account: PrivatePkcs8KeyDer<'static>,
}

impl Issuer {
    /// By the ACME server with this directory, for all of these names in one certificate. To use it is to agree to that server's terms.
    ///
    /// # Errors
    /// [`OrderError::Local`] where no key can be made.
    pub fn new(
        http: Arc<dyn HttpClient>,
        directory: Uri,
        names: Vec<Name>,
        provider: Arc<CryptoProvider>,
        clock: Arc<dyn TimeProvider>,
    ) -> Result<Self, OrderError> {
        let (_, account) = Key::generate_pkcs8()?;
        Ok(Self {
            http,
            directory,
            names,
            challenges: Arc::default(),
            provider,
            clock,
            account,
        })
    }

    /// What the acceptor answers the ACME server by.
    pub fn challenges(&self) -> Arc<Challenges> {
        self.challenges.clone()
    }

    async fn order(&self) -> Result<Certificate, OrderError> {
        let account = self.account().await?;
        let names: Vec<_> = self.names.iter().map(Name::identifier).collect();
        let mut order = account.new_order(&NewOrder::new(&names)).await?;
        self.prove(&mut order).await?;

        let key = KeyPair::generate()?;
        let names: Vec<_> = self.names.iter().map(String::from).collect();
        let mut request = CertificateParams::new(names)?;
        request.distinguished_name = DistinguishedName::new();
        let request = request.serialize_request(&key)?;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let key = self.provider.key_provider.load_private_key(key)?;

        order.finalize_csr(request.der()).await?;
        let chain = order.poll_certificate(&POLL).await?;
        let now = self.clock.current_time();
        let now = now.ok_or_else(|| OrderError::Local("there is no clock".to_owned()))?;
        Certificate::received(&chain, key, &self.names, now)
    }

    /// The account of our key, which the server makes if it does not know it (RFC 8555 §7.3): one that lost it gets it again.
    async fn account(&self) -> Result<Account, OrderError> {
        let http = OneOrigin::new(self.http.clone(), &self.directory);
        let key = Key::from_pkcs8_der(self.account.clone_key())?;
        let key = (key, PrivateKeyDer::Pkcs8(self.account.clone_key()));
        let builder = Account::builder_with_http(Box::new(http));
        let account = builder.create_from_key(key, self.directory.to_string());
        let (account, _) = account.await?;
        // Public: a CAA record may name it (RFC 8657).
        tracing::info!(account = escaped(account.id()), "ACME account");
        Ok(account)
    }

    /// Has every name validated. Challenges are answered while the server may ask, and no longer.
    async fn prove(&self, order: &mut Order) -> Result<(), OrderError> {
        let _pending = self.begin(order).await?;
        let outcome = order.poll_ready(&POLL).await;
        match order.state().status {
            OrderStatus::Invalid => Err(why_not(order).await),
            _ => Ok(outcome.map(drop)?),
        }
    }

    async fn begin(&self, order: &mut Order) -> Result<Vec<Pending>, OrderError> {
        let mut pending = Vec::new();
        let mut authorizations = order.authorizations();
        while let Some(authorization) = authorizations.next().await {
            let mut authorization = authorization?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let mut challenge = authorization
                .challenge(ChallengeType::TlsAlpn01)
                .ok_or(OrderError::NoChallenge)?;
            let name = self.own(challenge.identifier().identifier)?;
            let digest = challenge.key_authorization().digest();
            let digest = digest.as_ref().try_into();
            let digest =
                digest.map_err(|_| OrderError::Local("SHA-256 has 32 bytes".to_owned()))?;
            pending.push(self.challenges.answer(name, digest, &self.provider)?);
            challenge.set_ready().await?;
        }
        Ok(pending)
    }

    /// The name that is to be validated, which must be one that was ordered.
    fn own(&self, identifier: &Identifier) -> Result<&Name, OrderError> {
        let mut names = self.names.iter();
        names
            .find(|name| name.identifier() == *identifier)
            .ok_or_else(|| OrderError::Acme("asks about another name".to_owned()))
    }
}

impl Issue for Issuer {
    async fn issue(&self) -> Result<Certificate, OrderError> {
        let order = tokio::time::timeout(DEADLINE, self.order());
        order.await.unwrap_or(Err(OrderError::TimedOut))
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("directory", &self.directory)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

/// The first challenge that the server did not accept, in its words.
async fn why_not(order: &mut Order) -> OrderError {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let Ok(state) = authorization.refresh().await else {
            continue;
        };
        if let Some(problem) = state.challenges.iter().find_map(|it| it.error.as_ref()) {
            return OrderError::NotValidated(escaped(&problem.to_string()));
        }
    }
    OrderError::NotValidated("it does not say why".to_owned())
}

/// Of a whole order. A server validates from several places, and may sign slowly.
const DEADLINE: Duration = Duration::from_secs(180);

const POLL: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(60));
