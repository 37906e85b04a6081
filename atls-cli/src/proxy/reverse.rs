//! Ends attested TLS in front of a service.

use std::sync::Arc;
use std::time::Duration;

use atls_axum::AttestedListener;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::RelyingParty;
use atls_tower::Batcher;
use atls_tower::ClientAttestation;
use atls_tower::ServerAcceptor;
use atls_tower::ServerTerms;
use atls_tower::forward::ForwardError;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::HeaderMap;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use hyper_util::client::legacy::Client;
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tower_http::trace::TraceLayer;

use super::device::Device;
use super::headers;
use super::holding;
use super::holding::Holding;
use super::identity::Identity;
use super::metrics::Metrics;
use super::options::Clients;
use super::options::ProxyOptions;
use super::preamble::Balancers;
use super::relay;
use super::relay::Passing;
use super::relay::Unanswered;
use super::service::Files;
use super::service::Surroundings;
use super::spread;
use super::spread::Spread;
use super::stated::Stated;
use super::trusted::Judge;
use super::trusted::Opened;
use super::trusted::Peers;
use super::tunnels::Tunnels;
use super::upstream::ToUpstream;
use super::upstream::Upstream;
use crate::failure::Failure;
use crate::tls;
use crate::trust;

/// A service over this socket, which ends once it is told to stop and connections have finished.
pub(super) fn serve(
    options: &ProxyOptions,
    upstream: &Upstream,
    listener: TcpListener,
    surroundings: Surroundings,
) -> Result<(Files, BoxFuture<'static, Result<(), Failure>>), Failure> {
    let (Some(chain), Some(key)) = (&options.cert, &options.key) else {
        return Err(Failure::usage("a reverse proxy needs a certificate")
            .with_help("--cert FILE and --key FILE name its chain and its key"));
    };
    if !upstream.is_of_this_machine() {
        tracing::warn!("the upstream is no address of loopback: nothing protects the way there");
    }
    let identity = Identity::open(chain, key)?;
    let device = device(options, &identity)?;
    let terms = Terms::new(options, device.clone(), identity.clone())?;
    let opened = terms.opened(options)?;
    let relying_party = opened.as_ref().map(|opened| opened.relying_party.clone());
    let acceptor = ServerAcceptor::new(terms.tls()?, terms.by(relying_party));
    let acceptor = acceptor.map_err(|error| do_not_go_together(&error))?;
    let stated = Stated::open(&options.ear)?;
    let Surroundings {
        metrics,
        stop,
        tunnels,
        drain,
    } = surroundings;
    let state = Reverse {
        clients: clients(upstream),
        upstream: upstream.clone(),
        stated: stated.clone(),
        metrics,
        tunnels,
    };
    let app = Router::new()
        .fallback(hand_on)
        .with_state(Arc::new(state))
        // A failure has a line of its own, with its reason and whose fault it is.
        .layer(TraceLayer::new_for_http().on_failure(()));
    let failed =
        |error: std::io::Error| Failure::fault("the socket cannot be used").because(&error);
    let accepted = Arc::new(Accepted {
        acceptor: acceptor.clone(),
        terms,
        within: drain,
    });
    let most = usize::try_from(options.connections).unwrap_or(usize::MAX);
    let mut builder = AttestedListener::builder(acceptor)
        .connections(most)
        .http2(options.http2.limits());
    if !options.proxy_protocol.is_empty() {
        let balancers = Balancers::new(options.proxy_protocol.clone());
        builder = builder.preamble(Arc::new(balancers));
    }
    let serving = async move {
        // Nothing is accepted before all else is right.
        let listener = builder.over(listener).map_err(failed)?;
        atls_axum::serve(listener, app)
            .with_graceful_shutdown(stop.told())
            .with_shutdown_deadline(drain)
            .await
            .map_err(failed)
    };
    let files = Files {
        identity: Some(identity),
        device,
        stated: Some(stated),
        trusted: opened.map(|opened| opened.about(accepted)),
    };
    Ok((files, Box::pin(serving)))
}

fn clients(upstream: &Upstream) -> Spread<Client<ToUpstream, Body>> {
    let upstream = upstream.clone();
    Spread::of(move || upstream.client(&mut spread::builder(WINDOW)))
}

/// Bytes of an answer that are held until its client takes them. The way is short, so that more would not come faster.
const WINDOW: u32 = 64 * 1024;

struct Accepted {
    acceptor: ServerAcceptor,
    terms: Terms,
    within: Duration,
}

impl Peers for Accepted {
    fn judge_by(&self, relying_party: Arc<RelyingParty>) -> Result<Judge<'_>, Failure> {
        let terms = self.terms.by(Some(relying_party));
        let tls = self.terms.tls()?;
        Ok(Box::new(|| {
            let replaced = self.acceptor.replace(tls, terms, self.within);
            replaced.map_err(|error| do_not_go_together(&error))
        }))
    }

    fn recall(&self) {
        self.acceptor.recall(self.within);
    }
}

fn do_not_go_together(error: &atls_tower::Error) -> Failure {
    Failure::usage("these arguments do not go together").because(error)
}

struct Reverse {
    clients: Spread<Client<ToUpstream, Body>>,
    upstream: Upstream,
    stated: Arc<Stated>,
    metrics: Arc<Metrics>,
    tunnels: Tunnels,
}

async fn hand_on(State(state): State<Arc<Reverse>>, request: Request<Body>) -> Response<Body> {
    let _counted = state.metrics.in_flight();
    let response = answer(&state, request).await;
    state.metrics.answered(response.status());
    response
}

