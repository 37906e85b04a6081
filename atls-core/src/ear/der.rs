//! The DER (X.690) of keys and signatures that X.509 has, where JOSE, COSE and the formats of devices have bare integers.

/// `SEQUENCE { INTEGER, … }` of unsigned big-endian integers: `Ecdsa-Sig-Value` (RFC 3279 §2.2.3) and `RSAPublicKey` (RFC 8017 §A.1.1).
/// `None` where they have more than 65,535 bytes all together.
pub fn integers(integers: &[&[u8]]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    for integer in integers {
        let leading = integer.iter().take_while(|byte| **byte == 0).count();
        let digits = integer.get(leading..)?;
        // With its top bit set it would be negative, so a zero byte precedes it. Zero needs one byte too.
        let positive = digits.first().is_some_and(|byte| *byte < 0x80);
        let zero: &[u8] = if positive { &[] } else { &[0] };
        content.extend(element(0x02, &[zero, digits].concat())?);
    }
    element(0x30, &content)
}

/// One element of this tag. `None` where its content has more than 65,535 bytes.
pub fn element(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let mut element = vec![tag];
    match u16::try_from(content.len()).ok()?.to_be_bytes() {
        [0, short @ 0..=0x7f] => element.push(short),
        [0, long] => element.extend([0x81, long]),
        [high, low] => element.extend([0x82, high, low]),
    }
    element.extend_from_slice(content);
    Some(element)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_positive_and_shortest() {
        assert_eq!(
            integers(&[&[0, 0, 1], &[0x80]]).unwrap(),
            [0x30, 7, 2, 1, 1, 2, 2, 0, 0x80]
        );
        assert_eq!(integers(&[&[0, 0]]).unwrap(), [0x30, 3, 2, 1, 0]);
        let long = integers(&[&[1; 256]]).unwrap();
        assert_eq!(&long[..8], [0x30, 0x82, 1, 4, 2, 0x82, 1, 0]);
        let medium = integers(&[&[1; 128]]).unwrap();
        assert_eq!(&medium[..6], [0x30, 0x81, 131, 2, 0x81, 128]);
        assert_eq!(integers(&[&[1; 70_000]]), None);
    }
}
