//! What a verifier looked at, check by check: for operators, never for the decision.

use std::fmt;
use std::fmt::Write;
use std::sync::Arc;

/// One check that a verifier made: its name, its outcome, the value that was seen, and the values that were allowed.
///
/// Findings explain a result to people; the decision is the status of the result alone. A verifier reports every check that
/// it made, also those after the first that failed.
///
/// **Public values only**: measurements, security version numbers, dates, names of reference values. Findings are logged
/// and may be shown to the public, so they never hold what identifies a device (chip identifiers, `ueid`, serial numbers,
/// certificates) and never a secret.
///
/// Text is kept up to [`MAX_TEXT`](Self::MAX_TEXT) characters, with control characters escaped, so what a peer chose can
/// neither fill a log nor forge lines of it.
///
/// ```
/// # use atls_core::finding::Finding;
/// let finding = Finding::failed("sim.software")
///     .with_seen_bytes(&[0xab; 2])
///     .with_allowed("web 1.4", "cdcd")
///     .with_note("add the measurement of this build to the policy, or deploy a known build")
///     .with_place("policy.toml", 12);
/// assert_eq!(
///     finding.to_string(),
///     "sim.software failed: seen abab, allowed are web 1.4 (cdcd); \
///      add the measurement of this build to the policy, or deploy a known build (policy.toml, line 12)"
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    check: String,
    outcome: Outcome,
    seen: Option<String>,
    allowed: Vec<Allowed>,
    further_allowed: usize,
    note: Option<String>,
    place: Option<Place>,
}

/// How a check ended, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    clippy::exhaustive_enums,
    reason = "an operator acts in one of three ways"
)]
pub enum Outcome {
    /// As it should be.
    Passed,
    /// Something is off, or soon will be: update, or change the policy.
    Warning,
    /// Not acceptable.
    Failed,
}

/// A value that a policy allows, and its name there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    name: String,
    value: String,
}

/// Where in a file a policy says what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    file: Arc<str>,
    line: usize,
}

impl Finding {
    /// Most characters of each text, after escaping; more are replaced by `…`. A measurement of 64 bytes has 128.
    pub const MAX_TEXT: usize = 256;

    /// Most allowed values that one finding holds; of others it holds the number.
    pub const MAX_ALLOWED: usize = 8;

    /// A check that passed. Names are of the form `tdx.rtmr1`: the platform, then what was checked.
    pub fn passed(check: impl fmt::Display) -> Self {
        Self::new(check, Outcome::Passed)
    }

    /// A check that found something off, or something that soon will be.
    pub fn warning(check: impl fmt::Display) -> Self {
        Self::new(check, Outcome::Warning)
    }

    /// A check that failed.
    pub fn failed(check: impl fmt::Display) -> Self {
        Self::new(check, Outcome::Failed)
    }

    /// With an outcome that was computed.
    pub fn new(check: impl fmt::Display, outcome: Outcome) -> Self {
        Self {
            check: bounded(check),
            outcome,
            seen: None,
            allowed: Vec::new(),
            further_allowed: 0,
            note: None,
            place: None,
        }
    }

    /// The public value that was seen.
    #[must_use]
    pub fn with_seen(mut self, value: impl fmt::Display) -> Self {
        self.seen = Some(bounded(value));
        self
    }

    /// The public value that was seen, in hexadecimal.
    #[must_use]
    pub fn with_seen_bytes(self, value: &[u8]) -> Self {
        self.with_seen(Hex(value))
    }

    /// One more value that would have been accepted, by the name that the policy gives it; no value where the name says it
    /// all.
    #[must_use]
    pub fn with_allowed(mut self, name: impl fmt::Display, value: impl fmt::Display) -> Self {
        if self.allowed.len() < Self::MAX_ALLOWED {
            self.allowed.push(Allowed {
                name: bounded(name),
                value: bounded(value),
            });
        } else {
            self.further_allowed = self.further_allowed.saturating_add(1);
        }
        self
    }

    /// One more value that would have been accepted, in hexadecimal.
    #[must_use]
    pub fn with_allowed_bytes(self, name: impl fmt::Display, value: &[u8]) -> Self {
        self.with_allowed(name, Hex(value))
    }

    /// The cause or the cure, in a few words.
    #[must_use]
    pub fn with_note(mut self, note: impl fmt::Display) -> Self {
        self.note = Some(bounded(note));
        self
    }

    /// File and line of the policy that decides the check. Lines count from 1; 0 where the line is not known.
    #[must_use]
    pub fn with_place(mut self, file: impl fmt::Display, line: usize) -> Self {
        self.place = Some(Place {
            file: bounded(file).into(),
            line,
        });
        self
    }