async fn answer(state: &Reverse, mut request: Request<Body>) -> Response<Body> {
    // An expired attestation is none.
    let peer = ClientAttestation::of(request.extensions()).ok().cloned();
    let client = request.extensions().get::<ClientAttestation>().cloned();
    state.metrics.peer(peer.is_some());
    if request.method() == Method::CONNECT {
        return relay::no_tunnel();
    }
    let mut set = HeaderMap::new();
    headers::claim(&mut set, peer.as_deref());
    if let (Some(forwarder), Some(peer)) = (state.stated.forwarder(), &peer) {
        match forwarder.headers(peer) {
            Ok(stated) => set.extend(stated),
            Err(error) => return not_stated(&error, client.as_ref()),
        }
    }
    if relay::forwarded(&mut request, &mut set).is_err() {
        return relay::bad_host();
    }
    headers::remove_claims(request.headers_mut());
    state.upstream.name(request.headers_mut(), &mut set);
    let passing = Passing {
        to: state.upstream.uri(request.uri().path_and_query()),
        set,
        tunnels: &state.tunnels,
        metrics: &state.metrics,
    };
    let (client_of_upstream, place) = state.clients.client();
    let (request, place) = holding::both(request, place);
    match relay::relay(client_of_upstream, request, passing).await {
        Ok(mut response) => {
            headers::remove_claims(response.headers_mut());
            response.map(|body| Body::new(Holding::new(body, place)))
        }
        Err(error @ Unanswered::BrokeOff(_)) => relay::broke_off(&error),
        Err(error) => unanswered(&error, client.as_ref()),
    }
}

/// Whether an event about a request is one of the first of its connection: a client may ask as often as it likes, and must not fill the log.
fn is_new(client: Option<&ClientAttestation>) -> bool {
    client.is_none_or(ClientAttestation::is_new_event)
}

/// The client learns nothing about the inside.
fn unanswered(error: &Unanswered, client: Option<&ClientAttestation>) -> Response<Body> {
    let why = atls_core::report(error).to_string();
    match is_new(client) {
        true => tracing::warn!(fault = "local", error = %why, "the upstream gave no answer"),
        false => tracing::debug!(fault = "local", error = %why, "the upstream gave no answer"),
    }
    let detail = "the service behind this proxy gave no answer";
    relay::problem(StatusCode::BAD_GATEWAY, "upstream", detail)
}

/// The service is not asked as if its client were unattested.
fn not_stated(error: &ForwardError, client: Option<&ClientAttestation>) -> Response<Body> {
    let (fault, why) = (error.fault(), atls_core::report(error).to_string());
    match is_new(client) {
        true => tracing::error!(%fault, error = %why, "the result is not stated"),
        false => tracing::debug!(%fault, error = %why, "the result is not stated"),
    }
    let detail = "the attestation of this connection could not be stated to the service";
    relay::problem(StatusCode::INTERNAL_SERVER_ERROR, "not-stated", detail)
}

fn device(options: &ProxyOptions, identity: &Identity) -> Result<Option<Arc<Device>>, Failure> {
    let Some(device) = &options.attester.attester else {
        return Ok(None);
    };
    let device = trust::open_attester(device)?;
    Ok(Some(Device::new(device, &*identity.current().key)?))
}

/// Connections that wait for the device share its next Evidence.
fn shared(device: Arc<dyn Attester>) -> Result<Arc<dyn Attester>, Failure> {
    let spawned = Batcher::builder(device).spawn();
    let batcher =
        spawned.map_err(|error| Failure::fault("the device got no task").because(&error))?;
    Ok(Arc::new(batcher))
}

/// What stays the same whoever judges the clients.
struct Terms {
    attester: Option<Arc<dyn Attester>>,
    clients: Clients,
    identity: Arc<Identity>,
}

impl Terms {
    fn new(
        options: &ProxyOptions,
        device: Option<Arc<Device>>,
        identity: Arc<Identity>,
    ) -> Result<Self, Failure> {
        let attester = match device {
            Some(device) => Some(shared(device)?),
            None if options.clients != Clients::Require => {
                return Err(Failure::usage("nothing would be attested").with_help(
                    "--attester auto attests this machine; --clients require demands it of clients",
                ));
            }
            None => None,
        };
        Ok(Self {
            attester,
            clients: options.clients,
            identity,
        })
    }

    /// By whose word clients are accepted, where they are asked.
    fn opened(&self, options: &ProxyOptions) -> Result<Option<Opened>, Failure> {
        match self.clients {
            Clients::Ignore => Ok(None),
            Clients::Ask | Clients::Require => Opened::new(&options.trust).map(Some),
        }
    }

    fn by(&self, relying_party: Option<Arc<RelyingParty>>) -> ServerTerms {
        let mut terms = ServerTerms::new();
        if let Some(attester) = &self.attester {
            terms = terms.attester(attester.clone());
        }
        match (self.clients, relying_party) {
            (Clients::Ask, Some(clients)) => terms.ask_peer(clients),
            (Clients::Require, Some(clients)) => terms.require_peer(clients),
            (_, None) | (Clients::Ignore, _) => terms,
        }
    }

    fn tls(&self) -> Result<ServerConfig, Failure> {
        let mut tls = ServerConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(|error| Failure::fault("TLS cannot be set up").because(&error))?
            .with_no_client_auth()
            .with_cert_resolver(self.identity.clone());
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(tls)
    }
}
