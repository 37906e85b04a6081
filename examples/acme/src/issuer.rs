//! One order of ACME: account, order, proof of the names, request, certificate. RFC 8555 §7.1.6 has the states.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use atls_core::http::HttpClient;
use http::Uri;
use instant_acme::Account;
use instant_acme::AuthorizationStatus;
use instant_acme::CertificateIdentifier;
use instant_acme::ChallengeType;
use instant_acme::Identifier;
use instant_acme::NewOrder;
use instant_acme::Order;
use instant_acme::OrderStatus;
use instant_acme::RetryPolicy;
use rcgen::CertificateParams;
use rcgen::DistinguishedName;
use rcgen::KeyPair;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

use crate::account::AccountKey;
use crate::certificate::Certificate;
use crate::challenges::Challenges;
use crate::challenges::Pending;
use crate::error::OrderError;
use crate::error::escaped;
use crate::http::OneOrigin;
use crate::name::Name;
use crate::suggestion;

/// Gives certificates, each for a new key.
pub trait Issue: Send + Sync {
    /// One certificate.
    ///
    /// # Errors
    /// [`OrderError`]; there is no certificate then, and nothing is kept of the order.
    fn issue(&self) -> impl Future<Output = Result<Certificate, OrderError>> + Send;

    /// When it is to be renewed, in seconds since the epoch, if the server says so, and after which time it wants to be asked again.
    fn suggested(
        &self,
        certificate: &Certificate,
    ) -> impl Future<Output = Option<(u64, Duration)>> + Send {
        let _ = certificate;
        async { None }
    }
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
    key: AccountKey,
    last: Mutex<Option<Last>>,
}

/// What the last order left.
#[derive(Clone)]
struct Last {
    account: Account,
    /// Of its certificate.
    identifier: Option<CertificateIdentifier<'static>>,
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
        Ok(Self {
            http,
            directory,
            names,
            challenges: Arc::default(),
            provider,
            clock,
            key: AccountKey::generate()?,
            last: Mutex::default(),
        })
    }

    /// Binds the account to one that the operator has with the server elsewhere: by the identifier and the key of 32 bytes or so that are given
    /// to customers (RFC 8555 §7.3.4).
    #[must_use]
    pub fn with_external_account(mut self, id: &str, key: &[u8]) -> Self {
        self.key = AccountKey::bound(id, key);
        self
    }

    /// What the acceptor answers the ACME server by.
    pub fn challenges(&self) -> Arc<Challenges> {
        self.challenges.clone()
    }

    async fn order(&self) -> Result<Certificate, OrderError> {
        // Before the server is asked for what could not be judged.
        self.now()?;
        let account = self.key.account(self.http(), &self.directory).await?;
        let mut order = self.begin_order(&account).await?;
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
        let certificate = Certificate::received(&chain, key, &self.names, self.now()?)?;
        *self.last() = Some(Last {
            account,
            identifier: certificate.identifier(),
        });
        Ok(certificate)
    }

    /// Names the certificate that is replaced, so that the server need not count the order among others (RFC 9773 §5). Servers that do not
    /// know that, or do not like it, get the order without.
    async fn begin_order(&self, account: &Account) -> Result<Order, OrderError> {
        let names: Vec<_> = self.names.iter().map(Name::identifier).collect();
        let last = self.last().clone();
        if let Some(replaced) = last.and_then(|last| last.identifier) {
            match account
                .new_order(&NewOrder::new(&names).replaces(replaced))
                .await
            {
                Ok(order) => return Ok(order),
                Err(error) => {
                    tracing::debug!(error = escaped(&error.to_string()), "no replacing order")
                }
            }
        }
        let order = account.new_order(&NewOrder::new(&names)).await;
        order.map_err(|error| {
            if is_unknown_account(&error) {
                self.key.forget();
            }
            error.into()
        })
    }

    /// RFC 9773 §4.2, by the account of the last order.
    async fn ask(&self, certificate: &Certificate) -> Result<Option<(u64, Duration)>, OrderError> {
        let last = self.last().clone();
        let (Some(last), Some(identifier)) = (last, certificate.identifier()) else {
            return Ok(None);
        };
        let (told, again_in) = last.account.renewal_info(&identifier).await?;
        let moment = suggestion::moment(&told.suggested_window, self.provider.secure_random);
        Ok(moment.map(|moment| (moment, again_in)))
    }

    fn now(&self) -> Result<UnixTime, OrderError> {
        let now = self.clock.current_time();
        now.ok_or_else(|| OrderError::Local("there is no clock".to_owned()))
    }

    fn http(&self) -> OneOrigin {
        OneOrigin::new(self.http.clone(), &self.directory)
    }

    fn last(&self) -> MutexGuard<'_, Option<Last>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
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

    async fn suggested(&self, certificate: &Certificate) -> Option<(u64, Duration)> {
        let asked = tokio::time::timeout(DEADLINE, self.ask(certificate)).await;
        match asked.unwrap_or(Err(OrderError::TimedOut)) {
            Ok(suggested) => suggested,
            Err(error) => {
                tracing::debug!(%error, "no word about the renewal");
                None
            }
        }
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

fn is_unknown_account(error: &instant_acme::Error) -> bool {
    let instant_acme::Error::Api(problem) = error else {
        return false;
    };
    problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:accountDoesNotExist")
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
