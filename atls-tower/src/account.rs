//! The whole account of a refusal, in the log of whoever asks for it.

use std::fmt;
use std::fmt::Write;

use atls_core::Refusal;

/// Tells the whole account at the level `debug`, under a target of its own: it has many lines, and the event of the refusal has its gist.
///
/// It holds no more about the peer than that event may: public values, and no identity.
pub(crate) fn tell(refusal: &Refusal) {
    tracing::debug!(target: "atls_tower::refusal", "{}", Cut(refusal.explain()));
}

/// A text of at most [`MAX_BYTES`]; a `…` stands for the rest.
struct Cut<T>(T);

impl<T: fmt::Display> fmt::Display for Cut<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut room = Room {
            f,
            left: MAX_BYTES,
            full: false,
        };
        match write!(room, "{}", self.0) {
            Err(_) if room.full => f.write_str("…"),
            written => written,
        }
    }
}

struct Room<'a, 'b> {
    f: &'a mut fmt::Formatter<'b>,
    left: usize,
    full: bool,
}

impl Write for Room<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let Some(left) = self.left.checked_sub(text.len()) else {
            self.full = true;
            return Err(fmt::Error);
        };
        self.left = left;
        self.f.write_str(text)
    }
}

/// In bytes. A peer chooses how many items it sends, and every peer can have an account written.
const MAX_BYTES: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_does_not_fill_a_log() {
        struct Lines(usize);
        impl fmt::Display for Lines {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                (0..self.0).try_for_each(|_| f.write_str("0123456789abcde\n"))
            }
        }
        let whole = MAX_BYTES / 16;
        assert_eq!(Cut(Lines(whole)).to_string().len(), MAX_BYTES);
        let cut = Cut(Lines(whole.saturating_add(1))).to_string();
        assert_eq!(cut.len(), MAX_BYTES + "…".len());
        assert!(cut.ends_with("\n…"), "{}", cut.len());
    }
}
