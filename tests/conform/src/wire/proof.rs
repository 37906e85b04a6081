//! Evidence of a batch (docs/protocol.md §5.1): to send, and what is unusual in one that came.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ciborium::Value;
use ring::digest::SHA256;
use ring::digest::digest;
use serde_json::json;

use super::cbor;
use super::cmw::COLLECTION_TYPE;
use super::cmw::Cmw;
use super::cmw::Item;
use super::cmw::Payload;
use crate::twist::Twist;

/// Where a connection stands in a batch.
#[derive(Clone, Debug)]
pub struct Membership {
    pub index: u64,
    pub size: u64,
    pub path: Vec<[u8; 32]>,
}

impl Membership {
    /// The second of three, or what the twist makes of it.
    pub fn new(twist: Option<Twist>) -> Self {
        let hash = |n: u8| sha256(&[&[n]]);
        let (index, size, path) = match twist {
            Some(Twist::SizeOne) => (0, 1, Vec::new()),
            Some(Twist::SizeBeyond) => (0, 65_537, (0..17).map(hash).collect()),
            Some(Twist::IndexBeyond) => (3, 3, vec![hash(1)]),
            Some(Twist::ShortPath) => (1, 3, vec![hash(1)]),
            Some(Twist::LongPath) => (1, 3, vec![hash(1), hash(2), hash(3)]),
            _ => (1, 3, vec![hash(1), hash(2)]),
        };
        Self { index, size, path }
    }

    /// The value that the Evidence carries for a connection with this binder. Of a path that does not fit, as much as does.
    pub fn root(&self, binder: &[u8]) -> Vec<u8> {
        let leaf = sha256(&[&[0], binder]);
        let sides = sides(self.index, self.size);
        let steps = sides.iter().rev().zip(&self.path);
        let root = steps.fold(leaf, |below, (is_left, hash)| match is_left {
            true => sha256(&[&[1], &below, hash]),
            false => sha256(&[&[1], hash, &below]),
        });
        root.to_vec()
    }

    fn encode(&self) -> Vec<u8> {
        cbor::write(&Value::Array(vec![
            self.index.into(),
            self.size.into(),
            Value::Bytes(self.path.concat()),
        ]))
    }

    fn read(bytes: &[u8], twists: &mut Vec<Twist>) -> Option<Self> {
        let (Value::Array(fields), rest) = cbor::read(bytes)? else {
            return None;
        };
        if !rest.is_empty() {
            twists.push(Twist::ProofTrailing);
        }
        let [index, size, path] = &fields[..] else {
            return None;
        };
        let (index, size) = (cbor::unsigned(index)?, cbor::unsigned(size)?);
        let (path, []) = path.as_bytes()?.as_chunks() else {
            return None;
        };
        match size {
            0..=1 => twists.push(Twist::SizeOne),
            65_537.. => twists.push(Twist::SizeBeyond),
            _ => {}
        }
        if index >= size {
            twists.push(Twist::IndexBeyond);
        }
        match path.len().cmp(&sides(index, size).len()) {
            std::cmp::Ordering::Less => twists.push(Twist::ShortPath),
            std::cmp::Ordering::Greater => twists.push(Twist::LongPath),
            std::cmp::Ordering::Equal => {}
        }
        Some(Self {
            index,
            size,
            path: path.to_vec(),
        })
    }
}

/// Evidence of a batch on the wire.
pub fn encode(payload: &Payload, membership: &Membership, twist: Option<Twist>) -> Vec<u8> {
    let mut proof = membership.encode();
    if twist == Some(Twist::ProofTrailing) {
        proof.push(0);
    }
    let mut fields = vec![Value::from(PROOF), Value::Bytes(proof.clone())];
    if twist == Some(Twist::MarkedProof) {
        fields.push(2.into());
    }
    let own = payload.record();
    let proof_record = Value::Array(fields);
    let mut members = vec![(0.into(), own.clone()), (1.into(), proof_record.clone())];
    match twist {
        Some(Twist::JsonBatch) => {
            let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            let text = json!({
                "0": [payload.media_type, encode(&payload.value), 4],
                "1": [PROOF, encode(&proof)],
            });
            return text.to_string().into_bytes();
        }
        Some(Twist::LooseBatch) => {
            let mut bytes = cbor::write(&Value::Map(members));
            if let Some(first) = bytes.first_mut() {
                *first = 0xbf;
            }
            bytes.push(0xff);
            return bytes;
        }
        Some(Twist::ThirdMember) => {
            let endorsement = Value::Array(vec![
                "application/x".into(),
                Value::Bytes(vec![1]),
                2.into(),
            ]);
            members.push((2.into(), endorsement));
        }
        Some(Twist::TypedBatch) => {
            members.push((COLLECTION_TYPE.into(), "tag:x,2026:batch".into()))
        }
        Some(Twist::BatchWithoutProof) => return cbor::write(&own),
        Some(Twist::NestedProof) => {
            let inner = vec![("a".into(), own), ("b".into(), proof_record)];
            if let Some((_, evidence)) = members.first_mut() {
                *evidence = Value::Map(inner);
            }
        }
        _ => {}
    }
    cbor::write(&Value::Map(members))
}

