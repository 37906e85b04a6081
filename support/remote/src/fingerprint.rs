//! The fingerprint of a key: the thumbprint of a JWK, RFC 7638.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;

/// SHA-256 of a public JWK's required members (RFC 7638), 32 bytes; as text base64url, 43 characters.
///
/// An operator tells it to the users over a channel that is not the service. By it they trust a key that the service names.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyFingerprint([u8; 32]);

impl KeyFingerprint {
    /// The fingerprint of a JWK of P-256, P-384, Ed25519 or RSA; `None` for another.
    pub fn of(jwk: &Value) -> Option<Self> {
        let member = |name: &str| {
            let text = jwk.get(name)?.as_str()?;
            Some(format!("\"{name}\":{}", Value::from(text)))
        };
        // The names are in lexicographic order, without whitespace (RFC 7638 §3).
        let names: &[&str] = match jwk.get("kty")?.as_str()? {
            "EC" => &["crv", "kty", "x", "y"],
            "OKP" => &["crv", "kty", "x"],
            "RSA" => &["e", "kty", "n"],
            _ => return None,
        };
        let members: Option<Vec<_>> = names.iter().map(|name| member(name)).collect();
        let canonical = format!("{{{}}}", members?.join(","));
        Some(Self(Sha256::digest(canonical).into()))
    }
}

impl FromStr for KeyFingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text);
        let bytes = bytes.map_err(|_| FingerprintError)?;
        bytes.try_into().map(Self).map_err(|_| FingerprintError)
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFingerprint({self})")
    }
}

/// The text is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint: 43 characters of base64url without padding")]
#[non_exhaustive]
pub struct FingerprintError;

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7638 §3.1.
    #[test]
    fn a_fingerprint_is_the_thumbprint_of_the_rfc() {
        let jwk = serde_json::json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs\
        tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI\
        SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
            "alg": "RS256",
            "kid": "2011-04-29",
        });
        let expected = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert_eq!(KeyFingerprint::of(&jwk).unwrap().to_string(), expected);
        assert_eq!(expected.parse(), Ok(KeyFingerprint::of(&jwk).unwrap()));
    }

    #[test]
    fn other_texts_and_keys_have_no_fingerprint() {
        let good = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        let padded = format!("{good}=");
        for text in ["", "abc", &good[..42], &padded, &good.replace('_', "/")] {
            assert_eq!(
                text.parse::<KeyFingerprint>(),
                Err(FingerprintError),
                "{text}"
            );
        }
        assert_eq!(
            KeyFingerprint::of(&serde_json::json!({ "kty": "oct", "k": "AA" })),
            None
        );
        assert_eq!(
            KeyFingerprint::of(&serde_json::json!({ "kty": "EC", "crv": "P-256", "x": "AA" })),
            None
        );
    }
}
