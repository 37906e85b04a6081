//! JSON of any kind, within limits; JWTs, EAR among them.

use std::time::Duration;

use atls_core::bounded;
use atls_core::ear::MAX_TOKEN;
use atls_core::limits::MAX_TOKEN_VALUES;
use atls_core::pki_types::UnixTime;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;

use super::claims;
use super::found::Found;
use super::found::Token;
use super::tree::Node;
use crate::clock;

/// A JWT in compact form.
pub(super) fn jwt(text: &str) -> Option<Found> {
    if text.len() > MAX_TOKEN {
        return None;
    }
    let mut parts = text.split('.');
    let (header, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let header = object(header)?;
    let claims = object(payload)?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
    let is_ear = claims.get("submods").is_some() || claims.get("ear.verifier-id").is_some();
    let (name, signer) = match is_ear {
        true => ("EAR (JWT)", "the verifier"),
        false => ("JWT", "its issuer"),
    };
    let signed = Node::branch("signed part")
        .signed_by(signer)
        .with(tree("header", &header))
        .with(tree("claims", &claims));
    let signature = Node::bytes("signature", &signature).unsigned();
    let tree = Node::branch(name)
        .meaning("--verify --key JWK verifies it")
        .with(signed)
        .with(signature);
    Some(Found::token(tree, Token::Jwt(text.to_owned())))
}

fn object(part: &str) -> Option<Value> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).ok()?;
    let value = decode(&bytes)?;
    value.is_object().then_some(value)
}

/// One JSON text of bounded size.
pub(super) fn decode(bytes: &[u8]) -> Option<Value> {
    if !bounded::json(MAX_TOKEN_VALUES, bytes) {
        return None;
    }
    // Its own limit of nesting is 128.
    serde_json::from_slice(bytes).ok()
}

/// A value with all that it holds.
// Recursion is bounded by the parser's limit of nesting.
pub(super) fn tree(name: &str, value: &Value) -> Node {
    match value {
        Value::Array(elements) => {
            let children = elements.iter().enumerate();
            let children = children.map(|(index, element)| tree(&index.to_string(), element));
            Node::branch(name).with_all(children)
        }
        Value::Object(members) => {
            let children = members.iter().map(|(name, value)| tree(name, value));
            Node::branch(name).with_all(children)
        }
        scalar => {
            let shown = match scalar {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let node = Node::leaf(name, shown);
            match meaning(name, scalar) {
                Some(meaning) => node.meaning(meaning),
                None => node,
            }
        }
    }
}

fn meaning(name: &str, value: &Value) -> Option<String> {
    match (name, value) {
        ("iat" | "exp" | "nbf", Value::Number(seconds)) => {
            let at = Duration::from_secs(seconds.as_u64()?);
            let at = UnixTime::since_unix_epoch(at);
            Some(clock::rfc3339(at))
        }
        ("eat_nonce", _) => {
            Some("the value of the connection, as the verifier was given it".to_owned())
        }
        (category, Value::Number(number)) => claims::trust(category, number.as_i64()?.into()),
        _ => None,
    }
}
