//! Self-signed certificates (RFC 5280).

use crate::der;
use crate::keys::Key;
use crate::keys::Keys;

/// A certificate for a key, with these extensions: object identifier (its content in DER) and `extnValue`.
pub(crate) fn self_signed(keys: &mut Keys, key: &Key, extensions: &[(&[u8], Vec<u8>)]) -> Vec<u8> {
    let name = der::name(&[(der::COMMON_NAME, &key.name)]);
    let validity = der::sequence(&[
        &der::element(0x17, b"270101000000Z"),
        &der::element(0x17, b"370101000000Z"),
    ]);
    let listed: Vec<u8> = extensions
        .iter()
        .flat_map(|(oid, value)| der::sequence(&[&der::oid(oid), &der::octets(value)]))
        .collect();
    let algorithm = key.certificate_algorithm();
    let mut parts = vec![
        der::element(0xa0, &der::element(0x02, &[2])),
        der::element(0x02, &[1]),
        algorithm.clone(),
        name.clone(),
        validity,
        name,
        key.public_key.to_vec(),
    ];
    if !listed.is_empty() {
        parts.push(der::element(0xa3, &der::element(0x30, &listed)));
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let to_be_signed = der::sequence(&parts);
    let signature = keys.sign(&key.name, key.certificate_scheme(), &to_be_signed);
    der::sequence(&[&to_be_signed, &algorithm, &der::bits(&signature)])
}
