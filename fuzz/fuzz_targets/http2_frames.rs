//! Any bytes of a client of HTTP/2, in pieces of any size. Whoever reads along is told of the DATA that a reader of the whole finds, and of no other.
#![no_main]

use atls_fuzz::tape::Tape;

#[path = "../../atls-axum/src/http2_frames.rs"]
mod http2_frames;

atls_fuzz::target!(|bytes: &[u8]| {
    let mut tape = Tape::new(bytes);
    let at_once = usize::from(tape.byte()).max(1);
    let stream = match tape.byte() % 4 {
        0 => tape.rest().to_vec(),
        _ => [PREFACE, tape.rest()].concat(),
    };
    let mut frames = http2_frames::Frames::default();
    let mut told = Vec::new();
    for piece in stream.chunks(at_once) {
        frames.read(piece, |bytes| told.push(bytes));
    }
    let expected = stream.strip_prefix(PREFACE).map(data_in);
    assert_eq!(told, expected.unwrap_or_default());
});

/// The bytes of the body in each DATA that begins here and is not the last of its stream, without padding.
fn data_in(mut frames: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    while let Some((head, rest)) = frames.split_first_chunk::<9>() {
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        let is_padded = head[4] & 8 != 0 && length > 0;
        let is_last = head[4] & 1 != 0;
        match (head[3], is_padded, rest.first()) {
            (0, ..) if is_last => {}
            (0, false, _) => found.push(length),
            (0, true, Some(padding)) => found.push(length.saturating_sub(usize::from(*padding) + 1)),
            _ => {}
        }
        frames = rest.get(length..).unwrap_or_default();
    }
    found
}

/// RFC 9113 §3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
