//! The content of a document: a CBOR map with text keys.

use ciborium::Value;

use super::error::DocumentError;
use crate::Digest;
use crate::cbor;
use crate::printed::printed_by_name;

/// The fields of a document. "Nitro Enclaves Attestation Process", §2.2 and §3.2.2:
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
/// The security module writes `null` for an optional field that it was not given, against the letter of that text.
///
/// An unknown field is refused. AWS's root also vouches for documents of a NitroTPM, by which the owner of an ordinary instance
/// has any nonce signed, and those differ in nothing but the field `nitrotpm_pcrs`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Document {
    /// The parent instance and the enclave.
    pub module_id: String,
    /// The time of signing, in milliseconds since the epoch, UTC.
    pub timestamp_ms: u64,
    /// The locked registers by index, each once and in order. 0, 1 and 2 are always among them.
    pub pcrs: Vec<(u8, Digest<48>)>,
    /// The certificate of the key that signs, DER.
    pub certificate: Vec<u8>,
    /// The certificates above it, DER, the root first: 1 to 7.
    pub cabundle: Vec<Vec<u8>>,
    /// The key that the enclave named.
    pub public_key: Option<Vec<u8>>,
    /// Data that the enclave named.
    pub user_data: Option<Vec<u8>>,
    /// The challenge that the enclave named: see [`nonce`](super::nonce).
    pub nonce: Option<Vec<u8>>,
}

printed_by_name!(Document, "Document");

impl Document {
    /// Reads the signed content. Each field must stand there once, with its own type and size, and no other field may.
    ///
    /// # Errors
    /// [`DocumentError`]
    pub fn decode(payload: &[u8]) -> Result<Self, DocumentError> {
        let Some(Value::Map(entries)) = cbor::decode(MAX_VALUES, payload) else {
            return Err(DocumentError::Content);
        };
        let mut fields = Fields(entries);
        fields.required("digest", |value| {
            (value.as_text() == Some(DIGEST)).then_some(())
        })?;
        let document = Self {
            module_id: fields.required("module_id", module_id)?,
            timestamp_ms: fields.required("timestamp", |value| timestamp(&value))?,
            pcrs: fields.required("pcrs", pcrs)?,
            certificate: fields.required("certificate", certificate)?,
            cabundle: fields.required("cabundle", cabundle)?,
            public_key: fields.optional("public_key", 1, MAX_PUBLIC_KEY)?,
            user_data: fields.optional("user_data", 0, MAX_USER_DATA)?,
            nonce: fields.optional("nonce", 0, MAX_NONCE)?,
        };
        match fields.0.is_empty() {
            true => Ok(document),
            false => Err(DocumentError::UnknownField),
        }
    }
}

/// The fields that were not taken yet.
struct Fields(Vec<(Value, Value)>);

impl Fields {
    fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Result<T, DocumentError> {
        let value = self.take(name).and_then(read);
        value.ok_or(DocumentError::Field(name))
    }

    fn optional(
        &mut self,
        name: &'static str,
        least: usize,
        most: usize,
    ) -> Result<Option<Vec<u8>>, DocumentError> {
        match self.take(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match bytes(value, least, most) {
                None => Err(DocumentError::Field(name)),
                some => Ok(some),
            },
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let mut fields = self.0.iter();
        let position = fields.position(|(key, _)| key.as_text() == Some(name))?;
        Some(self.0.swap_remove(position).1)
    }
}

fn module_id(value: Value) -> Option<String> {
    value.into_text().ok().filter(|text| !text.is_empty())
}

fn timestamp(value: &Value) -> Option<u64> {
    let milliseconds = u64::try_from(value.as_integer()?).ok()?;
    (milliseconds > 0).then_some(milliseconds)
}

fn pcrs(value: Value) -> Option<Vec<(u8, Digest<48>)>> {
    let entries = value.into_map().ok()?.into_iter();
    let mut pcrs = entries.map(pcr).collect::<Option<Vec<_>>>()?;
    pcrs.sort_unstable_by_key(|(index, _)| *index);
    let repeated = pcrs
        .windows(2)
        .any(|pair| matches!(pair, [(one, _), (other, _)] if one == other));
    // The three measurements of the image.
    let image = matches!(pcrs.as_slice(), [(0, _), (1, _), (2, _), ..]);
    (image && !repeated).then_some(pcrs)
}

fn pcr((index, value): (Value, Value)) -> Option<(u8, Digest<48>)> {
    let index = u8::try_from(index.as_integer()?).ok()?;
    let value = <[u8; 48]>::try_from(value.as_bytes()?.as_slice()).ok()?;
    (index < REGISTERS).then_some((index, Digest::from(value)))
}

fn cabundle(value: Value) -> Option<Vec<Vec<u8>>> {
    let certificates = value.into_array().ok()?;
    if !(1..=MAX_CABUNDLE).contains(&certificates.len()) {
        return None;
    }
    certificates.into_iter().map(certificate).collect()
}

fn certificate(value: Value) -> Option<Vec<u8>> {
    bytes(value, 1, MAX_CERTIFICATE)
}

fn bytes(value: Value, least: usize, most: usize) -> Option<Vec<u8>> {
    let bytes = value.into_bytes().ok()?;
    (least..=most).contains(&bytes.len()).then_some(bytes)
}

/// The one value of `digest`.
pub const DIGEST: &str = "SHA384";

/// Most values in a document: 9 fields, 32 registers, and 7 certificates have 92.
const MAX_VALUES: usize = 128;

/// Registers of an enclave.
const REGISTERS: u8 = 32;

/// Bytes of one certificate, as AWS says; usual are 500 to 800.
const MAX_CERTIFICATE: usize = 1024;

/// Certificates above that of the enclave, the root included. AWS names no limit and uses 4.
const MAX_CABUNDLE: usize = 7;

/// Most bytes of `public_key`, as AWS says.
pub const MAX_PUBLIC_KEY: usize = 1024;

/// Bytes, as AWS says in §3.2.2; the grammar in §2.2 has 1024.
const MAX_USER_DATA: usize = 512;

/// Bytes, as for user data.
const MAX_NONCE: usize = 512;

#[cfg(test)]
mod tests {
    use coset::CborSerializable;
    use proptest::collection::btree_map;
    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_document_that_is_written_is_read(
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
            prop_assert_eq!(Document::decode(cut).map(drop), Err(DocumentError::Content));
            let continued = [&whole[..], &tail].concat();
            prop_assert_eq!(Document::decode(&continued).map(drop), Err(DocumentError::Content));
        }
    }
}
