//! What Evidence of a batch is about, read by other code than that of the project.

use ciborium::Value;
use sha2::Digest;
use sha2::Sha256;

/// The proof in the message of one member (docs/protocol §5.1).
pub fn proof(message: &[u8]) -> Option<Vec<u8>> {
    let Ok(Value::Map(members)) = ciborium::from_reader(message) else {
        return None;
    };
    let (_, proof) = members.into_iter().find(|(label, _)| is_proof(label))?;
    match proof.into_array().ok()?.as_slice() {
        [_, Value::Bytes(proof)] => Some(proof.clone()),
        _ => None,
    }
}

/// The message with another proof in it.
pub fn with_proof(message: &[u8], proof: &[u8]) -> Option<Vec<u8>> {
    let Ok(Value::Map(mut members)) = ciborium::from_reader(message) else {
        return None;
    };
    let (_, held) = members.iter_mut().find(|(label, _)| is_proof(label))?;
    *held.as_array_mut()?.get_mut(1)? = Value::Bytes(proof.to_vec());
    let mut encoded = Vec::new();
    ciborium::into_writer(&Value::Map(members), &mut encoded).ok()?;
    Some(encoded)
}

/// The root to which a proof leads from a binder, by the algorithm of RFC 9162 §2.1.3.2, which goes by bits and not by halves.
pub fn root(binder: &[u8], proof: &[u8]) -> Option<[u8; 32]> {
    let Ok(Value::Array(fields)) = ciborium::from_reader(proof) else {
        return None;
    };
    let [
        Value::Integer(index),
        Value::Integer(size),
        Value::Bytes(path),
    ] = &fields[..]
    else {
        return None;
    };
    let (mut place, size) = (u64::try_from(*index).ok()?, u64::try_from(*size).ok()?);
    let mut last = size.checked_sub(1)?;
    let (hashes, []) = path.as_chunks::<32>() else {
        return None;
    };
    if place > last {
        return None;
    }
    let mut hash: [u8; 32] = Sha256::new()
        .chain_update([0])
        .chain_update(binder)
        .finalize()
        .into();
    for beside in hashes {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            hash = node(beside, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, beside);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let hash = Sha256::new().chain_update([1]);
    hash.chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The label of the proof beside the Evidence.
fn is_proof(label: &Value) -> bool {
    *label == Value::from(1)
}
