//! The checks of a verifier, one by one.
//!
//! A verifier writes them, and operators read them in logs and refusals. No policy uses them.

mod place;

use std::cmp::Reverse;
use std::fmt;
use std::fmt::Write;

use crate::limits::MAX_FINDINGS;

pub(crate) use place::AtEnd;
pub use place::Place;

/// One check that a verifier made: its name, its outcome, the value that it saw, and the values that are allowed.
///
/// Findings explain a result to people. The status of the result alone decides. A verifier reports every check that it made,
/// those after the first failure included.
///
/// **A finding holds public values only**, such as measurements, security version numbers, dates, and names of reference
/// values. Findings are logged and may be shown to the public, so they hold no secret and no identifier of a device (chip
/// identifier, `ueid`, serial number, certificate).
///
/// Each text is cut at [`MAX_TEXT`](Self::MAX_TEXT) characters and its control characters are escaped. So text that a peer
/// chose can neither fill a log nor forge a line of it.
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

/// The outcome of a check, ordered from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(
    clippy::exhaustive_enums,
    reason = "an operator acts in one of three ways"
)]
pub enum Outcome {
    /// The value is as it should be.
    Passed,
    /// Something is off, or soon will be. Update the platform, or change the policy.
    Warning,
    /// The value is not acceptable.
    Failed,
}

/// A value that a policy allows, and its name in the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    name: String,
    value: String,
}

impl Finding {
    /// Most characters of each text, after escaping. A `…` replaces the rest. A measurement of 64 bytes has 128 characters.
    pub const MAX_TEXT: usize = 256;

    /// Most allowed values that one finding holds. It holds the number of the others.
    pub const MAX_ALLOWED: usize = 8;

    /// A check that passed. Names have the form `tdx.rtmr1`: the platform, then the field.
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

    /// A check with a computed outcome.
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

    /// Sets the public value that the verifier saw.
    #[must_use]
    pub fn with_seen(mut self, value: impl fmt::Display) -> Self {
        self.seen = Some(bounded(value));
        self
    }

    /// Sets the public value that the verifier saw, in hexadecimal.
    #[must_use]
    pub fn with_seen_bytes(self, value: &[u8]) -> Self {
        self.with_seen(Hex(value))
    }

    /// Adds a value that is allowed, and its name in the policy. The value may be empty if the name says all.
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

    /// Adds a value that is allowed, in hexadecimal.
    #[must_use]
    pub fn with_allowed_bytes(self, name: impl fmt::Display, value: &[u8]) -> Self {
        self.with_allowed(name, Hex(value))
    }

    /// Sets the cause or the cure, in a few words.
    #[must_use]
    pub fn with_note(mut self, note: impl fmt::Display) -> Self {
        self.note = Some(bounded(note));
        self
    }

    /// Sets file and line of the policy's rule. Lines count from 1; 0 stands for an unknown line.
    #[must_use]
    pub fn with_place(self, file: impl fmt::Display, line: usize) -> Self {
        self.with_place_of(Place::at_line(file, line))
    }

    /// Sets the place of the policy's rule.
    #[must_use]
    pub fn with_place_of(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The name of the check, such as `tdx.rtmr1`.
    pub fn check(&self) -> &str {
        &self.check
    }

    /// The outcome.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The value that the verifier saw.
    pub fn seen(&self) -> Option<&str> {
        self.seen.as_deref()
    }

    /// The values that are allowed, at most [`MAX_ALLOWED`](Self::MAX_ALLOWED) of them.
    pub fn allowed(&self) -> &[Allowed] {
        &self.allowed
    }

    /// The number of further values that are allowed.
    pub fn further_allowed(&self) -> usize {
        self.further_allowed
    }

    /// The cause or the cure.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// The place of the policy's rule.
    pub fn place(&self) -> Option<&Place> {
        self.place.as_ref()
    }
}

impl Allowed {
    /// Its name in the policy.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value, which may be empty.
    pub fn value(&self) -> &str {
        &self.value
    }
}

/// Prints one line: name, outcome, seen value, allowed values, note, place.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, Self::MAX_ALLOWED)
    }
}

/// A finding with few of the values that were allowed.
pub(crate) struct Short<'a>(&'a Finding);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, FEW_ALLOWED)
    }
}

/// Values that a log shows, so that a reader sees what kind they are.
const FEW_ALLOWED: usize = 2;

impl Finding {
    /// For a line that holds several.
    pub(crate) fn short(&self) -> Short<'_> {
        Short(self)
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, most_allowed: usize) -> fmt::Result {
        write!(f, "{} {}", self.check, self.outcome)?;
        let mut separator = ": ";
        if let Some(seen) = &self.seen {
            write!(f, "{separator}seen {seen}")?;
            separator = ", ";
        }
        for (position, allowed) in self.allowed.iter().take(most_allowed).enumerate() {
            let lead = if position == 0 { "allowed are " } else { "" };
            write!(f, "{separator}{lead}{allowed}")?;
            separator = ", ";
        }
        let left_out = self.allowed.len().saturating_sub(most_allowed);
        let further = self.further_allowed.saturating_add(left_out);
        if further > 0 {
            write!(f, " and {further} more")?;
        }
        if let Some(note) = &self.note {
            let separator = if separator == ": " { ": " } else { "; " };
            write!(f, "{separator}{note}")?;
        }
        write!(f, "{}", AtEnd(self.place.as_ref()))
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

/// Adds findings, and keeps at most [`MAX_FINDINGS`], failures before others.
pub(crate) fn add(findings: &mut Vec<Finding>, more: Vec<Finding>) {
    findings.extend(more);
    if findings.len() > MAX_FINDINGS {
        // The sort is stable, so findings of one outcome keep the verifier's order.
        findings.sort_by_key(|finding| Reverse(finding.outcome()));
        findings.truncate(MAX_FINDINGS);
    }
}

/// The text of `value`, escaped and cut at [`Finding::MAX_TEXT`] characters.
pub(crate) fn bounded(value: impl fmt::Display) -> String {
    let mut text = Bounded {
        text: String::new(),
        left: Finding::MAX_TEXT,
    };
    // A text without room, or a failing `Display`, ends early. The text so far stands.
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
        // Quotes stay readable. All characters that are not printable, direction marks included, are escaped.
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
mod tests;
