//! COSE_Sign1 (RFC 9052 §4.2) and what is signed with it: Nitro documents, PSA and CCA tokens, EAR as CWT, signed CoRIM.

use std::time::Duration;

use atls_core::pki_types::UnixTime;
use atls_formats::psa::CCA_TOKEN;
use atls_formats::psa::Profile;
use atls_formats::psa::SignedToken;
use ciborium::Value;

use super::cbor;
use super::certificate;
use super::claims::Names;
use super::corim;
use super::found::Found;
use super::found::Token;
use super::tree::Node;

/// The media type that verifiers know these by.
const NITRO: &str = "application/vnd.atls.nitro-document";

/// A COSE_Sign1 with or without its tag, or a CCA token, which holds two.
pub(super) fn read(bytes: &[u8]) -> Option<Found> {
    let value = cbor::decode(bytes)?;
    if let Some(token) = cca(&value) {
        return Some(Found::evidence(token, CCA_TOKEN, bytes));
    }
    let sign1 = Sign1::of(&value)?;
    if let Some(entries) = sign1.claims()
        && cbor::get_text(entries, "module_id").is_some()
    {
        return Some(Found::evidence(nitro(&sign1, entries), NITRO, bytes));
    }
    if let Some(references) = corim::payload(sign1.payload) {
        let tree = sign1.tree("signed CoRIM", "its author", references);
        let tree = tree.meaning("--verify --key JWK verifies it");
        return Some(Found::token(tree, Token::Corim(bytes.to_vec())));
    }
    let entries = sign1.claims()?;
    let claims = Value::Map(entries.to_vec());
    if cbor::get(entries, 266).is_some() {
        let claims = cbor::tree("claims", &claims, Names::Ear);
        let tree = sign1.tree("EAR (CWT)", "the verifier", claims);
        let tree = tree.meaning("--verify --key JWK verifies it");
        return Some(Found::token(tree, Token::Cwt(bytes.to_vec())));
    }
    let is_psa = [2396, -75_003]
        .iter()
        .any(|key| cbor::get(entries, *key).is_some());
    if is_psa {
        let claims = cbor::tree("claims", &claims, Names::Psa);
        let tree = sign1.tree("PSA attestation token", "the device", claims);
        return Some(Found::evidence(tree, profile(bytes).media_type(), bytes));
    }
    let claims = cbor::tree("claims", &claims, Names::Psa);
    Some(Found::of(sign1.tree("CWT", "its issuer", claims)))
}

/// It decides the media type. A token that cannot be read is refused by its verifier.
fn profile(bytes: &[u8]) -> Profile {
    let token = SignedToken::decode(bytes).ok();
    let profile = token.and_then(|token| token.claims().profile().ok());
    profile.unwrap_or_default()
}

struct Sign1<'a> {
    protected: &'a [u8],
    unprotected: &'a Value,
    payload: &'a [u8],
    signature: &'a [u8],
    decoded: Option<Value>,
}

impl<'a> Sign1<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        let value = match value {
            Value::Tag(SIGN1 | CWT, inner) => match &**inner {
                Value::Tag(SIGN1, inner) => inner,
                _ => inner,
            },
            value => value,
        };
        let Value::Array(parts) = value else {
            return None;
        };
        let [
            Value::Bytes(protected),
            unprotected @ Value::Map(_),
            Value::Bytes(payload),
            Value::Bytes(signature),
        ] = &parts[..]
        else {
            return None;
        };
        Some(Self {
            protected,
            unprotected,
            payload,
            signature,
            decoded: cbor::decode(payload),
        })
    }

    fn claims(&self) -> Option<&[(Value, Value)]> {
        match &self.decoded {
            Some(Value::Map(entries)) => Some(entries),
            _ => None,
        }
    }

    fn tree(&self, name: &str, signer: &'static str, payload: Node) -> Node {
        let header = match cbor::decode(self.protected) {
            Some(header) => header_tree(&header),
            None => Node::bytes("protected header", self.protected),
        };
        let outside = cbor::tree("unprotected header", self.unprotected, Names::CoseHeader);
        Node::branch(name)
            .with(
                Node::branch("signed part")
                    .signed_by(signer)
                    .with(header)
                    .with(payload),
            )
            .with(outside.unsigned())
            .with(Node::bytes("signature", self.signature).unsigned())
    }
}

