//! The frames of a client of HTTP/2, as far as their sizes go (RFC 9113 §4.1, §6.1).

/// Reads along with whoever understands them. A client that speaks something else is left alone.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    next: Next,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug)]
enum Next {
    Preface {
        read: usize,
    },
    Head(Head),
    /// The length of the padding of DATA, whose payload has so many bytes.
    PadLength {
        payload: usize,
    },
    Payload {
        left: usize,
    },
    NoHttp2,
}

/// As much of a head as was read.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    read: usize,
    payload: usize,
    kind: u8,
    flags: u8,
}

impl Default for Next {
    fn default() -> Self {
        Self::Preface { read: 0 }
    }
}

impl Frames {
    /// Takes the bytes that follow those of the call before, and tells for each DATA that begins among them how many bytes of a body it has,
    /// without padding. Not for the last DATA of a body, of which each stream has one at most.
    pub(crate) fn read(&mut self, mut bytes: &[u8], mut of_data: impl FnMut(usize)) {
        while let Some((first, rest)) = bytes.split_first() {
            (self.next, bytes) = match self.next {
                Next::NoHttp2 => return,
                Next::Preface { read } => (after_preface(read, *first), rest),
                Next::Head(head) => (head.after(*first, &mut of_data), rest),
                Next::PadLength { payload } => {
                    let padding = usize::from(*first);
                    of_data(payload.saturating_sub(padding).saturating_sub(1));
                    (payload_of(payload.saturating_sub(1)), rest)
                }
                Next::Payload { left } => {
                    let taken = left.min(bytes.len());
                    let rest = bytes.get(taken..).unwrap_or_default();
                    (payload_of(left.saturating_sub(taken)), rest)
                }
            };
        }
    }
}

fn after_preface(read: usize, byte: u8) -> Next {
    let next = read.saturating_add(1);
    match PREFACE.get(read) {
        Some(expected) if *expected != byte => Next::NoHttp2,
        Some(_) if next < PREFACE.len() => Next::Preface { read: next },
        _ => Next::Head(Head::default()),
    }
}

impl Head {
    fn after(mut self, byte: u8, of_data: &mut impl FnMut(usize)) -> Next {
        match self.read {
            0..=2 => self.payload = self.payload.wrapping_shl(8) | usize::from(byte),
            3 => self.kind = byte,
            4 => self.flags = byte,
            // Four bytes of a stream's number.
            _ => {}
        }
        self.read = self.read.saturating_add(1);
        match (self.read < HEAD, self.kind) {
            (true, _) => Next::Head(self),
            (false, DATA) if self.flags & END_STREAM != 0 => payload_of(self.payload),
            (false, DATA) if self.flags & PADDED != 0 && self.payload > 0 => Next::PadLength {
                payload: self.payload,
            },
            (false, DATA) => {
                of_data(self.payload);
                payload_of(self.payload)
            }
            (false, _) => payload_of(self.payload),
        }
    }
}

fn payload_of(left: usize) -> Next {
    match left {
        0 => Next::Head(Head::default()),
        left => Next::Payload { left },
    }
}

/// RFC 9113 §3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a head.
const HEAD: usize = 9;

/// A type of frame, and flags of it.
const DATA: u8 = 0;
const END_STREAM: u8 = 1;
const PADDED: u8 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let [.., a, b, c] = payload.len().to_be_bytes();
        [&[a, b, c, kind, flags, 0, 0, 0, 1], payload].concat()
    }

    /// Whatever comes at once.
    fn data_in(bytes: &[u8]) -> Vec<usize> {
        let told = |at_once: usize| {
            let (mut frames, mut told) = (Frames::default(), Vec::new());
            for piece in bytes.chunks(at_once) {
                frames.read(piece, |data| told.push(data));
            }
            told
        };
        let all = told(bytes.len());
        (1..bytes.len()).for_each(|at_once| assert_eq!(told(at_once), all));
        all
    }

    #[test]
    fn each_data_is_told_with_its_bytes() {
        let of_300 = frame(DATA, 0, &[0; 300]);
        let padded = frame(DATA, PADDED, &[3, 7, 7, 0, 0, 0]);
        let other = [(4, &[][..]), (1, &[0; 20]), (9, &[DATA; 50]), (200, &[1])];
        let others = other.map(|(kind, payload)| frame(kind, PADDED, payload));
        let stream = [
            PREFACE,
            &others.concat(),
            &frame(DATA, 0, b"x"),
            &of_300,
            &others.concat(),
            &padded,
            &frame(DATA, END_STREAM, &[]),
            &frame(DATA, END_STREAM, b"last"),
            &frame(DATA, END_STREAM | PADDED, &[1, 7, 0]),
            &frame(DATA, PADDED, &[]),
            &frame(DATA, PADDED, &[200]),
            &frame(DATA, 0, b"end"),
        ];
        assert_eq!(data_in(&stream.concat()), [1, 300, 2, 0, 0, 3]);
    }

    #[test]
    fn a_client_that_speaks_something_else_is_left_alone() {
        let request = [b"POST / HTTP/1.1\r\n\r\n", &frame(DATA, 0, b"x")[..]].concat();
        assert!(data_in(&request).is_empty());
        let almost = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\nx\n",
            &frame(DATA, 0, b"x")[..],
        ]
        .concat();
        assert!(data_in(&almost).is_empty());
    }
}
