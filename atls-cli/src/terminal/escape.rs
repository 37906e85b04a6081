//! Text of others, for a terminal.

use std::fmt;
use std::fmt::Write;

/// Text that somebody else chose, on one line. Each character that is not printable, direction marks included, is shown as its
/// escape; what is too long ends in `…`.
pub(crate) struct Safe<'a>(pub(crate) &'a str);

impl fmt::Display for Safe<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, c) in self.0.chars().enumerate() {
            if position >= MAX_LINE {
                return f.write_char('…');
            }
            escaped(c, f)?;
        }
        Ok(())
    }
}

/// The same for a text of several lines: line ends and tabs stay.
pub(crate) fn keep_lines(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => kept.push(c),
            // A `String` takes all.
            _ => drop(escaped(c, &mut kept)),
        }
    }
    kept
}

/// A JSON document, in which a character that is not printable stands as JSON's own escape of it. Such characters are within strings
/// alone, so the document says the same.
pub(crate) fn json(document: &str) -> String {
    let mut kept = String::with_capacity(document.len());
    for c in document.chars() {
        if c == '\n' || c.is_ascii_graphic() || c == ' ' || c.escape_debug().len() == 1 {
            kept.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // A `String` takes all.
            let _ = write!(kept, "\\u{unit:04x}");
        }
    }
    kept
}

fn escaped(c: char, to: &mut impl Write) -> fmt::Result {
    match c {
        '"' | '\'' | '\\' => to.write_char(c),
        _ => c.escape_debug().try_for_each(|c| to.write_char(c)),
    }
}

/// Most characters of a line that somebody else wrote. A digest of 64 bytes has 128.
const MAX_LINE: usize = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_that_controls_a_terminal_comes_through() {
        let hostile = "\u{1b}[2J\u{9b}31m\r\u{7}\u{202e}\u{0}";
        let shown = Safe(hostile).to_string();
        assert_eq!(shown, r"\u{1b}[2J\u{9b}31m\r\u{7}\u{202e}\0");
        assert_eq!(keep_lines(hostile), shown);
    }

    #[test]
    fn json_says_the_same_in_printable_characters() {
        let hostile = "\u{9b}31m\u{202e}ä\u{e0001}\"\n";
        let document = format!("{:#}", serde_json::json!({ "a": hostile }));
        let shown = json(&document);
        assert!(shown.contains(r"\u009b31m\u202eä\udb40\udc01"), "{shown}");
        let read: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(read["a"], hostile);
    }

    #[test]
    fn a_line_is_bounded() {
        let shown = Safe(&"x".repeat(MAX_LINE * 2)).to_string();
        assert_eq!(shown.chars().count(), MAX_LINE + 1);
    }

    #[test]
    fn ordinary_text_stays_as_it_is() {
        let text = "grün \"quoted\" C:\\path 'x'";
        assert_eq!(Safe(text).to_string(), text);
    }
}
