//! DER (X.690), written by hand.

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

pub(crate) fn oid(body: &[u8]) -> Vec<u8> {
    element(0x06, body)
}

pub(crate) fn octets(content: &[u8]) -> Vec<u8> {
    element(0x04, content)
}

pub(crate) fn bits(content: &[u8]) -> Vec<u8> {
    element(0x03, &[&[0], content].concat())
}

/// A `Name`: one attribute of type UTF8String to each relative name.
pub(crate) fn name(attributes: &[(&[u8], &str)]) -> Vec<u8> {
    let relative = attributes.iter().map(|(kind, value)| {
        let pair = sequence(&[&oid(kind), &element(0x0c, value.as_bytes())]);
        element(0x31, &pair)
    });
    element(0x30, &relative.collect::<Vec<_>>().concat())
}

pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        0..=0x7f => vec![tag, length[3]],
        0x80..=0xff => vec![tag, 0x81, length[3]],
        0x100..=0xffff => vec![tag, 0x82, length[2], length[3]],
        _ => vec![tag, 0x83, length[1], length[2], length[3]],
    };
    [head, content.to_vec()].concat()
}

pub(crate) const COMMON_NAME: &[u8] = &[0x55, 4, 3];
pub(crate) const ORGANISATION: &[u8] = &[0x55, 4, 10];
