//! The attestation document: a CBOR map with text keys.

use atls_core::AppraisalError;
use atls_core::bounded;
use atls_reference::Digest;
use ciborium::Value;
use coset::CborSerializable;

use crate::claims::NitroClaims;

/// The content of a document. "Nitro Enclaves Attestation Process", §2.2 and §3.2.2:
///
/// ```text
/// AttestationDocument = {
///     module_id: text,                 ; not empty
///     timestamp: uint .size 8,         ; milliseconds since the epoch, not 0
///     digest: "SHA384",
///     pcrs: { + index => pcr },        ; index = 0..31, pcr = bytes, 48 with this digest
///     certificate: cert,               ; cert = bytes .size (1..1024)
///     cabundle: [+ cert],              ; the root first
///     ? public_key: bytes .size (1..1024),
///     ? user_data: bytes .size (0..512),
///     ? nonce: bytes .size (0..512),
/// }
/// ```
///
/// Against the letter of that text the security module writes `null` for an optional field that it was not given.
///
/// AWS's root also vouches for documents of a NitroTPM, by which the owner of an ordinary instance has any nonce signed.
/// They differ in nothing but `nitrotpm_pcrs`: an unknown field is never to be ignored here.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) module_id: String,
    pub(crate) timestamp_ms: u64,
    pub(crate) pcrs: Vec<(u8, Digest<48>)>,
    pub(crate) certificate: Vec<u8>,
    pub(crate) cabundle: Vec<Vec<u8>>,
    pub(crate) public_key: Option<Vec<u8>>,
    pub(crate) user_data: Option<Vec<u8>>,
    pub(crate) nonce: Option<Vec<u8>>,
}

impl Document {
    /// Each field once, of its own kind and size, and nothing else.
    pub(crate) fn decode(payload: &[u8]) -> Result<Self, AppraisalError> {
        if !bounded::cbor(MAX_VALUES, payload) {
            return Err(AppraisalError::Malformed);
        }
        // coset's reader bounds nesting and refuses trailing bytes.
        let Ok(Value::Map(entries)) = Value::from_slice(payload) else {
            return Err(AppraisalError::Malformed);
        };
        let mut fields = Fields(entries);
        if fields.required("digest")?.as_text() != Some(NitroClaims::DIGEST) {
            return Err(AppraisalError::Malformed);
        }
        let document = Self {
            module_id: module_id(fields.required("module_id")?)?,
            timestamp_ms: timestamp(&fields.required("timestamp")?)?,
            pcrs: pcrs(fields.required("pcrs")?)?,
            certificate: bytes(fields.required("certificate")?, 1, MAX_CERTIFICATE)?,
            cabundle: cabundle(fields.required("cabundle")?)?,
            public_key: fields.optional("public_key", 1, MAX_PUBLIC_KEY)?,
            user_data: fields.optional("user_data", 0, MAX_USER_DATA)?,
            nonce: fields.optional("nonce", 0, MAX_NONCE)?,
        };
        // What is left is unknown, or stands there twice.
        if fields.0.is_empty() {
            Ok(document)
        } else {
            Err(AppraisalError::Malformed)
        }
    }
}

/// The fields that were not taken yet.
struct Fields(Vec<(Value, Value)>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<Value> {
        let position = self
            .0
            .iter()
            .position(|(key, _)| key.as_text() == Some(name))?;
        Some(self.0.swap_remove(position).1)
    }

    fn required(&mut self, name: &str) -> Result<Value, AppraisalError> {
        self.take(name).ok_or(AppraisalError::Malformed)
    }

    fn optional(
        &mut self,
        name: &str,
        least: usize,
        most: usize,
    ) -> Result<Option<Vec<u8>>, AppraisalError> {
        match self.take(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => bytes(value, least, most).map(Some),
        }
    }
}

fn bytes(value: Value, least: usize, most: usize) -> Result<Vec<u8>, AppraisalError> {
    match value {
        Value::Bytes(bytes) if (least..=most).contains(&bytes.len()) => Ok(bytes),
        _ => Err(AppraisalError::Malformed),
    }
}

fn module_id(value: Value) -> Result<String, AppraisalError> {
    match value {
        Value::Text(text) if !text.is_empty() => Ok(text),
        _ => Err(AppraisalError::Malformed),
    }
}

fn timestamp(value: &Value) -> Result<u64, AppraisalError> {
    let integer = value.as_integer().ok_or(AppraisalError::Malformed)?;
    match u64::try_from(integer) {
        Ok(milliseconds) if milliseconds > 0 => Ok(milliseconds),
        _ => Err(AppraisalError::Malformed),
    }
}

/// By index, each once, with those that say what runs.
fn pcrs(value: Value) -> Result<Vec<(u8, Digest<48>)>, AppraisalError> {
    let Value::Map(entries) = value else {
        return Err(AppraisalError::Malformed);
    };
    let mut pcrs = entries
        .into_iter()
        .map(pcr)
        .collect::<Result<Vec<_>, _>>()?;
    pcrs.sort_unstable_by_key(|(index, _)| *index);
    let repeated = pcrs
        .windows(2)
        .any(|pair| matches!(pair, [(one, _), (other, _)] if one == other));
    let image = matches!(pcrs.as_slice(), [(0, _), (1, _), (2, _), ..]);
    if image && !repeated {
        Ok(pcrs)
    } else {
        Err(AppraisalError::Malformed)
    }
}

