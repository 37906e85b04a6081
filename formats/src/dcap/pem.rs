//! Certificate chains in PEM, in the one form that Intel writes.
//!
//! RFC 7468 leaves room for white space, comments and other labels, and a quote's chain is not covered by the
//! quote's signature. Only the canonical form is read, so that no byte of a quote can be changed unnoticed.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// The DER certificates of a chain, in their order; `None` for anything but lines of 64 characters between the two
/// boundaries, each ended by a line feed. One zero byte may follow, as Intel's Quoting Enclave writes it.
pub fn decode(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let bytes = match bytes {
        [text @ .., 0] => text,
        text => text,
    };
    let mut certificates = Vec::new();
    let mut rest = std::str::from_utf8(bytes).ok()?;
    while !rest.is_empty() {
        if certificates.len() >= MAX_CERTIFICATES {
            return None;
        }
        let body = rest.strip_prefix(BEGIN)?;
        let (body, after) = body.split_once(END)?;
        certificates.push(body_of(body)?);
        rest = after;
    }
    (!certificates.is_empty()).then_some(certificates)
}

/// The same from tools and headers, which leave out the last line feed or not.
pub fn decode_unended(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    if bytes.ends_with(b"\n") {
        decode(bytes)
    } else {
        decode(&[bytes, b"\n"].concat())
    }
}

/// The same form, ended by a line feed.
pub fn encode<T: AsRef<[u8]>>(certificates: &[T]) -> String {
    let mut text = String::new();
    for certificate in certificates {
        text.push_str(BEGIN);
        let body = BASE64_STANDARD.encode(certificate);
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
            text.push_str(line);
            text.push('\n');
            rest = after;
        }
        text.push_str(END);
    }
    text
}

fn body_of(body: &str) -> Option<Vec<u8>> {
    let mut rest = body.strip_suffix('\n')?;
    let mut text = String::new();
    while let Some((line, after)) = rest.split_once('\n') {
        if line.len() != LINE {
            return None;
        }
        text.push_str(line);
        rest = after;
    }
    if rest.is_empty() || rest.len() > LINE {
        return None;
    }
    text.push_str(rest);
    BASE64_STANDARD.decode(text).ok()
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----\n";
const END: &str = "-----END CERTIFICATE-----\n";

/// Characters of base64 in a line.
const LINE: usize = 64;

/// Leaf, intermediate and root, and room for one more.
const MAX_CERTIFICATES: usize = 4;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_the_canonical_form_is_read() {
        let chain = [vec![0x30, 7, 9], vec![0x30; 96], vec![1; 49]];
        let text = encode(&chain);
        assert_eq!(decode(text.as_bytes()).unwrap(), chain);
        assert_eq!(decode(format!("{text}\0").as_bytes()).unwrap(), chain);
        let unended = text.trim_end();
        assert_eq!(decode_unended(unended.as_bytes()).unwrap(), chain);
        assert_eq!(decode_unended(text.as_bytes()).unwrap(), chain);
        for other in [
            String::new(),
            text.replace('\n', "\r\n"),
            format!(" {text}"),
            format!("{text}\n"),
            format!("{text}\0\0"),
            unended.to_owned(),
            format!("{unended}\0"),
            format!("# comment\n{text}"),
            text.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
            text.replacen("\n-----END", "-----END", 1),
            text.replacen("MAc", "M Ac", 1),
            text.replacen("MAcJ", "MAcJ\n", 1),
            "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n".to_owned(),
            // Bits after the last byte.
            text.replacen("AQ==", "AR==", 1),
            encode(&[[0; 3]; 5]),
        ] {
            assert_eq!(decode(other.as_bytes()), None, "{other:?}");
        }
        assert_eq!(decode(&[0xff; 40]), None);
    }

    proptest! {
        #[test]
        fn chains_survive(chain in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..200), 1..=4)) {
            prop_assert_eq!(decode(encode(&chain).as_bytes()), Some(chain));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode(&bytes);
        }
    }
}
