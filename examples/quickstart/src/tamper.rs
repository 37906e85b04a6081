//! Six ways to be somebody else, and why each is refused.
//!
//! The file is longer than others: the six attackers are one set, and each is read beside the honest one that it changes.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use adversary::AUTHENTICATOR;
use adversary::Link;
use adversary::REQUEST;
use atls_axum::AttestedListener;
use atls_axum::RouterExt;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;
use atls_core::pki_types::UnixTime;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use axum::Router;
use demo::Authority;
use demo::Issued;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

#[derive(Clone, Copy)]
pub(crate) enum Tamper {
    ExpiredResult,
    RelayedEvidence,
    ReplayedAuthenticator,
    StrippedExtension,
    UnattestedPeer,
    WrongKey,
}

impl Tamper {
    pub(crate) const ALL: [Self; 6] = [
        Self::RelayedEvidence,
        Self::ReplayedAuthenticator,
        Self::WrongKey,
        Self::StrippedExtension,
        Self::ExpiredResult,
        Self::UnattestedPeer,
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tamper| tamper.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ExpiredResult => "expired-result",
            Self::RelayedEvidence => "relayed-evidence",
            Self::ReplayedAuthenticator => "replayed-authenticator",
            Self::StrippedExtension => "stripped-extension",
            Self::UnattestedPeer => "unattested-peer",
            Self::WrongKey => "wrong-key",
        }
    }

    /// The one check that must have refused it; an attacker that merely crashed proves nothing.
    fn is_refused_by(self, error: &atls_tower::Error) -> bool {
        match self {
            Self::ExpiredResult => matches!(error.refusal(), Some(Refusal::Expired(_))),
            Self::RelayedEvidence => {
                error.refusal() == Some(&Refusal::Appraisal(AppraisalError::NotBound))
            }
            Self::ReplayedAuthenticator => {
                error.protocol() == Some(&ProtocolError::ContextMismatch)
            }
            Self::StrippedExtension => error.protocol() == Some(&ProtocolError::NoAttestation),
            Self::UnattestedPeer => error.is_not_attested_tls(),
            Self::WrongKey => error.protocol() == Some(&ProtocolError::KeyMismatch),
        }
    }

    pub(crate) fn story(self) -> &'static str {
        match self {
            Self::ExpiredResult => {
                "the genuine server, but the client's verifier gives a result that is two hours old"
            }
            Self::RelayedEvidence => {
                "has the server's TLS key, connects to the genuine server, and presents its Evidence as his own"
            }
            Self::ReplayedAuthenticator => {
                "has the server's TLS key, and repeats an authenticator that the genuine server once gave him"
            }
            Self::StrippedExtension => {
                "has the server's TLS key, and sends an authenticator without Evidence"
            }
            Self::UnattestedPeer => {
                "has a valid certificate for the server's name, and no attestation: an ordinary HTTPS server"
            }
            Self::WrongKey => {
                "has a valid certificate, and genuine Evidence for this very connection under another key"
            }
        }
    }
}

/// Runs one attack against the client of the quickstart. Succeeds where the client refuses.
pub(crate) async fn show(tamper: Tamper) -> Result<(), Box<dyn Error>> {
    let scene = Scene::new().await?;
    println!("attacker {}: {}", tamper.name(), tamper.story());
    let attacker = match tamper {
        Tamper::ExpiredResult => scene.genuine,
        Tamper::RelayedEvidence => scene.relay_evidence().await?,
        Tamper::ReplayedAuthenticator => scene.replay_authenticator().await?,
        Tamper::StrippedExtension => scene.strip_extension().await?,
        Tamper::UnattestedPeer => scene.do_not_attest().await?,
        Tamper::WrongKey => scene.use_another_key().await?,
    };

    let verifier = SimVerifier::new(scene.device.trust_anchor());
    let verifier: Arc<dyn Verifier> = match tamper {
        Tamper::ExpiredResult => Arc::new(StaleVerifier { inner: verifier }),
        _ => Arc::new(crate::narrate::NarratingVerifier::around(verifier)),
    };
    let attested = crate::client(&scene.authority, verifier)?;
    let client = crate::reqwest_client(&attested)?;
    let url = crate::url_of(attacker);
    println!("client   GET {url}");
    let error = match client.get(&url).send().await {
        Ok(response) => return Err(format!("the attack succeeded: {}", response.status()).into()),
        Err(error) => error,
    };
    let refusal = atls_reqwest::Error::of(&error).ok_or("the client failed for another reason")?;
    println!("client   REFUSED by fault of: {}", refusal.fault());
    println!("         {refusal}");
    let mut source = Error::source(refusal);
    while let Some(cause) = source {
        println!("         because: {cause}");
        source = cause.source();
    }
    let refused = refusal
        .in_exchange()
        .is_some_and(|error| tamper.is_refused_by(error));
    if !refused {
        return Err("another check refused than the one that this attack is about".into());
    }
    if !error.is_connect() {
        return Err("the client had begun to speak HTTP".into());
    }
    println!("done     refused while connecting: the attacker saw no request");
    Ok(())
}