fn header_tree(header: &Value) -> Node {
    let node = cbor::tree("protected header", header, Names::CoseHeader);
    let Value::Map(entries) = header else {
        return node;
    };
    let algorithm = cbor::get(entries, 1)
        .and_then(Value::as_integer)
        .map(i128::from);
    match algorithm {
        Some(-7) => node.meaning("alg: ES256"),
        Some(-35) => node.meaning("alg: ES384"),
        Some(-36) => node.meaning("alg: ES512"),
        Some(-8) => node.meaning("alg: EdDSA"),
        Some(-37) => node.meaning("alg: PS256"),
        _ => node,
    }
}

fn nitro(sign1: &Sign1<'_>, entries: &[(Value, Value)]) -> Node {
    let children = entries
        .iter()
        .map(|(key, value)| match (key.as_text(), value) {
            (Some("certificate"), Value::Bytes(der)) => {
                certificate::short(der).renamed("certificate")
            }
            (Some("cabundle"), Value::Array(chain)) => {
                let chain = chain.iter().filter_map(Value::as_bytes);
                let chain = chain.map(|der| certificate::short(der));
                Node::branch("cabundle")
                    .with_all(chain)
                    .meaning("root first")
            }
            (Some("timestamp"), Value::Integer(milliseconds)) => {
                let seconds = u64::try_from(i128::from(*milliseconds)).unwrap_or_default() / 1000;
                let at = Duration::from_secs(seconds);
                let at = UnixTime::since_unix_epoch(at);
                Node::leaf("timestamp", i128::from(*milliseconds))
                    .meaning(crate::clock::rfc3339(at))
            }
            (Some(name), value) => {
                let node = cbor::tree(name, value, Names::Nitro);
                match nitro_meaning(name) {
                    Some(meaning) => node.meaning(meaning),
                    None => node,
                }
            }
            (None, value) => cbor::tree(&cbor::shown(key), value, Names::Nitro),
        });
    let document = Node::branch("attestation document").with_all(children);
    sign1.tree(
        "AWS Nitro attestation document",
        "the enclave's key, which AWS certified",
        document,
    )
}

fn nitro_meaning(name: &str) -> Option<&'static str> {
    Some(match name {
        "module_id" => "names the instance and the enclave",
        "nonce" => "the value of the connection",
        "pcrs" => {
            "0 image, 1 kernel and boot, 2 application, 3 IAM role, 4 instance, 8 signer of the image"
        }
        "public_key" => "the key of the connection",
        "user_data" => "chosen by the enclave; nothing interprets it",
        _ => return None,
    })
}

/// draft-ffm-rats-cca-token: both tokens in a map, within tag 399 or, of old, 907.
fn cca(value: &Value) -> Option<Node> {
    let Value::Tag(399 | 907, inner) = value else {
        return None;
    };
    let Value::Map(entries) = &**inner else {
        return None;
    };
    let part = |key, name, signer, names| {
        let bytes = token_bytes(cbor::get(entries, key)?)?;
        let token = cbor::decode(&bytes)?;
        let sign1 = Sign1::of(&token)?;
        let claims = Value::Map(sign1.claims()?.to_vec());
        Some(sign1.tree(name, signer, cbor::tree("claims", &claims, names)))
    };
    let platform = part(44_234, "platform token", "the platform", Names::CcaPlatform)?;
    let realm = part(
        44_241,
        "realm token",
        "the realm's key, which the platform vouches for",
        Names::CcaRealm,
    )?;
    Some(Node::branch("Arm CCA token").with(platform).with(realm))
}

/// A token as bytes, or as a CMW record within.
fn token_bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Bytes(bytes) => Some(bytes.clone()),
        Value::Array(record) => match &record[..] {
            [_, Value::Bytes(bytes), ..] => Some(bytes.clone()),
            _ => None,
        },
        _ => None,
    }
}

const SIGN1: u64 = 18;
const CWT: u64 = 61;
