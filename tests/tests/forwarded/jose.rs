//! Statements as JWT whose envelope says something else than its key does. Each is signed, or MACed, over exactly what it says.

use atls_core::ear::EarError;
use atls_tower::forward::HEADER;
use atls_tower::forward::ReceiveError;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::HeaderMap;
use http::HeaderValue;
use serde_json::json;

use crate::hop::Hop;

#[tokio::test]
async fn another_algorithm_than_the_keys_is_refused() {
    let statement = Statement::new().await;
    assert_eq!(statement.signed(r#"{"alg":"ES256"}"#), Ok(()));
    let stated = |alg: &str| statement.signed(&format!(r#"{{"alg":{alg}}}"#));
    for algorithm in [
        r#""none""#,
        r#""None""#,
        r#""""#,
        r#""HS256""#,
        r#""ES384""#,
        r#""ES512""#,
        r#""ES256K""#,
        r#""EdDSA""#,
        r#""PS256""#,
        r#""RS256""#,
        r#""es256""#,
        r#""ES256 ""#,
        r#"["ES256"]"#,
        "-7",
        "null",
        r#""none","alg":"ES256""#,
        r#""ES256","alg":"none""#,
        r#""ES256","alg":"ES256""#,
    ] {
        assert_refused(stated(algorithm), algorithm);
    }
    assert_refused(statement.signed("{}"), "no algorithm");
    assert_refused(statement.signed(r#"{"Alg":"ES256"}"#), "another name");
    assert_refused(statement.signed(r#"["ES256"]"#), "no object");
    assert_refused(statement.signed(""), "nothing");
}

#[tokio::test]
async fn a_header_that_changes_the_meaning_of_the_rest_is_refused() {
    let statement = Statement::new().await;
    for field in [
        r#""crit":["exp"]"#,
        r#""crit":["atls"],"atls":1"#,
        r#""crit":["b64"],"b64":true"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""b64":false"#,
        r#""zip":"DEF""#,
        r#""enc":"A128GCM""#,
    ] {
        let received = statement.signed(&format!(r#"{{"alg":"ES256",{field}}}"#));
        assert_refused(received, field);
    }
}

#[tokio::test]
async fn a_key_in_the_token_is_not_looked_at() {
    let statement = Statement::new().await;
    let strange = Hop::new();
    let (x, y) = strange.public_key()[1..].split_at(32);
    let [x, y] = [x, y].map(|half| BASE64_URL_SAFE_NO_PAD.encode(half));
    let key = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    for (name, value) in [
        ("jwk", key),
        ("jku", json!("https://attacker.example/keys")),
        ("x5u", json!("https://attacker.example/chain")),
        ("x5c", json!(["AAAA"])),
        ("kid", json!("../../dev/null")),
    ] {
        let header = json!({ "alg": "ES256", name: value });
        let message = statement.message(&header.to_string());
        let received = statement.receive(&message, &strange.sign(message.as_bytes()));
        assert_eq!(received, Err(EarError::BadSignature.into()), "{name}");
    }
}

/// The public key as the secret: whoever knows it could make one.
#[tokio::test]
async fn a_mac_under_the_public_key_is_no_signature() {
    let statement = Statement::new().await;
    for secret in public_keys(&statement.hop) {
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        for algorithm in ["HS256", "ES256", "none"] {
            let message = statement.message(&format!(r#"{{"alg":"{algorithm}"}}"#));
            let mac = ring::hmac::sign(&secret, message.as_bytes());
            assert_refused(statement.receive(&message, mac.as_ref()), algorithm);
        }
    }
}

#[tokio::test]
async fn what_is_no_signature_is_none() {
    let statement = Statement::new().await;
    let message = statement.message(r#"{"alg":"ES256"}"#);
    let good = statement.hop.sign(message.as_bytes());
    let (r, s) = good.split_at(32);
    let der = [&[0x30, 68, 2, 32][..], r, &[2, 32], s].concat();
    for signature in [
        vec![],
        vec![0; 64],
        r.to_vec(),
        [s, r].concat(),
        der,
        [&good[..], &[0]].concat(),
    ] {
        let received = statement.receive(&message, &signature);
        assert_eq!(
            received,
            Err(EarError::BadSignature.into()),
            "{signature:?}"
        );
    }
    assert_eq!(statement.receive(&message, &good), Ok(()));
}

#[tokio::test]
async fn another_serialization_is_refused() {
    let statement = Statement::new().await;
    let message = statement.message(r#"{"alg":"ES256"}"#);
    let signature = BASE64_URL_SAFE_NO_PAD.encode(statement.hop.sign(message.as_bytes()));
    let (header, claims) = message.split_once('.').unwrap();
    let flattened = json!({ "protected": header, "payload": claims, "signature": signature });
    let general = json!({
        "payload": claims,
        "signatures": [{ "protected": header, "signature": signature }],
    });
    for value in [
        flattened.to_string(),
        general.to_string(),
        format!("{header}..{signature}"),
        format!("{header}.{claims}.{signature}."),
        format!("{header}.{claims}.{signature}.."),
        format!("{header}.{claims}.{signature}="),
        format!("Bearer {header}.{claims}.{signature}"),
        format!("{header}.{claims}.{signature},{header}.{claims}.{signature}"),
    ] {
        assert_refused(statement.receive_value(&value), &value);
    }
    let honest = format!("{header}.{claims}.{signature}");
    assert_eq!(statement.receive_value(&honest), Ok(()));
}

/// The forms in which the key of these statements is public: a point, its halves, a SubjectPublicKeyInfo, a JWK.
pub(crate) fn public_keys(hop: &Hop) -> Vec<Vec<u8>> {
    let point = hop.public_key();
    let (x, y) = point[1..].split_at(32);
    let spki = [&SPKI_P256, point].concat();
    let [x64, y64] = [x, y].map(|half| BASE64_URL_SAFE_NO_PAD.encode(half));
    let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x64}","y":"{y64}"}}"#);
    vec![
        point.to_vec(),
        x.to_vec(),
        point[1..].to_vec(),
        spki,
        jwk.into_bytes(),
        Vec::new(),
    ]
}

/// The head of a SubjectPublicKeyInfo of P-256 (RFC 5480).
const SPKI_P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// An honest statement, to be put under other headers.
struct Statement {
    hop: Hop,
    /// In base64url.
    claims: String,
}

impl Statement {
    async fn new() -> Self {
        let hop = Hop::new();
        let sent = hop.headers(hop.forwarder()).await;
        let value = sent[&HEADER].to_str().unwrap();
        let claims = value.split('.').nth(1).unwrap().to_owned();
        Self { hop, claims }
    }

    /// What the receiver says to it, signed under this header.
    fn signed(&self, header: &str) -> Result<(), ReceiveError> {
        let message = self.message(header);
        self.receive(&message, &self.hop.sign(message.as_bytes()))
    }

    fn message(&self, header: &str) -> String {
        format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), self.claims)
    }

    fn receive(&self, message: &str, signature: &[u8]) -> Result<(), ReceiveError> {
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        self.receive_value(&format!("{message}.{signature}"))
    }

    fn receive_value(&self, value: &str) -> Result<(), ReceiveError> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_str(value).unwrap());
        self.hop.receiver().receive(&headers).map(|_| ())
    }
}

fn assert_refused(received: Result<(), ReceiveError>, what: &str) {
    let refused = received.expect_err(what);
    assert!(matches!(refused, ReceiveError::Invalid(_)), "{what}");
}