/// The genuine server, and what the attacker stole.
struct Scene {
    authority: Authority,
    device: Arc<SimAttester>,
    genuine: SocketAddr,
    stolen: Issued,
}

impl Scene {
    async fn new() -> Result<Self, Box<dyn Error>> {
        let authority = Authority::new()?;
        let device = Arc::new(SimAttester::generate()?);
        let stolen = authority.issue()?;
        let genuine = serve(&stolen, device.clone()).await?;
        Ok(Self {
            authority,
            device,
            genuine,
            stolen,
        })
    }

    /// An ordinary server of this protocol, whose attester is somebody else's.
    async fn relay_evidence(&self) -> Result<SocketAddr, Box<dyn Error>> {
        let relay = Relay {
            genuine: self.genuine,
            tls: self.client_tls()?,
            seen: Arc::new(Seen {
                media_types: self.device.media_types().to_vec(),
                evidence: Mutex::new(None),
            }),
        };
        serve(&self.stolen, Arc::new(relay)).await
    }

    /// Asks the genuine server as any client may, keeps its answer, and gives that to everybody.
    async fn replay_authenticator(&self) -> Result<SocketAddr, Box<dyn Error>> {
        let socket = TcpStream::connect(self.genuine).await?;
        let mut link = Link::connect(Arc::new(self.client_tls()?), socket, None).await?;
        let (request, _) = atls_core::exchange::request(&link, &demo::provider(), None)?;
        link.write(REQUEST, &request).await?;
        let (_, recorded) = link.read().await?;
        self.impersonate(self.identity(&self.stolen)?, move |_| Ok(recorded.clone()))
            .await
    }

    async fn strip_extension(&self) -> Result<SocketAddr, Box<dyn Error>> {
        self.impersonate(self.identity(&self.stolen)?, |challenge| {
            challenge.answer_without_attestation()
        })
        .await
    }

