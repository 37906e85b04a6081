//! Headers that are removed, and headers that say what was attested.

use atls_core::PeerAttestation;
use axum::body::Body;
use axum::body::HttpBody;
use bytes::Bytes;
use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::header;
use http_body_util::BodyExt;
use hyper::body::Frame;

use crate::clock;

/// Removes all that speak of attestation: whoever sent them may have invented them.
pub(super) fn remove_claims(headers: &mut HeaderMap) {
    remove(headers, |name| as_read(name).starts_with(PREFIX));
}

/// The same for trailers, those that say who asks included: some services take trailers for headers.
pub(super) fn without_claims<B>(body: B) -> Body
where
    B: HttpBody<Data = Bytes, Error: Into<axum::BoxError>> + Send + 'static,
{
    Body::new(body.map_frame(|frame| match frame.into_trailers() {
        Ok(mut trailers) => {
            remove_claims(&mut trailers);
            remove_forwarded(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(data) => data,
    }))
}

/// Removes all that say who asks.
pub(super) fn remove_forwarded(headers: &mut HeaderMap) {
    remove(headers, |name| {
        let name = as_read(name);
        name.starts_with("x-forwarded-") || ["forwarded", "x-real-ip"].contains(&name.as_str())
    });
}

/// CGI, WSGI and PHP make the same variable of a `-` and of other signs.
fn as_read(name: &HeaderName) -> String {
    name.as_str()
        .replace(|sign: char| !sign.is_ascii_alphanumeric(), "-")
}

/// Removes those of one hop (RFC 9110 §7.6.1), but for what an upgrade needs.
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    // The chunks say how long a message is, whatever it claims (RFC 9112 §6.3).
    if headers.contains_key(header::TRANSFER_ENCODING) {
        headers.remove(header::CONTENT_LENGTH);
    }
    let trailers = headers
        .get(header::TE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"trailers"));
    remove(headers, |name| {
        HOP_BY_HOP.contains(&name.as_str()) || listed.contains(name)
    });
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
}

/// Says what the peer attested; `none` where it did not.
pub(super) fn claim(headers: &mut HeaderMap, peer: Option<&PeerAttestation>) {
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let Some(peer) = peer else {
        set(STATUS, "none".to_owned());
        return;
    };
    set(STATUS, peer.status().to_string());
    set(BINDING, peer.binding().to_string());
    set(EXPIRES, clock::rfc3339(peer.expires_at()));
    let known: Vec<_> = peer
        .items()
        .iter()
        .filter_map(|item| item.image())
        .collect();
    if !known.is_empty() {
        set(IMAGE, known.join(", "));
    }
}

fn remove(headers: &mut HeaderMap, unwanted: impl Fn(&HeaderName) -> bool) {
    let names: Vec<_> = headers
        .keys()
        .filter(|name| unwanted(name))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

const PREFIX: &str = "atls-";
const STATUS: &str = "atls-status";
const BINDING: &str = "atls-binding";
const EXPIRES: &str = "atls-expires";
const IMAGE: &str = "atls-image";

const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = all.iter();
        pairs
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn no_claim_comes_through_in_any_spelling() {
        let mut all = headers(&[
            ("Atls-Status", "affirming"),
            ("ATLS-Anything", "x"),
            ("atls_status", "affirming"),
            ("Atls.Status", "affirming"),
            ("accept", "y"),
        ]);
        remove_claims(&mut all);
        assert_eq!(all, headers(&[("accept", "y")]));
    }

    #[test]
    fn headers_of_one_hop_end_here() {
        let mut all = headers(&[
            ("connection", "x-one, close"),
            ("x-one", "1"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("accept", "y"),
        ]);
        remove_hop_by_hop(&mut all);
        assert_eq!(all, headers(&[("accept", "y"), ("te", "trailers")]));
    }

    #[test]
    fn an_unattested_peer_is_named_as_such() {
        let mut all = HeaderMap::new();
        claim(&mut all, None);
        assert_eq!(all, headers(&[("atls-status", "none")]));
    }
}
