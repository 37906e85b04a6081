//! What the hostile peer does, step by step, as the input says.

use crate::tape::Tape;

/// Terms of the live end, and steps of its peer.
pub(super) struct Script<'a> {
    tape: Tape<'a>,
    terms: u8,
}

/// One step.
pub(super) enum Step<'a> {
    /// An authenticator that answers the last request that was read.
    Authenticator(Answer<'a>, Change<'a>),
    /// Bytes on the stream, in frames or not.
    Bytes(&'a [u8]),
    /// The end of what the peer has to say, with `close_notify`.
    End,
    /// A frame of another connection, of an honest peer there.
    Foreign(u8),
    /// A frame with a length that need not be that of its payload.
    Frame {
        kind: u8,
        length: u32,
        payload: &'a [u8],
    },
    /// From now on what is written leaves in pieces of this many bytes.
    Pieces(u8),
    /// Takes the next frame from the live end.
    Read,
    /// The last frame of the live end, sent back.
    Reflect(Change<'a>),
    /// A request, with parameters by these bits.
    Request(u8, Change<'a>),
    /// A frame that was sent before, sent again.
    Resend(u8),
    /// A verdict of this code and validity.
    Verdict(u8, u32),
    /// Seconds.
    Wait(u16),
}

/// The content of an authenticator. Each has a good signature and a good MAC over it.
pub(super) enum Answer<'a> {
    /// Evidence of the device for this connection and key.
    Genuine,
    /// None: a refusal.
    Empty,
    /// Evidence of a device that nobody trusts.
    OtherDevice,
    /// Evidence of the device for this connection and the key that signs, which is not that of the handshake.
    OtherKey,
    /// Evidence of the device, made for another key than the one that signs.
    ForOtherKey,
    /// A certificate without Evidence.
    Plain,
    /// The message of the device, altered.
    Altered(Change<'a>),
    /// Any bytes as the message, and as the selection of parameters.
    Extensions(&'a [u8], &'a [u8]),
    /// Evidence of a batch of this place in which the connection is, altered.
    Batched(u8, Change<'a>),
    /// Evidence of a batch, of this place and presented so, that is not the connection's own.
    Misused(Misuse, u8),
}

/// Messages of a batch that no end may take.
pub(super) enum Misuse {
    /// The message of another connection in the same batch.
    Neighbour,
    /// The Evidence of one batch with the proof of another. The connection is in both.
    OtherBatch,
    /// The message of a batch in which the connection is not.
    Absent,
    /// The message of the connection, under a selection that says of no batch.
    Unsaid,
    /// Evidence of the connection alone, under a selection that says of a batch.
    Alone,
    /// The message of the connection, where the device is one that nobody trusts.
    OtherDevice,
}

/// What is done to bytes before they leave.
#[derive(Clone)]
pub(super) struct Change<'a> {
    flips: Vec<(u16, u8)>,
    cut: Option<u16>,
    tail: &'a [u8],
}

impl<'a> Script<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        let mut tape = Tape::new(input);
        let terms = tape.byte();
        Self { tape, terms }
    }

    /// The number of the live end's terms.
    pub(super) fn terms(&self) -> u8 {
        self.terms & !HONEST
    }

    /// No script at all: the peer does what the protocol says.
    pub(super) fn is_honest(&self) -> bool {
        self.terms & HONEST != 0
    }

    /// The place in a batch of the Evidence of a peer that does what the protocol says. Without one its Evidence is of this connection alone.
    pub(super) fn place(mut self) -> Option<u8> {
        (!self.tape.is_empty()).then(|| self.tape.byte())
    }
}

impl<'a> Iterator for Script<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let tape = &mut self.tape;
        if tape.is_empty() {
            return None;
        }
        Some(match tape.byte() % 12 {
            0 => Step::Read,
            1 => Step::Request(tape.byte(), Change::of(tape)),
            2 => {
                let answer = Answer::of(tape);
                Step::Authenticator(answer, Change::of(tape))
            }
            3 => Step::Verdict(tape.byte(), tape.word()),
            4 => Step::Frame {
                kind: tape.byte(),
                length: tape.word(),
                payload: tape.bytes(),
            },
            5 => Step::Bytes(tape.bytes()),
            6 => Step::Pieces(tape.byte()),
            7 => Step::Wait(tape.short()),
            8 => Step::End,
            9 => Step::Resend(tape.byte()),
            10 => Step::Foreign(tape.byte()),
            _ => Step::Reflect(Change::of(tape)),
        })
    }
}

impl<'a> Answer<'a> {
    fn of(tape: &mut Tape<'a>) -> Self {
        match tape.byte() % 10 {
            0 => Self::Genuine,
            1 => Self::Empty,
            2 => Self::OtherDevice,
            3 => Self::OtherKey,
            4 => Self::ForOtherKey,
            5 => Self::Plain,
            6 => Self::Altered(Change::of(tape)),
            7 => Self::Extensions(tape.bytes(), tape.bytes()),
            8 => Self::Batched(tape.byte(), Change::of(tape)),
            _ => Self::Misused(Misuse::of(tape), tape.byte()),
        }
    }
}

impl Misuse {
    fn of(tape: &mut Tape<'_>) -> Self {
        match tape.byte() % 6 {
            0 => Self::Neighbour,
            1 => Self::OtherBatch,
            2 => Self::Absent,
            3 => Self::Unsaid,
            4 => Self::Alone,
            _ => Self::OtherDevice,
        }
    }
}

impl<'a> Change<'a> {
    fn of(tape: &mut Tape<'a>) -> Self {
        let what = tape.byte();
        let flips = (0..what & 3).map(|_| (tape.short(), tape.byte())).collect();
        Self {
            flips,
            cut: (what & 4 != 0).then(|| tape.short()),
            tail: if what & 8 != 0 { tape.bytes() } else { &[] },
        }
    }

    pub(super) fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        for (at, flip) in &self.flips {
            let from_the_end = at & 0x8000 != 0;
            let Some(at) = usize::from(at & 0x7fff).checked_rem(changed.len()) else {
                continue;
            };
            let at = if from_the_end {
                changed.len() - 1 - at
            } else {
                at
            };
            changed[at] ^= flip;
        }
        if let Some(cut) = self.cut {
            changed.truncate(usize::from(cut) % changed.len().saturating_add(1));
        }
        changed.extend_from_slice(self.tail);
        changed
    }
}

const HONEST: u8 = 0x80;
