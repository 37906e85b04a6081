//! Clients as applications have them, and what becomes of their requests.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use atls_core::RelyingParty;
use atls_core::StandardPolicy;
use atls_reqwest::Attested;
use atls_reqwest::ClientBuilderExt;
use atls_reqwest::reqwest;
use atls_sim::SimAttester;
use atls_sim::SimVerifier;
use atls_tower::AttestedHttps;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use axum::BoxError;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;

use crate::keys::Device;
use crate::keys::Keys;
use crate::router::AT_LAST;
use crate::router::HELLO;
use crate::router::LARGE;
use crate::router::WHO;
use crate::router::X;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The whole answer, and the right one.
    Served,
    /// One of the ends refused the attestation of the other.
    Refused(String),
    /// A connection or a request failed.
    Failed(String),
    /// An answer that is not the one of the server.
    Wrong(String),
}

/// One client, with its pool of connections.
#[derive(Clone)]
pub(crate) enum Client {
    /// HTTP/2 by reqwest.
    Reqwest(reqwest::Client),
    /// HTTP/1.1 by hyper-util.
    Hyper(Box<legacy::Client<AttestedHttps, Body>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Http {
    One,
    Two,
}

impl Client {
    /// Demands the server's device, and attests by this one.
    pub(crate) fn new(keys: &Keys, device: &Device, http: Http) -> Result<Self, BoxError> {
        match http {
            Http::Two => {
                let attested = Attested::builder(demo::provider())
                    .roots(keys.roots()?)
                    .require_peer(about(&keys.server_device)?)
                    .attester(Arc::new(SimAttester::from_pkcs8(&device.0)?))
                    .build()?;
                let builder = reqwest::Client::builder().attested(&attested);
                Ok(Self::Reqwest(builder.build()?))
            }
            Http::One => {
                let mut connector = legacy::connect::HttpConnector::new();
                connector.enforce_http(false);
                connector.set_nodelay(true);
                let https = AttestedHttps::over(connector, connector_of(keys, device, Http::One)?);
                let builder = legacy::Client::builder(TokioExecutor::new());
                Ok(Self::Hyper(Box::new(builder.build(https))))
            }
        }
    }

    /// Sends one request, and takes the whole answer.
    pub(crate) async fn get(&self, at: SocketAddr, path: &str, who: &str) -> Outcome {
        let url = format!("https://{at}{path}");
        let got = async {
            match self {
                Self::Reqwest(client) => {
                    let response = client.get(&url).header(WHO, who).send().await?;
                    let status = response.status().as_u16();
                    Ok::<_, BoxError>((status, response.bytes().await?))
                }
                Self::Hyper(client) => {
                    let request = Request::get(&url).header(WHO, who).body(Body::empty())?;
                    let response = client.request(request).await?;
                    let status = response.status().as_u16();
                    Ok((status, response.into_body().collect().await?.to_bytes()))
                }
            }
        };
        match tokio::time::timeout(PATIENCE, got).await {
            Ok(Ok((200, body))) if is_right(path, &body) => Outcome::Served,
            Ok(Ok((200, body))) => Outcome::Wrong(format!("{path}: {} bytes", body.len())),
            Ok(Ok((403, _))) => Outcome::Refused("403".to_owned()),
            Ok(Ok((status, _))) => Outcome::Failed(status.to_string()),
            Ok(Err(error)) => outcome_of(&*error),
            Err(_) => Outcome::Failed("no answer".to_owned()),
        }
    }
}

/// Opens connections of which the caller does what it likes.
pub(crate) fn connector_of(
    keys: &Keys,
    device: &Device,
    http: Http,
) -> Result<ClientConnector, BoxError> {
    let terms = ClientTerms::new()
        .require_peer(about(&keys.server_device)?)
        .attester(Arc::new(SimAttester::from_pkcs8(&device.0)?));
    Ok(ClientConnector::new(tls(keys, http)?, terms)?)
}

/// The same without a demand on the server: the victim of somebody in between.
pub(crate) fn trusting_connector(keys: &Keys) -> Result<ClientConnector, BoxError> {
    let terms = ClientTerms::new()
        .dangerous_accept_unattested_servers()
        .attester(Arc::new(SimAttester::from_pkcs8(&keys.client_device.0)?));
    Ok(ClientConnector::new(tls(keys, Http::One)?, terms)?)
}

/// TLS of a client that trusts the authority.
pub(crate) fn tls(keys: &Keys, http: Http) -> Result<ClientConfig, BoxError> {
    let mut tls = ClientConfig::builder_with_provider(demo::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(keys.roots()?)
        .with_no_client_auth();
    tls.alpn_protocols = match http {
        Http::One => vec![b"http/1.1".to_vec()],
        Http::Two => vec![b"h2".to_vec()],
    };
    Ok(tls)
}

/// Knows this device, and accepts that it is simulated.
fn about(device: &Device) -> Result<Arc<RelyingParty>, BoxError> {
    let device = SimAttester::from_pkcs8(&device.0)?;
    let party = RelyingParty::builder()
        .verifier(Arc::new(SimVerifier::new(device.trust_anchor())))
        .standard_policy(StandardPolicy::new().dangerous_accept_simulated())
        .build()?;
    Ok(Arc::new(party))
}

fn is_right(path: &str, body: &[u8]) -> bool {
    match path {
        "/" => body == HELLO.as_bytes(),
        "/slow" => body == AT_LAST.as_bytes(),
        "/large" => body.len() == LARGE && body.iter().all(|byte| *byte == X),
        _ => false,
    }
}

/// By the error of attested TLS among the causes, where there is one.
pub(crate) fn outcome_of(error: &(dyn Error + 'static)) -> Outcome {
    let mut text = error.to_string();
    let mut next = Some(error);
    while let Some(error) = next {
        let by_reqwest = error
            .downcast_ref::<reqwest::Error>()
            .and_then(atls_reqwest::Error::of)
            .and_then(atls_reqwest::Error::in_exchange);
        let tls = error.downcast_ref::<atls_tower::Error>().or(by_reqwest);
        if let Some(tls) = tls {
            let reason = tls.reason().to_owned();
            let refused = tls.refusal().is_some() || tls.refused_by_peer().is_some();
            return match refused || tls.protocol().is_some() {
                true => Outcome::Refused(reason),
                false => Outcome::Failed(reason),
            };
        }
        text = format!("{text}: {error}");
        next = error.source();
    }
    Outcome::Failed(text)
}

/// For the busiest of machines.
const PATIENCE: Duration = Duration::from_secs(60);
