//! What a client is told that may not pass.

use std::fmt;

use atls_core::PeerAttestation;
use http::Extensions;
use http::HeaderValue;
use http::Response;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use std::sync::Arc;

use super::attestation::Expired;

/// Why a request was refused for its peer's attestation: `403`, as an RFC 9457 problem.
///
/// ```text
/// {"type":"about:blank","title":"Forbidden","status":403,"code":"attestation-required","detail":"…"}
/// ```
///
/// `code` is for programs. No detail of the appraisal goes to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// `attestation-expired`: connect anew.
    Expired,
    /// `attestation-insufficient`: attested, but the policy of this route wants more.
    Insufficient,
    /// `attestation-required`: the peer of this connection is not attested.
    Required,
}

impl Problem {
    /// The peer of the connection that a request came over, from the request's extensions.
    ///
    /// # Errors
    /// [`Problem::Required`] without, [`Problem::Expired`] with one that ended.
    pub fn peer_of(extensions: &Extensions) -> Result<&Arc<PeerAttestation>, Self> {
        match (
            extensions.get::<Arc<PeerAttestation>>(),
            extensions.get::<Expired>(),
        ) {
            (_, Some(Expired)) => Err(Self::Expired),
            (Some(peer), None) => Ok(peer),
            (None, None) => Err(Self::Required),
        }
    }

    /// `application/problem+json`
    pub fn to_json(self) -> String {
        serde_json::json!({
            "type": "about:blank",
            "title": "Forbidden",
            "status": StatusCode::FORBIDDEN.as_u16(),
            "code": self.code(),
            "detail": self.to_string(),
        })
        .to_string()
    }

    /// The whole response, for any body made of octets.
    pub fn to_response<B: From<bytes::Bytes>>(self) -> Response<B> {
        let mut response = Response::new(B::from(self.to_json().into()));
        *response.status_mut() = StatusCode::FORBIDDEN;
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }

    /// The member `code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "attestation-expired",
            Self::Insufficient => "attestation-insufficient",
            Self::Required => "attestation-required",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the attestation of this connection has expired; connect anew",
            Self::Insufficient => {
                "the attestation of this connection does not suffice for this resource"
            }
            Self::Required => "this resource needs a connection whose client attested itself",
        })
    }
}

impl std::error::Error for Problem {}
