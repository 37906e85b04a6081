//! Changes of good bytes, as an input says.
//!
//! Triples: where, high and low, and what is exclusive-ored there. An input may also change what is signed, before it is signed: those triples
//! have the highest bit of their place set.

/// All triples.
pub fn altered(good: &[u8], changes: &[u8]) -> Vec<u8> {
    applied(good, u16::MAX, changes.chunks_exact(TRIPLE))
}

/// The triples that change what is about to be signed.
pub fn before_signing(good: &[u8], changes: &[u8]) -> Vec<u8> {
    applied(good, PLACE, triples(changes, true))
}

/// The triples that change what was signed.
pub fn after_signing(good: &[u8], changes: &[u8]) -> Vec<u8> {
    applied(good, PLACE, triples(changes, false))
}

/// Whether these bytes stand somewhere in those, whole.
pub fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn triples(changes: &[u8], before: bool) -> impl Iterator<Item = &[u8]> {
    let triples = changes.chunks_exact(TRIPLE);
    triples.filter(move |triple| (triple[0] & BEFORE != 0) == before)
}

fn applied<'a>(good: &[u8], mask: u16, triples: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut altered = good.to_vec();
    for triple in triples {
        let place = u16::from_be_bytes([triple[0], triple[1]]);
        let at = usize::from(place & mask).checked_rem(altered.len());
        if let Some(byte) = at.and_then(|at| altered.get_mut(at)) {
            *byte ^= triple[2];
        }
    }
    altered
}

const TRIPLE: usize = 3;

/// Of the first byte of a place.
const BEFORE: u8 = 0x80;
const PLACE: u16 = 0x7fff;
