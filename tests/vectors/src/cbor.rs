//! CBOR (RFC 8949), written by hand: heads in their shortest form.

pub(crate) fn uint(value: u64) -> Vec<u8> {
    head(0, value)
}

pub(crate) fn bytes(content: &[u8]) -> Vec<u8> {
    [head(2, length(content)), content.to_vec()].concat()
}

pub(crate) fn text(content: &str) -> Vec<u8> {
    [
        head(3, length(content.as_bytes())),
        content.as_bytes().to_vec(),
    ]
    .concat()
}

pub(crate) fn array(items: &[Vec<u8>]) -> Vec<u8> {
    let count = u64::try_from(items.len()).unwrap();
    [head(4, count), items.concat()].concat()
}

/// The entries in the order that is given.
pub(crate) fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let count = u64::try_from(entries.len()).unwrap();
    let entries = entries
        .iter()
        .map(|(key, value)| [&key[..], value].concat());
    [head(5, count), entries.collect::<Vec<_>>().concat()].concat()
}

pub(crate) fn tag(number: u64, item: &[u8]) -> Vec<u8> {
    [head(6, number), item.to_vec()].concat()
}

pub(crate) fn boolean(value: bool) -> Vec<u8> {
    vec![if value { 0xf5 } else { 0xf4 }]
}

fn head(major: u8, argument: u64) -> Vec<u8> {
    let major = major << 5;
    let bytes = argument.to_be_bytes();
    match argument {
        0..=23 => vec![major | bytes[7]],
        24..=0xff => vec![major | 24, bytes[7]],
        0x100..=0xffff => [&[major | 25][..], &bytes[6..]].concat(),
        0x1_0000..=0xffff_ffff => [&[major | 26][..], &bytes[4..]].concat(),
        _ => [&[major | 27][..], &bytes].concat(),
    }
}

fn length(content: &[u8]) -> u64 {
    u64::try_from(content.len()).unwrap()
}
