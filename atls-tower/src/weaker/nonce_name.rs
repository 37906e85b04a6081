//! A nonce for clients, as the name of a certificate authority.
//!
//! Stock TLS 1.3 has no field for a nonce of the server. The CertificateRequest names certificate authorities, and one of
//! those names carries it: its organisation is [`ORGANISATION`], its common name is the nonce in hexadecimal digits.

/// The organisation of the name that carries a nonce.
const ORGANISATION: &[u8] = b"atls intra-handshake nonce";

/// The nonce among the names of certificate authorities, if exactly one is there.
pub(super) fn nonce_in(hints: &[&[u8]]) -> Option<[u8; 32]> {
    let mut nonces = hints.iter().filter_map(|name| nonce_of(name));
    match (nonces.next(), nonces.next()) {
        (Some(nonce), None) => Some(nonce),
        _ => None,
    }
}

/// `O = ORGANISATION, CN = nonce`, in DER.
pub(super) fn name_of(nonce: &[u8; 32]) -> Vec<u8> {
    let digits: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
    let organisation = attribute(OID_ORGANISATION, ORGANISATION);
    let common_name = attribute(OID_COMMON_NAME, digits.as_bytes());
    der(0x30, &[organisation, common_name].concat())
}

fn nonce_of(hint: &[u8]) -> Option<[u8; 32]> {
    let digits = hint.get(hint.len().checked_sub(64)?..)?;
    let mut nonce = [0; 32];
    for (byte, pair) in nonce.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    // Other names end in digits too. This one carries a nonce only if the nonce gives this very name.
    (name_of(&nonce) == hint).then_some(nonce)
}

fn attribute(oid: &[u8], value: &[u8]) -> Vec<u8> {
    let pair = [der(0x06, oid), der(0x0c, value)].concat();
    der(0x31, &der(0x30, &pair))
}

/// Lengths here are below 128.
fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u8::try_from(contents.len()).unwrap_or(u8::MAX);
    [&[tag, length], contents].concat()
}

const OID_COMMON_NAME: &[u8] = &[0x55, 4, 3];
const OID_ORGANISATION: &[u8] = &[0x55, 4, 10];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_survives_its_name() {
        let nonce = [0xa7; 32];
        let ours = name_of(&nonce);
        assert_eq!(nonce_in(&[b"another authority", &ours]), Some(nonce));
    }

    #[test]
    fn two_nonces_or_none_are_none() {
        let (one, two) = (name_of(&[1; 32]), name_of(&[2; 32]));
        assert_eq!(nonce_in(&[&one, &two]), None);
        assert_eq!(nonce_in(&[]), None);
        assert_eq!(nonce_in(&[&[b'a'; 64]]), None);
        let mut upper = one;
        let last = upper.len() - 1;
        upper[last] = b'A';
        assert_eq!(nonce_in(&[&upper]), None);
    }
}
