//! Inputs that nest just as deep as parsers allow.

use super::Hostile;

/// Well-formed items that nest as deep as a parser allows, a little less, and one more. The limits are 16 in most formats here, 128,
/// and 256, which ciborium has by itself. Each level takes stack when the value is read, used and dropped.
pub(super) fn cbor() -> Vec<Hostile> {
    let mut inputs = Vec::new();
    for (name, start, end) in [
        ("arrays", &[0x81][..], &[][..]),
        ("unbounded arrays", &[0x9f], &[0xff]),
        ("maps", &[0xa1, 0], &[]),
        ("unbounded maps", &[0xbf, 0], &[0xff]),
        ("keys", &[0xa1], &[0]),
        ("tags", &[0xc1], &[]),
        ("tagged maps", &[0xc1, 0xa1, 0], &[]),
    ] {
        for limit in [16, 128, 256] {
            for depth in limit - 8..=limit + 1 {
                let bytes = [start.repeat(depth), vec![0], end.repeat(depth)].concat();
                inputs.push(Hostile::new(&format!("{depth} {name}"), bytes));
            }
        }
    }
    inputs
}
