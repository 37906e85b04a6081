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

/// Leaves a length that is one, and says otherwise that a body comes in chunks: without either, HTTP/1.1 takes a request of some methods for one
/// without a body. HTTP/2 needs neither, and the client leaves chunks out there.
pub(super) fn say_length(headers: &mut HeaderMap, has_body: bool) {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let is_number = |length: &HeaderValue| {
        !length.is_empty() && length.as_bytes().iter().all(u8::is_ascii_digit)
    };
    let is_one = lengths.next().is_some_and(is_number) && lengths.next().is_none();
    if is_one {
        return;
    }
    headers.remove(header::CONTENT_LENGTH);
    if has_body {
        let chunked = HeaderValue::from_static("chunked");
        headers.insert(header::TRANSFER_ENCODING, chunked);
    }
}

/// HTTP/2 splits cookies, and other versions have them in one header (RFC 9113 §8.2.3).
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let cookies: Vec<_> = headers.get_all(header::COOKIE).iter().collect();
    if cookies.len() < 2 {
        return;
    }
    let cookies: Vec<_> = cookies.iter().map(|cookie| cookie.as_bytes()).collect();
    // Values that are joined are one.
    if let Ok(joined) = HeaderValue::from_bytes(&cookies.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
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
    fn a_length_is_one_number_or_none() {
        for lengths in [&[""][..], &["5", "5"], &["5", "7"], &["+5"], &["5, 5"], &[]] {
            let pairs: Vec<_> = lengths.iter().map(|it| ("content-length", *it)).collect();
            let mut all = headers(&pairs);
            say_length(&mut all, false);
            assert_eq!(all, HeaderMap::new(), "{lengths:?}");
            let mut all = headers(&pairs);
            say_length(&mut all, true);
            let chunked = headers(&[("transfer-encoding", "chunked")]);
            assert_eq!(all, chunked, "{lengths:?}");
        }
        let mut all = headers(&[("content-length", "5")]);
        say_length(&mut all, true);
        assert_eq!(all, headers(&[("content-length", "5")]));
    }

    #[test]
    fn an_unattested_peer_is_named_as_such() {
        let mut all = HeaderMap::new();
        claim(&mut all, None);
        assert_eq!(all, headers(&[("atls-status", "none")]));
    }
}