    /// The name of the check, such as `tdx.rtmr1`.
    pub fn check(&self) -> &str {
        &self.check
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The value that was seen.
    pub fn seen(&self) -> Option<&str> {
        self.seen.as_deref()
    }

    /// The values that were allowed; no more than [`MAX_ALLOWED`](Self::MAX_ALLOWED).
    pub fn allowed(&self) -> &[Allowed] {
        &self.allowed
    }

    /// How many values were allowed beside those.
    pub fn further_allowed(&self) -> usize {
        self.further_allowed
    }

    /// Cause or cure.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Where the policy says so.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

impl Allowed {
    /// Its name in the policy.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value; may be empty.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl Place {
    /// The file's name, as the application gave it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, counted from 1; 0 where it is not known.
    pub fn line(&self) -> usize {
        self.line
    }
}

/// One line: name, outcome, value seen, values allowed, note, place.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.check, self.outcome)?;
        let mut separator = ": ";
        if let Some(seen) = &self.seen {
            write!(f, "{separator}seen {seen}")?;
            separator = ", ";
        }
        for (position, allowed) in self.allowed.iter().enumerate() {
            let lead = if position == 0 { "allowed are " } else { "" };
            write!(f, "{separator}{lead}{allowed}")?;
            separator = ", ";
        }
        if self.further_allowed > 0 {
            write!(f, " and {} more", self.further_allowed)?;
        }
        if let Some(note) = &self.note {
            let separator = if separator == ": " { ": " } else { "; " };
            write!(f, "{separator}{note}")?;
        }
        match &self.place {
            Some(place) => write!(f, " ({place})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Warning => "warning",
            Self::Failed => "failed",
        })
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name.as_str(), self.value.as_str()) {
            (name, "") => f.write_str(name),
            ("", value) => f.write_str(value),
            (name, value) => write!(f, "{name} ({value})"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}, line {line}", self.file),
        }
    }
}

/// Escaped, and no longer than [`Finding::MAX_TEXT`].
pub(crate) fn bounded(value: impl fmt::Display) -> String {
    let mut text = Bounded {
        text: String::new(),
        left: Finding::MAX_TEXT,
    };
    // Ends early where there is no room, and so does a `Display` that fails: what was written stands.
    let _ = write!(text, "{value}");
    text.text
}

struct Bounded {
    text: String,
    left: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| self.push(c))
    }
}

impl Bounded {
    fn push(&mut self, c: char) -> fmt::Result {
        let quote = matches!(c, '"' | '\'');
        // Quotes stay readable; everything that is not printable, direction marks included, is escaped.
        let length = if quote { 1 } else { c.escape_debug().count() };
        let Some(left) = self.left.checked_sub(length) else {
            self.text.push('…');
            self.left = 0;
            return Err(fmt::Error);
        };
        self.left = left;
        if quote {
            self.text.push(c);
        } else {
            self.text.extend(c.escape_debug());
        }
        Ok(())
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_longer_than_its_limit_or_breaks_a_line() {
        let hostile = "\n\u{202e}\\\"ä".repeat(1000);
        let finding = Finding::failed(&hostile)
            .with_seen(&hostile)
            .with_allowed(&hostile, &hostile)
            .with_note(&hostile)
            .with_place(&hostile, 1);
        let texts = [
            Some(finding.check()),
            finding.seen(),
            Some(finding.allowed()[0].name()),
            Some(finding.allowed()[0].value()),
            finding.note(),
            finding.place().map(Place::file),
        ];
        for text in texts {
            let text = text.unwrap();
            assert!(text.chars().count() <= Finding::MAX_TEXT + 1, "{text}");
            assert!(text.starts_with(r#"\n\u{202e}\\"ä"#), "{text}");
            assert!(text.ends_with('…') && !text.contains('\n'), "{text}");
        }
    }

    #[test]
    fn a_text_of_just_the_limit_is_whole() {
        let whole = "x".repeat(Finding::MAX_TEXT);
        assert_eq!(Finding::passed(&whole).check(), whole);
    }

    #[test]
    fn allowed_values_beyond_the_limit_are_counted() {
        let finding = (0..20).fold(Finding::failed("x"), |finding, number| {
            finding.with_allowed(number, "")
        });
        assert_eq!(finding.allowed().len(), Finding::MAX_ALLOWED);
        assert_eq!(finding.further_allowed(), 12);
        let line = "x failed: allowed are 0, 1, 2, 3, 4, 5, 6, 7 and 12 more";
        assert_eq!(finding.to_string(), line);
    }

    #[test]
    fn a_line_says_what_there_is() {
        assert_eq!(Finding::passed("a.b").to_string(), "a.b passed");
        let noted = Finding::warning("a.b").with_note("update it");
        assert_eq!(noted.to_string(), "a.b warning: update it");
        let seen = Finding::failed("a.b").with_seen(7).with_place("p.toml", 0);
        assert_eq!(seen.to_string(), "a.b failed: seen 7 (p.toml)");
    }
}
