//! The extractor of a connection's lifetime.

use std::ops::Deref;

use atls_tower::ClientAttestation;
use atls_tower::Lifetime;
use atls_tower::Problem;
use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::extract::AttestationRejection;

/// When the connection of this request drains and ends, for handlers of long streams.
///
/// It is there for unattested clients too. A request that passed no attestation layer is answered with `500`.
///
/// ```
/// # use atls_axum::ConnectionLifetime;
/// # use axum::{Router, body::Body, routing::get};
/// # async fn next_event() -> String { String::new() }
/// /// The next event, or the news that the connection ends: the client asks for it on a new one.
/// async fn event(lifetime: ConnectionLifetime) -> String {
///     tokio::select! {
///         event = next_event() => event,
///         () = lifetime.draining() => "ask again".to_owned(),
///     }
/// }
/// # let _: Router = Router::new().route("/event", get(event));
/// ```
#[derive(Clone, Debug)]
pub struct ConnectionLifetime(Lifetime);

impl ConnectionLifetime {
    /// The value for tasks that outlive the request.
    pub fn into_inner(self) -> Lifetime {
        self.0
    }
}

impl Deref for ConnectionLifetime {
    type Target = Lifetime;

    fn deref(&self) -> &Lifetime {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for ConnectionLifetime {
    type Rejection = AttestationRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AttestationRejection> {
        match ClientAttestation::lifetime(&parts.extensions) {
            Some(lifetime) => Ok(Self(lifetime.clone())),
            None => Err(AttestationRejection::new(Problem::NoLayer)),
        }
    }
}
