//! A plain port of this machine that goes out attested.

use std::sync::Arc;

use atls_core::BoxFuture;
use atls_core::RelyingParty;
use atls_tower::ServerAttestation;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::HeaderValue;
use http::Method;
use http::Request;
use http::Response;
use http::StatusCode;
use http::Uri;
use http::header;
use http::uri::PathAndQuery;
use tokio::net::TcpListener;
use tower_http::trace::TraceLayer;

use super::connections::Accepted;
use super::connections::Connections;
use super::connections::Connectors;
use super::headers;
use super::holding;
use super::holding::Holding;
use super::hosts;
use super::hosts::BadHost;
use super::hosts::Hosts;
use super::metrics::Metrics;
use super::options::ProxyOptions;
use super::plain;
use super::relay;
use super::relay::Passing;
use super::relay::Unanswered;
use super::service::Files;
use super::service::Surroundings;
use super::trusted::Opened;
use super::until::Until;
use crate::failure::Failure;
use crate::get;
use crate::get::Target;
use crate::trust::Own;

/// A service over this socket, which ends once it is told to stop and connections have finished.
pub(super) fn serve(
    options: &ProxyOptions,
    to: &str,
    listener: TcpListener,
    surroundings: Surroundings,
) -> Result<(Files, BoxFuture<'static, Result<(), Failure>>), Failure> {
    let failed =
        |error: std::io::Error| Failure::fault("the socket cannot be used").because(&error);
    let listens = listener.local_addr().map_err(failed)?;
    if !listens.ip().is_loopback() {
        return Err(
            Failure::usage(format!("{listens} is no loopback address")).with_help(
                "who reaches a forward proxy speaks to the server in its name; listen on 127.0.0.1",
            ),
        );
    }
    let target = Target::parse(to)?;
    let opened = Opened::new(&options.trust)?;
    let own = Own::open(&options.attester)?;
    let trust = options.trust.clone();
    let make = move |relying_party: &Arc<RelyingParty>| Connectors::by(relying_party, &trust, &own);
    let Surroundings {
        metrics,
        stop,
        tunnels,
        drain,
    } = surroundings;
    let accepted = Accepted::new(Box::new(make), &opened.relying_party, tunnels)?;
    let accepted = Arc::new(accepted);
    let files = Files {
        identity: None,
        device: None,
        stated: None,
        trusted: Some(opened.about(accepted.clone())),
    };
    let state = Forward {
        accepted,
        hosts: Hosts::new(target.uri().host(), &options.host),
        target,
        metrics,
    };
    let app = Router::new()
        .fallback(hand_on)
        .with_state(Arc::new(state))
        // A failure has a line of its own, with its reason and whose fault it is.
        .layer(TraceLayer::new_for_http().on_failure(()));
    let limits = plain::Limits {
        connections: options.connections,
        http2: options.http2.limits(),
    };
    let serving = plain::serve(listener, app, limits, (stop, drain));
    let serving = async move {
        serving.await;
        Ok(())
    };
    Ok((files, Box::pin(serving)))
}

struct Forward {
    accepted: Arc<Accepted>,
    hosts: Hosts,
    target: Target,
    metrics: Arc<Metrics>,
}

async fn hand_on(State(state): State<Arc<Forward>>, request: Request<Body>) -> Response<Body> {
    let _counted = state.metrics.in_flight();
    let response = answer(&state, request).await;
    state.metrics.answered(response.status());
    response
}

async fn answer(state: &Forward, mut request: Request<Body>) -> Response<Body> {
    if request.method() == Method::CONNECT {
        return relay::no_tunnel();
    }
    match hosts::named(&request) {
        Ok(Some(named)) if state.hosts.know(&named) => {}
        Ok(_) => {
            let detail = "this proxy does not answer under that name; --host NAME adds one";
            return relay::problem(StatusCode::MISDIRECTED_REQUEST, "unknown-host", detail);
        }
        Err(BadHost) => return relay::bad_host(),
    }
    headers::remove_claims(request.headers_mut());
    let authority = state.target.authority();
    let host = HeaderValue::from_str(&authority);
    let set = host.into_iter().map(|host| (header::HOST, host)).collect();
    let to = to(&state.target, request.uri().path_and_query());
    let Connections { clients, tunnels } = state.accepted.now();
    let clients = match relay::upgrade_wanted(&request) {
        Some(_) => clients.http1,
        None => clients.any,
    };
    let (client, place) = clients.client();
    let (request, place) = holding::both(request, place);
    let passing = Passing {
        to: to.clone(),
        set,
        tunnels: &tunnels,
        metrics: &state.metrics,
    };
    let answered = tokio::select! {
        answered = relay::relay(client, request, passing) => answered,
        () = tunnels.overdue() => Err(Unanswered::Overdue),
    };
    match answered {
        Ok(response) => claimed(response, &to, &state.metrics).map(|body| {
            let body = Until::new(body, Box::pin(tunnels.overdue()));
            Body::new(Holding::new(Body::new(body), place))
        }),
        Err(error @ Unanswered::BrokeOff(_)) => {
            state.metrics.peer(false);
            relay::broke_off(&error)
        }
        Err(error) => {
            state.metrics.peer(false);
            unanswered(&error, &authority)
        }
    }
}

/// The answer with the attestation of the very connection that it came over.
fn claimed(mut response: Response<Body>, to: &Uri, metrics: &Metrics) -> Response<Body> {
    let peer = ServerAttestation::of(response.extensions(), to).cloned();
    metrics.peer(peer.is_some());
    let Some(peer) = peer else {
        let detail = "the answer came over a connection without attestation";
        return relay::problem(StatusCode::BAD_GATEWAY, "not-attested", detail);
    };
    headers::remove_claims(response.headers_mut());
    headers::claim(response.headers_mut(), Some(&peer));
    response
}

fn unanswered(error: &Unanswered, authority: &str) -> Response<Body> {
    let attested = relay::cause::<atls_tower::Error>(error);
    let failure = match attested {
        Some(attested) => get::failure(attested, authority),
        None => Failure::not_reached(format!("{authority} gave no answer")).because(error),
    };
    let outcome = failure.outcome().word();
    if attested.is_some() && error.is_of_connecting() {
        // The event of the connection has said it, with its fault.
        tracing::debug!(outcome, reason = %failure.reason(), "no answer");
    } else {
        tracing::warn!(outcome, reason = %failure.reason(), "no answer");
    }
    let code = outcome.replace(' ', "-");
    relay::problem(StatusCode::BAD_GATEWAY, &code, &failure.reason())
}

/// The target's scheme and authority, the request's path.
fn to(target: &Target, path: Option<&PathAndQuery>) -> Uri {
    let mut parts = target.uri().clone().into_parts();
    if let Some(path) = path {
        parts.path_and_query = Some(path.clone());
    }
    Uri::from_parts(parts).unwrap_or_else(|_| target.uri().clone())
}
