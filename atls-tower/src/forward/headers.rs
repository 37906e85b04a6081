//! The headers, and their removal from what comes in.

use http::HeaderMap;
use http::HeaderName;

/// The statement of the service that forwards: a compact JWS, or a CWT in base64url, which has no dot. At most 8 KiB.
pub const HEADER: HeaderName = HeaderName::from_static("atls-ear");

/// The signed results of the verifiers that the service asked, one value each: a compact JWS, or a CWT in base64url. At most 8 KiB together.
pub const VERIFIER_HEADER: HeaderName = HeaderName::from_static("atls-verifier-ear");

/// Removes both headers, and all names that CGI, WSGI or PHP would take for them: these read `_`, and some gateways `.`, as `-`.
pub fn remove(headers: &mut HeaderMap) {
    let names: Vec<_> = headers
        .keys()
        .filter(|name| is_one(name))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

fn is_one(name: &HeaderName) -> bool {
    let bytes = name.as_str().bytes();
    let as_read = bytes.map(|byte| {
        if byte.is_ascii_alphanumeric() {
            byte
        } else {
            b'-'
        }
    });
    [HEADER, VERIFIER_HEADER]
        .iter()
        .any(|own| as_read.clone().eq(own.as_str().bytes()))
}

/// Bytes of [`HEADER`], and of all values of [`VERIFIER_HEADER`] together. Servers take headers of 8 KiB or more.
pub(super) const MAX_VALUE: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn no_spelling_of_them_comes_through() {
        let mut headers = HeaderMap::new();
        for name in [
            "Atls-Ear",
            "ATLS-EAR",
            "atls_ear",
            "atls.ear",
            "atls~ear",
            "Atls_Verifier-Ear",
        ] {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_static("forged"));
        }
        headers.insert("atls-early", HeaderValue::from_static("another"));
        remove(&mut headers);
        let left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["atls-early"]);
    }
}
