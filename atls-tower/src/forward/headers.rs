//! The headers, and their removal from what comes in.

use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;
use http::header::CONNECTION;

/// The statement of the service that forwards: a compact JWS, or a CWT in base64url, which has no dot. At most 8 KiB.
pub const HEADER: HeaderName = HeaderName::from_static("atls-ear");

/// The signed results of the verifiers that the service asked, one value each: a compact JWS, or a CWT in base64url. At most 8 KiB together.
pub const VERIFIER_HEADER: HeaderName = HeaderName::from_static("atls-verifier-ear");

/// Removes both headers, and all names that CGI, WSGI or PHP would take for them: these read `_`, and some gateways `.`, as `-`. Removes
/// them from the list in `Connection` too, by which a client would have the next hop remove what is stated here.
pub fn remove(headers: &mut HeaderMap) {
    let names: Vec<_> = headers
        .keys()
        .filter(|name| is_one(name.as_str().as_bytes()))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
    if listed(headers).any(is_one) {
        let others: Vec<_> = listed(headers).filter(|name| !is_one(name)).collect();
        let others = others.join(&b", "[..]);
        headers.remove(CONNECTION);
        if let Ok(others) = HeaderValue::from_bytes(&others)
            && !others.is_empty()
        {
            headers.insert(CONNECTION, others);
        }
    }
}

/// The names in `Connection`, which concern the next hop alone (RFC 9110 §7.6.1).
fn listed(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lists = headers.get_all(CONNECTION).into_iter();
    let names = lists.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    names
        .map(<[u8]>::trim_ascii)
        .filter(|name| !name.is_empty())
}

fn is_one(name: &[u8]) -> bool {
    let as_read = name.iter().map(|byte| {
        if byte.is_ascii_alphanumeric() {
            byte.to_ascii_lowercase()
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

    #[test]
    fn nobody_can_have_the_next_hop_remove_them() {
        for (lists, left) in [
            (&["Atls-Ear"][..], &[][..]),
            (&["close, ATLS_EAR"], &["close"]),
            (&["atls-verifier-ear,, a", "b ,atls-ear"], &["a, b"]),
            (&["\u{9f}, atls-ear"], &["\u{9f}"]),
            (&["upgrade, atls-early", "a"], &["upgrade, atls-early", "a"]),
        ] {
            let mut headers = HeaderMap::new();
            for list in lists {
                let list = HeaderValue::from_bytes(list.as_bytes()).unwrap();
                headers.append(CONNECTION, list);
            }
            remove(&mut headers);
            let all = headers.get_all(CONNECTION).into_iter();
            let all: Vec<_> = all.map(HeaderValue::as_bytes).collect();
            let left: Vec<_> = left.iter().map(|list| list.as_bytes()).collect();
            assert_eq!(all, left, "{lists:?}");
        }
    }
}
