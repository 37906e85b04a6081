//! The extractor of an attestation that a service in front forwards.

use std::ops::Deref;
use std::sync::Arc;

use atls_tower::forward::ForwardedResult;
use atls_tower::forward::HEADER;
use atls_tower::forward::ReceiveError;
use atls_tower::forward::ResultReceiver;
use atls_tower::forward::VERIFIER_HEADER;
use axum::extract::FromRef;
use axum::extract::FromRequestParts;
use axum::extract::OptionalFromRequestParts;
use http::HeaderMap;
use http::HeaderValue;
use http::request::Parts;

use crate::extract::AttestationRejection;

/// The attestation of the client that a service in front has verified and states in a signed header, such as `atls proxy` does.
///
/// The router's state has the [`ResultReceiver`] that accepts statements, or gives it by [`FromRef`]. [`atls_tower::forward`] says what they are good for. A handler
/// that takes one is called only with a statement that was accepted; a handler that takes `Option<ForwardedAttestation>` is called also
/// without any, and never with one that was refused.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_axum::ForwardedAttestation;
/// # use atls_core::ear::{KeyError, VerificationKeys};
/// # use atls_tower::forward::ResultReceiver;
/// # use axum::{Router, extract::FromRef, routing::get};
/// # use rustls::crypto::CryptoProvider;
/// #[derive(Clone)]
/// struct App {
///     receiver: Arc<ResultReceiver>,
/// }
///
/// impl FromRef<App> for Arc<ResultReceiver> {
///     fn from_ref(app: &App) -> Self {
///         app.receiver.clone()
///     }
/// }
///
/// async fn handler(client: ForwardedAttestation) -> String {
///     format!("asked by a client that is {}", client.status())
/// }
///
/// /// `jwk` is what `/keys` of `atls proxy --admin` says, and `orders` its `--ear-audience`.
/// fn app(jwk: &str, provider: &CryptoProvider) -> Result<Router, KeyError> {
///     let keys = VerificationKeys::from_jwk(jwk)?;
///     let receiver = Arc::new(ResultReceiver::new(keys, provider, "atls-proxy", "orders"));
///     Ok(Router::new().route("/", get(handler)).with_state(App { receiver }))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ForwardedAttestation(ForwardedResult);

impl Deref for ForwardedAttestation {
    type Target = ForwardedResult;

    fn deref(&self) -> &ForwardedResult {
        &self.0
    }
}

impl<S> FromRequestParts<S> for ForwardedAttestation
where
    Arc<ResultReceiver>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = AttestationRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Self, AttestationRejection> {
        let receiver = Arc::<ResultReceiver>::from_ref(state);
        let received = receive(parts, &receiver);
        received
            .map(Self)
            .map_err(|error| rejection(&receiver, &error))
    }
}

impl<S> OptionalFromRequestParts<S> for ForwardedAttestation
where
    Arc<ResultReceiver>: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = AttestationRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, AttestationRejection> {
        let receiver = Arc::<ResultReceiver>::from_ref(state);
        match receive(parts, &receiver) {
            Ok(result) => Ok(Some(Self(result))),
            Err(ReceiveError::Absent) => Ok(None),
            Err(error) => Err(rejection(&receiver, &error)),
        }
    }
}

/// The statement that this receiver accepted for this request.
#[derive(Clone)]
struct Received {
    by: Arc<ResultReceiver>,
    /// Of these values of the headers. Extensions may be copied to another request, and headers may be taken out between two layers.
    of: [Vec<HeaderValue>; 2],
    result: ForwardedResult,
}

/// A request's statement is received once, however many layers and handlers extract it: it may be good for one request.
fn receive(
    parts: &mut Parts,
    receiver: &Arc<ResultReceiver>,
) -> Result<ForwardedResult, ReceiveError> {
    let known = parts.extensions.get::<Received>();
    let known = known.filter(|known| Arc::ptr_eq(&known.by, receiver));
    let of = values(&parts.headers);
    if let Some(known) = known.filter(|known| known.of == of) {
        return Ok(known.result.clone());
    }
    let result = receiver.receive(&parts.headers)?;
    parts.extensions.insert(Received {
        by: receiver.clone(),
        of,
        result: result.clone(),
    });
    Ok(result)
}

/// The statement, of which a receiver accepts one alone, and what stands beside it.
fn values(headers: &HeaderMap) -> [Vec<HeaderValue>; 2] {
    [HEADER, VERIFIER_HEADER].map(|name| headers.get_all(name).into_iter().cloned().collect())
}

/// The sender is told little; the log has the reason.
fn rejection(receiver: &ResultReceiver, error: &ReceiveError) -> AttestationRejection {
    receiver.trace_refusal(error);
    AttestationRejection::new(error.problem())
}