    /// The device attests the authenticator's key and this connection, but TLS was made with another key.
    async fn use_another_key(&self) -> Result<SocketAddr, Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let tls = Arc::new(self.stolen.server()?);
        let other = self.identity(&self.authority.issue()?)?;
        let device = self.device.clone();
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.ok()?;
            let mut link = Link::accept(tls, socket, other).await.ok()?;
            let (_, request) = link.read().await.ok()?;
            let challenge = Challenge::receive(&link, &request).ok()?;
            let evidence = device.attest(challenge.to_attest()?).await.ok()?;
            let authenticator = challenge.answer(&evidence).ok()?;
            link.write(AUTHENTICATOR, &authenticator).await.ok()?;
            link.drain().await;
            Some(())
        });
        Ok(address)
    }

    async fn do_not_attest(&self) -> Result<SocketAddr, Box<dyn Error>> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::new(self.stolen.server()?));
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.ok()?;
            let stream = acceptor.accept(socket).await.ok()?;
            let io = hyper_util::rt::TokioIo::new(stream);
            let app = hyper_util::service::TowerToHyperService::new(Router::<()>::new());
            let executor = hyper_util::rt::TokioExecutor::new();
            hyper::server::conn::http2::Builder::new(executor)
                .serve_connection(io, app)
                .await
                .ok()
        });
        Ok(address)
    }

    /// A server that answers one request in a given way.
    async fn impersonate<F>(
        &self,
        identity: Arc<CertifiedKey>,
        answer: F,
    ) -> Result<SocketAddr, Box<dyn Error>>
    where
        F: Fn(Challenge) -> Result<Vec<u8>, ProtocolError> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let tls = Arc::new(self.stolen.server()?);
        tokio::spawn(async move {
            let (socket, _) = listener.accept().await.ok()?;
            let mut link = Link::accept(tls, socket, identity).await.ok()?;
            let (_, request) = link.read().await.ok()?;
            let challenge = Challenge::receive(&link, &request).ok()?;
            let authenticator = answer(challenge).ok()?;
            link.write(AUTHENTICATOR, &authenticator).await.ok()?;
            link.drain().await;
            Some(())
        });
        Ok(address)
    }

    fn identity(&self, issued: &Issued) -> Result<Arc<CertifiedKey>, Box<dyn Error>> {
        let key = demo::provider()
            .key_provider
            .load_private_key(issued.key.clone_key())?;
        Ok(Arc::new(CertifiedKey::new(issued.chain.clone(), key)))
    }

    fn client_tls(&self) -> Result<ClientConfig, Box<dyn Error>> {
        Ok(ClientConfig::builder_with_provider(demo::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(self.authority.roots()?)
            .with_no_client_auth())
    }
}

async fn serve(issued: &Issued, attester: Arc<dyn Attester>) -> Result<SocketAddr, Box<dyn Error>> {
    let acceptor = ServerAcceptor::new(issued.server()?, ServerTerms::new().attester(attester))?;
    let listener = AttestedListener::bind("127.0.0.1:0", acceptor).await?;
    let address = listener.local_addr();
    let app = Router::new().into_attested_make_service();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// Gets Evidence from the genuine server, over a connection of its own.
struct Relay {
    genuine: SocketAddr,
    tls: ClientConfig,
    seen: Arc<Seen>,
}

impl Relay {
    async fn fetch(&self) -> Option<Cmw> {
        let relying_party = RelyingParty::builder().verifier(self.seen.clone()).build();
        let terms = ClientTerms::new().require_peer(Arc::new(relying_party.ok()?));
        let connector = ClientConnector::new(self.tls.clone(), terms).ok()?;
        let socket = TcpStream::connect(self.genuine).await.ok()?;
        let name = ServerName::try_from("localhost").ok()?;
        // It fails, for the eavesdropper below accepts nothing.
        let _ = connector.connect(name, socket).await;
        let evidence = self.seen.evidence.lock();
        let (media_type, value) = evidence.unwrap_or_else(PoisonError::into_inner).clone()?;
        println!(
            "attacker got {} bytes of Evidence from the genuine server, presents them",
            value.len()
        );
        Some(Cmw::evidence(media_type, value))
    }
}

impl Attester for Relay {
    fn media_types(&self) -> &[MediaType] {
        &self.seen.media_types
    }

    fn attest<'a>(&'a self, _: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(async move {
            let fetched = self.fetch().await;
            fetched.ok_or_else(|| AttestError::Device("nothing to relay".to_owned()))
        })
    }
}

/// Keeps what the genuine server attests.
struct Seen {
    media_types: Vec<MediaType>,
    evidence: Mutex<Option<(MediaType, Vec<u8>)>>,
}

impl Verifier for Seen {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        _: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        let seen = (evidence.media_type().clone(), evidence.bytes().to_vec());
        *self.evidence.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        Box::pin(async { Err(AppraisalError::Unreachable) })
    }
}

/// Gives results as they were two hours ago.
struct StaleVerifier {
    inner: SimVerifier,
}

impl Verifier for StaleVerifier {
    fn media_types(&self) -> &[MediaType] {
        self.inner.media_types()
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        let earlier = now.as_secs().saturating_sub(2 * 60 * 60);
        let earlier = UnixTime::since_unix_epoch(Duration::from_secs(earlier));
        self.inner.appraise(evidence, earlier)
    }
}
