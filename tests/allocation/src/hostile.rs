//! Inputs that cost a careless parser much more than their length.
//!
//! The file is longer than others: it is one list of inputs, and they share the few helpers that write them.

mod nested;

/// One input.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Hostile {
    /// How it is hostile.
    pub name: String,
    /// The input itself.
    pub bytes: Vec<u8>,
}

impl Hostile {
    /// An input of any kind.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            bytes: bytes.into(),
        }
    }
}

/// Puts every input into something larger, such as the envelope around a payload.
pub fn within(inputs: Vec<Hostile>, embed: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Hostile> {
    inputs
        .into_iter()
        .map(|Hostile { name, bytes }| Hostile {
            name,
            bytes: embed(&bytes),
        })
        .collect()
}

/// Single CBOR items, well-formed or not: of about `length` bytes, of half of that, and so on. The long ones are refused
/// by their length or the number of their values. Some of the short ones have just as many values as a parser allows.
pub fn cbor(length: usize) -> Vec<Hostile> {
    let mut inputs = shrinking(length, cbor_of);
    inputs.extend(cbor_that_claims());
    inputs.extend(nested::cbor());
    inputs
}

fn cbor_of(length: usize) -> Vec<Hostile> {
    let filled = |start: &[u8], piece: &[u8], end: &[u8]| filled(length, start, piece, end);
    let array = |piece: &[u8]| filled(&[0x9f], piece, &[0xff]);
    let mut long_labels = Vec::new();
    while long_labels.len() < length / 2 {
        // A map of one entry, under a text of 1,000 bytes.
        long_labels.extend([0xa1, 0x79, 0x03, 0xe8]);
        long_labels.extend([b'~'; 1000]);
    }
    // With a length, as deterministic encoders write it.
    let counted = |major: u8, piece: &[u8]| {
        let count = length.saturating_sub(5) / piece.len();
        let header = [&[major | 26][..], &(count as u32).to_be_bytes()].concat();
        filled(&header, piece, &[])
    };
    vec![
        Hostile::new("integers in a counted array", counted(0x80, &[0])),
        Hostile::new(
            "maps of one in a counted array",
            counted(0x80, &[0xa1, 0, 0]),
        ),
        Hostile::new("texts in a counted array", counted(0x80, &[0x61, b'a'])),
        Hostile::new(
            "tagged bytes in a counted array",
            counted(0x80, &[0xd9, 1, 0xfa, 0x41, 0xa0]),
        ),
        Hostile::new("repeated keys of a counted map", counted(0xa0, &[0, 0])),
        Hostile::new("integers in an array", array(&[0])),
        Hostile::new("empty arrays in an array", array(&[0x80])),
        Hostile::new("arrays of one in an array", array(&[0x81, 0])),
        Hostile::new("maps of one in an array", array(&[0xa1, 0, 0])),
        Hostile::new("empty texts in an array", array(&[0x60])),
        Hostile::new("texts of one in an array", array(&[0x61, b'a'])),
        Hostile::new("tags in an array", array(&[0xc1, 0])),
        Hostile::new("bignums in an array", array(&[0xc2, 0x41, 1])),
        Hostile::new("repeated keys", filled(&[0xbf], &[0, 0], &[0xff])),
        Hostile::new(
            "repeated text keys",
            filled(&[0xbf], &[0x61, b'a', 0], &[0xff]),
        ),
        Hostile::new("different keys", different_keys(length)),
        Hostile::new(
            "maps of one in a map",
            filled(&[0xbf], &[0, 0xa1, 0, 0], &[0xff]),
        ),
        Hostile::new(
            "maps of one as keys",
            filled(&[0xbf], &[0xa1, 0, 0, 0], &[0xff]),
        ),
        Hostile::new("chunks of bytes", filled(&[0x5f], &[0x41, 0], &[0xff])),
        Hostile::new("empty chunks of text", filled(&[0x7f], &[0x60], &[0xff])),
        Hostile::new("nested arrays", filled(&[], &[0x81], &[0])),
        Hostile::new("nested unbounded arrays", filled(&[], &[0x9f], &[])),
        Hostile::new("nested maps", filled(&[], &[0xa1, 0], &[0])),
        Hostile::new("nested keys", filled(&[], &[0xa1], &[])),
        Hostile::new("nested tags", filled(&[], &[0xc1], &[0])),
        Hostile::new("nested long labels", long_labels),
    ]
}

/// Lengths beyond the end.
fn cbor_that_claims() -> Vec<Hostile> {
    let mut inputs = Vec::new();
    for (name, major) in [
        ("bytes", 0x40),
        ("text", 0x60),
        ("array", 0x80),
        ("map", 0xa0),
    ] {
        for claimed in [
            0xffff,
            u64::from(u32::MAX),
            u64::MAX / 64,
            u64::MAX - 8,
            u64::MAX,
        ] {
            let mut bytes = vec![major | 27];
            bytes.extend(claimed.to_be_bytes());
            bytes.extend([0; 16]);
            inputs.push(Hostile::new(
                &format!("{name} that claims {claimed:#x}"),
                bytes.clone(),
            ));
            // The same, deep in arrays that claim as much.
            let mut nested = Vec::new();
            for _ in 0..3 {
                nested.push(0x9b);
                nested.extend(claimed.to_be_bytes());
            }
            nested.extend(bytes);
            inputs.push(Hostile::new(
                &format!("nested {name} that claims {claimed:#x}"),
                nested,
            ));
        }
    }
    inputs
}

/// COSE header maps (RFC 9052 §3) of at most 64 KiB, with countersignatures that have such headers themselves, each within a
/// byte string, so that none adds to the nesting of the one around it.
pub fn countersigned(length: usize) -> Vec<Hostile> {
    let nested = |label: &[u8], start: &[u8], end: &[u8]| {
        let mut header = vec![0xa0];
        loop {
            let size = (header.len() as u16).to_be_bytes();
            let next = [
                &[0xa1],
                label,
                start,
                &[0x59],
                &size,
                &header,
                &[0xa0, 0x40],
                end,
            ]
            .concat();
            if next.len() > length.min(65_000) {
                return header;
            }
            header = next;
        }
    };
    vec![
        Hostile::new("one countersignature", nested(&[7], &[0x83], &[])),
        Hostile::new(
            "a list of countersignatures",
            nested(&[7], &[0x81, 0x83], &[]),
        ),
        Hostile::new(
            "countersignatures without lengths",
            nested(&[7], &[0x9f], &[0xff]),
        ),
        Hostile::new("a long label", nested(&[0x19, 0, 7], &[0x83], &[])),
        Hostile::new(
            "a label that is a bignum",
            nested(&[0xc2, 0x41, 7], &[0x83], &[]),
        ),
    ]
}

/// Single JSON values, well-formed or not, of the lengths that [`cbor`] has.
pub fn json(length: usize) -> Vec<Hostile> {
    shrinking(length, json_of)
}

fn json_of(length: usize) -> Vec<Hostile> {
    let filled = |start: &str, piece: &str, end: &str| {
        filled(length, start.as_bytes(), piece.as_bytes(), end.as_bytes())
    };
    let mut keys = String::from("{");
    let mut index = 0_u32;
    while keys.len() < length {
        keys.push_str(&format!("\"{index:x}\":0,"));
        index += 1;
    }
    keys.push_str("\"\":0}");
    vec![
        Hostile::new("integers in an array", filled("[", "0,", "0]")),
        Hostile::new("floats in an array", filled("[", "1e9,", "0]")),
        Hostile::new("empty arrays in an array", filled("[", "[],", "0]")),
        Hostile::new("arrays of one in an array", filled("[", "[0],", "0]")),
        Hostile::new("empty objects in an array", filled("[", "{},", "0]")),
        Hostile::new("objects of one in an array", filled("[", "{\"\":0},", "0]")),
        Hostile::new("texts of one in an array", filled("[", "\"a\",", "0]")),
        Hostile::new("repeated keys", filled("{", "\"a\":0,", "\"a\":0}")),
        Hostile::new("different keys", keys),
        Hostile::new("nested arrays", filled("", "[", "")),
        Hostile::new("nested objects", filled("", "{\"a\":", "0")),
        Hostile::new("a long text", filled("\"", "a", "\"")),
        Hostile::new("a long text of escapes", filled("\"", "\\u0041", "\"")),
        Hostile::new("a long name", filled("{\"", "~", "\":0}")),
        Hostile::new("a long number", filled("", "9", "")),
        Hostile::new("a long fraction", filled("0.", "9", "")),
        Hostile::new("white space", filled("", " ", "")),
    ]
}

/// DER of the lengths that [`cbor`] has: elements that no certificate is made of, and lengths beyond the end.
pub fn der(length: usize) -> Vec<Hostile> {
    let mut inputs = shrinking(length, der_of);
    inputs.extend(der_that_claims());
    inputs
}

fn der_of(length: usize) -> Vec<Hostile> {
    let sequence = |piece: &[u8]| element(0x30, &filled(length, &[], piece, &[]));
    let mut nested = Vec::new();
    while nested.len() < length {
        nested.extend([0x30, 0x80]);
    }
    vec![
        Hostile::new("empty elements", sequence(&[0x05, 0])),
        Hostile::new("integers", sequence(&[0x02, 1, 0])),
        Hostile::new("empty sequences", sequence(&[0x30, 0])),
        Hostile::new("names of one", sequence(&rdn())),
        Hostile::new("unbounded nesting", nested),
        Hostile::new("zeros", vec![0; length]),
    ]
}

fn der_that_claims() -> Vec<Hostile> {
    let mut inputs = Vec::new();
    for size in 1..=8_u8 {
        let mut bytes = vec![0x30, 0x80 | size];
        bytes.extend(vec![0xff; size.into()]);
        bytes.extend([0x30, 0x80 | size]);
        bytes.extend([0; 32]);
        inputs.push(Hostile::new(&format!("a length of {size} bytes"), bytes));
    }
    inputs
}

/// PEM of the lengths that [`cbor`] has.
pub fn pem(length: usize) -> Vec<Hostile> {
    shrinking(length, pem_of)
}

fn pem_of(length: usize) -> Vec<Hostile> {
    let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
    let tiny = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let filled = |start: &str, piece: &str, end: &str| {
        filled(length, start.as_bytes(), piece.as_bytes(), end.as_bytes())
    };
    let (begin, end) = (
        "-----BEGIN CERTIFICATE-----\n",
        "-----END CERTIFICATE-----\n",
    );
    vec![
        Hostile::new("empty certificates", filled("", empty, "")),
        Hostile::new("tiny certificates", filled("", tiny, "")),
        Hostile::new("many beginnings", filled("", begin, "")),
        Hostile::new("short lines", filled(begin, "MAAA\n", end)),
        Hostile::new("empty lines", filled(begin, "\n", end)),
        Hostile::new("one long line", filled(begin, "MAAA", &format!("\n{end}"))),
    ]
}

/// An X.509 certificate with `names` in its subject and in its alternative names, and `extensions` of its own. Its
/// signature is empty: only a parser takes it.
pub fn certificate(names: usize, extensions: &[(&[u8], &[u8])]) -> Vec<u8> {
    let subject = element(0x30, &rdn().repeat(names));
    let algorithm = element(0x30, &[0x06, 3, 0x2b, 0x65, 0x70]);
    let time = element(0x17, b"300101000000Z");
    let validity = element(0x30, &[time.clone(), time].concat());
    let key = element(0x03, &[0; 33]);
    let key = element(0x30, &[algorithm.clone(), key].concat());
    let alternative = element(0x30, &[0x82, 0].repeat(names));
    let mut listed = extension(&[0x55, 0x1d, 0x11], &alternative);
    for (oid, value) in extensions {
        listed.extend(extension(oid, value));
    }
    let listed = element(0xa3, &element(0x30, &listed));
    let tbs = [
        vec![0xa0, 3, 0x02, 1, 2, 0x02, 1, 1],
        algorithm.clone(),
        subject.clone(),
        validity,
        subject,
        key,
        listed,
    ];
    let tbs = element(0x30, &tbs.concat());
    element(0x30, &[tbs, algorithm, element(0x03, &[0; 65])].concat())
}

/// A revocation list of `count` certificates, each named in 20 bytes. Its signature is empty.
pub fn revocation_list(count: usize) -> Vec<u8> {
    let time = element(0x17, b"300101000000Z");
    let revoked = element(0x30, &[element(0x02, &[1]), time].concat());
    revocation_list_of(&revoked.repeat(count))
}

/// Lists with more elements than are parsed.
pub fn large_revocation_lists() -> Vec<Hostile> {
    let extensions = revocation_list_with_extensions(25_000);
    vec![
        Hostile::new("many revoked", revocation_list(25_000)),
        Hostile::new("many extensions", extensions),
    ]
}

/// A revocation list of one certificate with `count` extensions of 8 bytes. Its signature is empty.
fn revocation_list_with_extensions(count: usize) -> Vec<u8> {
    let time = element(0x17, b"300101000000Z");
    let extensions = element(0x30, &extension(&[0x2a], &[]).repeat(count));
    let revoked = [element(0x02, &[1]), time, extensions].concat();
    revocation_list_of(&element(0x30, &revoked))
}

fn revocation_list_of(revoked: &[u8]) -> Vec<u8> {
    let algorithm = element(0x30, &[0x06, 3, 0x2b, 0x65, 0x70]);
    let time = element(0x17, b"300101000000Z");
    let body = [
        element(0x02, &[1]),
        algorithm.clone(),
        element(0x30, &rdn()),
        time.clone(),
        time,
        element(0x30, revoked),
    ];
    let body = element(0x30, &body.concat());
    element(0x30, &[body, algorithm, element(0x03, &[0; 65])].concat())
}

/// One DER element.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = length.iter().skip_while(|byte| **byte == 0);
    let significant: Vec<u8> = significant.copied().collect();
    let mut out = vec![tag];
    match significant[..] {
        [] => out.push(0),
        [short @ 0..=0x7f] => out.push(short),
        _ => {
            out.push(0x80 | significant.len() as u8);
            out.extend(significant);
        }
    }
    out.extend_from_slice(content);
    out
}

