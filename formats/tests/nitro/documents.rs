//! Documents that are written by hand.

use atls_formats::nitro::DocumentError;
use atls_formats::nitro::SignedDocument;
use ciborium::Value;
use coset::CborSerializable;
use coset::CoseSign1Builder;
use coset::HeaderBuilder;
use coset::iana::Algorithm;

pub(crate) type Fields = Vec<(Value, Value)>;

pub(crate) fn decode(bytes: &[u8]) -> Result<(), DocumentError> {
    SignedDocument::decode(bytes).map(drop)
}

/// Reads a document that is good but for what is altered.
pub(crate) fn altered(alter: impl FnOnce(&mut Fields)) -> Result<(), DocumentError> {
    let mut fields = fields();
    alter(&mut fields);
    decode(&frame(content(fields)))
}

pub(crate) fn frame(payload: Vec<u8>) -> Vec<u8> {
    let protected = HeaderBuilder::new().algorithm(Algorithm::ES384).build();
    let sign1 = CoseSign1Builder::new()
        .protected(protected)
        .payload(payload)
        .signature(vec![9; 96]);
    sign1.build().to_vec().unwrap()
}

pub(crate) fn content(fields: Fields) -> Vec<u8> {
    Value::Map(fields).to_vec().unwrap()
}

pub(crate) fn fields() -> Fields {
    let bytes = |length| Value::Bytes(vec![7; length]);
    vec![
        ("module_id".into(), "i-0forged-enc0forged".into()),
        ("digest".into(), "SHA384".into()),
        ("timestamp".into(), 1_800_000_000_000_u64.into()),
        ("pcrs".into(), Value::Map(pcrs(&[0, 1, 2, 4]))),
        ("certificate".into(), bytes(600)),
        ("cabundle".into(), Value::Array(vec![bytes(600); 4])),
        ("public_key".into(), bytes(91)),
        ("user_data".into(), bytes(1)),
        ("nonce".into(), bytes(32)),
    ]
}

pub(crate) fn pcrs(indices: &[u8]) -> Fields {
    let register = |index: &u8| ((*index).into(), Value::Bytes(vec![*index; 48]));
    indices.iter().map(register).collect()
}

pub(crate) fn field<'a>(fields: &'a mut Fields, name: &str) -> &'a mut Value {
    let mut found = fields.iter_mut().filter(|(key, _)| *key == name.into());
    &mut found.next().unwrap().1
}