/// Evidence of a batch that came: the Evidence, its place, and what is unusual.
#[derive(Clone, Debug, Default)]
pub struct OfBatch {
    pub evidence: Cmw,
    pub membership: Option<Membership>,
}

impl OfBatch {
    /// `None` for bytes that hold no CMW at all.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut whole = Cmw::read(bytes)?;
        let mut twists = Vec::new();
        let of_proof = |item: &Item| item.media_type.as_deref() == Some(PROOF);
        let is_json = whole.twists.contains(&Twist::JsonCmw);
        let expected = [Twist::JsonCmw, Twist::CollectionCmw];
        whole.twists.retain(|twist| !expected.contains(twist));
        if is_json {
            twists.push(Twist::JsonBatch);
        } else if cbor::shape(bytes)?.is_loose {
            twists.push(Twist::LooseBatch);
        }
        let proofs: Vec<Item> = whole
            .items
            .iter()
            .filter(|item| of_proof(item))
            .cloned()
            .collect();
        whole.items.retain(|item| !of_proof(item));
        if let Some((Value::Map(members), _)) = cbor::read(bytes) {
            let numbered = |key: &Value| matches!(cbor::unsigned(key), Some(0 | 1));
            let mut odd = members
                .iter()
                .map(|(key, _)| key)
                .filter(|key| !numbered(key));
            match odd.next() {
                Some(Value::Text(text)) if text == COLLECTION_TYPE => {
                    twists.push(Twist::TypedBatch)
                }
                Some(_) => twists.push(Twist::ThirdMember),
                None => {}
            }
        }
        let membership = match proofs.last() {
            None => {
                twists.push(Twist::BatchWithoutProof);
                None
            }
            Some(proof) => {
                if proof.indicator.is_some() {
                    twists.push(Twist::MarkedProof);
                }
                Some(Membership::read(&proof.value, &mut twists)?)
            }
        };
        if proofs.len() > 1 {
            twists.push(Twist::NestedProof);
        }
        whole.twists.extend(twists);
        Some(Self {
            evidence: whole,
            membership,
        })
    }
}

/// Whether the way from the root to the leaf goes left, at each step.
fn sides(index: u64, size: u64) -> Vec<bool> {
    let (mut index, mut size) = (index.min(size.saturating_sub(1)), size.min(1 << 20));
    let mut sides = Vec::new();
    while size > 1 {
        let half = size.next_power_of_two() / 2;
        let is_left = index < half;
        sides.push(is_left);
        if is_left {
            size = half;
        } else {
            index = index.saturating_sub(half);
            size = size.saturating_sub(half);
        }
    }
    sides
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let digest = digest(&SHA256, &parts.concat());
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}

/// The media type of a proof.
pub const PROOF: &str = "application/vnd.atls.inclusion-proof+cbor";

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the page.
    #[test]
    fn folds_as_the_page_does() {
        let binder: Vec<u8> = (0x80..0xa0).collect();
        let node = "596bd4dabdc48639d36f1e14bb9aab5dbc510bd1a0f831f0592cb92a6248c79b";
        let root = "62d0751e58136f89ca33cfcace09b1e6218bd0ce4585866ce4d33175c1d8f299";
        let hex = |text: &str| -> Vec<u8> {
            let pairs = (0..text.len()).step_by(2);
            pairs
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
                .collect()
        };
        let membership = Membership {
            index: 2,
            size: 3,
            path: vec![hex(node).try_into().unwrap()],
        };
        assert_eq!(membership.root(&binder), hex(root));
    }
}