/// `start`, then `piece` again and again, then `end`: at most `length` bytes, if there is room for one piece.
pub fn filled(length: usize, start: &[u8], piece: &[u8], end: &[u8]) -> Vec<u8> {
    let room = length.saturating_sub(start.len() + end.len());
    [start, &piece.repeat(room / piece.len()), end].concat()
}

fn shrinking(length: usize, of: impl Fn(usize) -> Vec<Hostile>) -> Vec<Hostile> {
    let lengths = std::iter::successors(Some(length), |length| Some(length / 2));
    let lengths = lengths.take_while(|length| *length >= SHORTEST);
    lengths.flat_map(of).collect()
}

fn extension(oid: &[u8], value: &[u8]) -> Vec<u8> {
    element(0x30, &[element(0x06, oid), element(0x04, value)].concat())
}

/// A relative distinguished name with an empty common name.
fn rdn() -> Vec<u8> {
    element(0x31, &element(0x30, &[0x06, 3, 0x55, 4, 3, 0x0c, 0]))
}

fn different_keys(length: usize) -> Vec<u8> {
    let mut bytes = vec![0xbf];
    let mut index = 0x0001_0000_u32;
    while bytes.len() + 7 < length {
        bytes.push(0x1a);
        bytes.extend(index.to_be_bytes());
        bytes.push(0);
        index += 1;
    }
    bytes.push(0xff);
    bytes
}

/// Bytes of the shortest inputs.
const SHORTEST: usize = 64;