fn pcr((index, value): (Value, Value)) -> Result<(u8, Digest<48>), AppraisalError> {
    let index = index
        .as_integer()
        .and_then(|index| u8::try_from(index).ok());
    let value = value
        .as_bytes()
        .and_then(|bytes| <[u8; 48]>::try_from(bytes.as_slice()).ok());
    match (index, value) {
        (Some(index @ 0..=31), Some(value)) => Ok((index, Digest::from(value))),
        _ => Err(AppraisalError::Malformed),
    }
}

fn cabundle(value: Value) -> Result<Vec<Vec<u8>>, AppraisalError> {
    let Value::Array(certificates) = value else {
        return Err(AppraisalError::Malformed);
    };
    if certificates.is_empty() || certificates.len() > MAX_CABUNDLE {
        return Err(AppraisalError::Malformed);
    }
    certificates
        .into_iter()
        .map(|certificate| bytes(certificate, 1, MAX_CERTIFICATE))
        .collect()
}

/// Bytes of one certificate, as AWS says; usual are 500 to 800.
const MAX_CERTIFICATE: usize = 1024;

/// Most values in a document: 9 fields, 32 registers, and 7 certificates have 92.
const MAX_VALUES: usize = 128;

/// Certificates above that of the enclave, the root included. AWS names no limit and uses 4.
const MAX_CABUNDLE: usize = 7;

/// Bytes, as AWS says.
pub(crate) const MAX_PUBLIC_KEY: usize = 1024;

/// Bytes, as AWS says in §3.2.2; the grammar in §2.2 has 1024.
const MAX_USER_DATA: usize = 512;

/// Bytes, as for user data.
const MAX_NONCE: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(
            module_id in ".{1,40}",
            timestamp in 1..u64::MAX,
            registers in btree_map(3_u8..32, any::<[u8; 16]>(), 0..29),
            certificate in vec(any::<u8>(), 1..=MAX_CERTIFICATE),
            cabundle in vec(vec(any::<u8>(), 1..50), 1..=MAX_CABUNDLE),
            public_key in option::of(vec(any::<u8>(), 1..=MAX_PUBLIC_KEY)),
            user_data in option::of(vec(any::<u8>(), 0..=MAX_USER_DATA)),
            nonce in option::of(vec(any::<u8>(), 0..=MAX_NONCE)),
            rotation in 0_usize..9,
        ) {
            let register = |bytes: [u8; 16]| [bytes, bytes, bytes].concat();
            let image = [0, 1, 2].map(|index| (index, [index; 16]));
            let pcrs: Vec<_> = image.into_iter().chain(registers).collect();
            let entry = |(index, bytes): &(u8, _)| (Value::from(*index), register(*bytes).into());
            let optional = |bytes: &Option<Vec<u8>>| bytes.clone().map_or(Value::Null, Value::Bytes);
            let mut fields = vec![
                ("module_id".into(), module_id.as_str().into()),
                ("digest".into(), "SHA384".into()),
                ("timestamp".into(), timestamp.into()),
                ("pcrs".into(), Value::Map(pcrs.iter().rev().map(entry).collect())),
                ("certificate".into(), certificate.clone().into()),
                ("cabundle".into(), Value::Array(cabundle.iter().cloned().map(Value::Bytes).collect())),
                ("public_key".into(), optional(&public_key)),
                ("user_data".into(), optional(&user_data)),
                ("nonce".into(), optional(&nonce)),
            ];
            fields.rotate_left(rotation);
            let read = Document::decode(&Value::Map(fields).to_vec().unwrap()).unwrap();
            prop_assert_eq!(read.module_id, module_id);
            prop_assert_eq!(read.timestamp_ms, timestamp);
            let registers: Vec<_> = read.pcrs.iter().map(|(at, value)| (*at, value.as_ref().to_vec())).collect();
            let expected: Vec<_> = pcrs.into_iter().map(|(at, bytes)| (at, register(bytes))).collect();
            prop_assert_eq!(registers, expected);
            prop_assert_eq!(read.certificate, certificate);
            prop_assert_eq!(read.cabundle, cabundle);
            prop_assert_eq!(read.public_key, public_key);
            prop_assert_eq!(read.user_data, user_data);
            prop_assert_eq!(read.nonce, nonce);
        }

        #[test]
        fn a_content_that_is_cut_or_continued_is_refused(cut in 1_usize..700, tail in vec(any::<u8>(), 1..9)) {
            let pcrs = [0_u8, 1, 2].map(|index| (index.into(), Value::Bytes(vec![index; 48])));
            let fields = vec![
                ("module_id".into(), "i-0".into()),
                ("digest".into(), "SHA384".into()),
                ("timestamp".into(), 1.into()),
                ("pcrs".into(), Value::Map(pcrs.into())),
                ("certificate".into(), Value::Bytes(vec![1; 500])),
                ("cabundle".into(), Value::Array(vec![Value::Bytes(vec![1])])),
            ];
            let whole = Value::Map(fields).to_vec().unwrap();
            prop_assert!(Document::decode(&whole).is_ok());
            let cut = &whole[..whole.len().saturating_sub(cut)];
            prop_assert_eq!(Document::decode(cut).map(drop), Err(AppraisalError::Malformed));
            let continued = [&whole[..], &tail].concat();
            prop_assert_eq!(Document::decode(&continued).map(drop), Err(AppraisalError::Malformed));
        }
    }
}
