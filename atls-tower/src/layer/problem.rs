//! The answer to a request that may not pass.

use std::fmt;

use http::HeaderValue;
use http::Response;
use http::StatusCode;
use http::header::CONTENT_TYPE;

/// Why a request was refused for its client's attestation, as an RFC 9457 problem.
///
/// ```text
/// {"type":"about:blank","title":"Forbidden","status":403,"code":"attestation-required","detail":"…"}
/// ```
///
/// `code` is for programs. No detail of the appraisal goes to the client.
///
/// | problem | status | why this one |
/// |---|---|---|
/// | expired | 421 Misdirected Request | RFC 9110 §15.5.20: the request does not match the context of its connection. The client may send it again, whatever its method, over a fresh connection, which is what it should do |
/// | required, insufficient, not verified, no attested TLS | 403 Forbidden | the same client would be refused again |
/// | of a layer, not forwarded | 500 Internal Server Error | the server is misconfigured |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// `attestation-expired`: connect anew.
    Expired,
    /// `attestation-insufficient`: attested, but the policy of this route wants more.
    Insufficient,
    /// `attestation-unknown`: the request passed the [`AttestationLayer`](crate::AttestationLayer)s of two connections.
    /// Remove the one that is not of its own, such as a layer for tests.
    LayersDisagree,
    /// `attestation-unknown`: the request passed no [`AttestationLayer`](crate::AttestationLayer). With axum, serve with
    /// `atls_axum::serve`, or make the router a service with `into_attested_make_service`.
    NoLayer,
    /// `attestation-not-forwarded`: the result of the client could not be stated to the service behind. The log says why.
    NotForwarded,
    /// `attestation-unverified`: a service in front states an attestation of the client that was not verified, or not for this
    /// service, not in time, or for another request. The log says which.
    NotVerified,
    /// `attested-tls-required`: the client does not speak attested TLS, and this server serves no other.
    NotAttestedTls,
    /// `attestation-required`: the client of this connection is not attested.
    Required,
}

impl Problem {
    /// `application/problem+json`
    pub fn to_json(self) -> String {
        let status = self.status();
        serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "code": self.code(),
            "detail": self.to_string(),
        })
        .to_string()
    }

    /// The whole response, for any body made of bytes.
    pub fn to_response<B: From<bytes::Bytes>>(self) -> Response<B> {
        let mut response = Response::new(B::from(self.to_json().into()));
        *response.status_mut() = self.status();
        let json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }

    /// The status of the response.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Expired => StatusCode::MISDIRECTED_REQUEST,
            Self::Insufficient | Self::NotAttestedTls | Self::NotVerified | Self::Required => {
                StatusCode::FORBIDDEN
            }
            Self::LayersDisagree | Self::NoLayer | Self::NotForwarded => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// The member `code`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expired => "attestation-expired",
            Self::Insufficient => "attestation-insufficient",
            Self::LayersDisagree | Self::NoLayer => "attestation-unknown",
            Self::NotForwarded => "attestation-not-forwarded",
            Self::NotVerified => "attestation-unverified",
            Self::NotAttestedTls => "attested-tls-required",
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
            Self::LayersDisagree | Self::NoLayer => {
                "the server is misconfigured and cannot tell the attestation of this connection"
            }
            Self::NotForwarded => {
                "the attestation of this connection could not be forwarded to the service behind"
            }
            Self::NotVerified => "the forwarded attestation of the client was not verified",
            Self::NotAttestedTls => {
                "this server serves only clients that attest themselves; connect with attested TLS"
            }
            Self::Required => "this resource needs a connection whose client attested itself",
        })
    }
}

impl std::error::Error for Problem {}
