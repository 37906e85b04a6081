//! `SEQUENCE { INTEGER, … }` (X.690) of unsigned integers: `Ecdsa-Sig-Value` (RFC 3279 §2.2.3) and `RSAPublicKey` (RFC 8017 §A.1.1).

use atls_core::pki_types::alg_id;

/// The DER SubjectPublicKeyInfo of an RSA key, of modulus and exponent.
pub(crate) fn rsa_public_key_info(modulus: &[u8], exponent: &[u8]) -> Option<Vec<u8>> {
    public_key_info(&alg_id::RSA_ENCRYPTION, &sequence(&[modulus, exponent])?)
}

/// `SubjectPublicKeyInfo` (RFC 5280 §4.1): the content of an `AlgorithmIdentifier`, and a key.
pub(crate) fn public_key_info(algorithm: &[u8], subject_public_key: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    put(&mut content, 0x30, algorithm)?;
    put(&mut content, 0x03, &[&[0], subject_public_key].concat())?;
    let mut out = Vec::new();
    put(&mut out, 0x30, &content)?;
    Some(out)
}

/// Of big-endian integers, up to 65,000 bytes all together.
pub(crate) fn sequence(integers: &[&[u8]]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    for integer in integers {
        let leading = integer.iter().take_while(|byte| **byte == 0).count();
        let digits = integer.get(leading..)?;
        // With its top bit set it would be negative, so a zero byte precedes it. Zero needs one byte too.
        let positive = digits.first().is_some_and(|byte| *byte < 0x80);
        let mut encoded = if positive { Vec::new() } else { vec![0] };
        encoded.extend_from_slice(digits);
        put(&mut content, 0x02, &encoded)?;
    }
    let mut out = Vec::new();
    put(&mut out, 0x30, &content)?;
    Some(out)
}

fn put(out: &mut Vec<u8>, tag: u8, content: &[u8]) -> Option<()> {
    out.push(tag);
    match u16::try_from(content.len()).ok()?.to_be_bytes() {
        [0, short @ 0..=0x7f] => out.push(short),
        [0, long] => out.extend([0x81, long]),
        [high, low] => out.extend([0x82, high, low]),
    }
    out.extend_from_slice(content);
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_positive_and_shortest() {
        let small = sequence(&[&[0, 0, 1], &[0x80]]).unwrap();
        assert_eq!(small, [0x30, 7, 2, 1, 1, 2, 2, 0, 0x80]);
        assert_eq!(sequence(&[&[0, 0]]).unwrap(), [0x30, 3, 2, 1, 0]);
        let long = sequence(&[&[1; 256]]).unwrap();
        assert_eq!(&long[..8], [0x30, 0x82, 1, 4, 2, 0x82, 1, 0]);
        let medium = sequence(&[&[1; 128]]).unwrap();
        assert_eq!(&medium[..6], [0x30, 0x81, 131, 2, 0x81, 128]);
        assert_eq!(sequence(&[&[1; 70_000]]), None);
    }
}
