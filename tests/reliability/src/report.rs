//! What a scenario found, and whether it is what must hold.

use std::fmt;

use crate::client::Outcome;

/// The outcome of one scenario.
#[derive(Debug)]
pub(crate) struct Report {
    title: &'static str,
    figures: Vec<String>,
    broken: Vec<String>,
}

impl Report {
    pub(crate) fn of(title: &'static str) -> Self {
        Self {
            title,
            figures: Vec::new(),
            broken: Vec::new(),
        }
    }

    pub(crate) fn figure(&mut self, figure: impl Into<String>) {
        self.figures.push(figure.into());
    }

    /// Something that must be so.
    pub(crate) fn must(&mut self, what: impl Into<String>, holds: Holds) {
        match holds {
            Holds::Yes => {}
            Holds::No => self.broken.push(what.into()),
        }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.broken.is_empty()
    }
}

/// Whether something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    No,
    Yes,
}

impl From<bool> for Holds {
    fn from(it: bool) -> Self {
        match it {
            true => Self::Yes,
            false => Self::No,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.is_good() { "holds" } else { "BROKEN" };
        writeln!(f, "{}: {word}", self.title)?;
        for figure in &self.figures {
            writeln!(f, "  {figure}")?;
        }
        for broken in &self.broken {
            writeln!(f, "  BROKEN: {broken}")?;
        }
        Ok(())
    }
}

/// How many requests came to which end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) served: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    pub(crate) wrong: u64,
    /// The first of those that were not served.
    pub(crate) first: Option<String>,
}

impl Tally {
    pub(crate) fn note(&mut self, outcome: Outcome) {
        let (count, text) = match outcome {
            Outcome::Served => {
                self.served += 1;
                return;
            }
            Outcome::Refused(text) => (&mut self.refused, text),
            Outcome::Failed(text) => (&mut self.failed, text),
            Outcome::Wrong(text) => (&mut self.wrong, text),
        };
        *count += 1;
        self.first.get_or_insert(text);
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.served += other.served;
        self.refused += other.refused;
        self.failed += other.failed;
        self.wrong += other.wrong;
        self.first = self.first.take().or(other.first);
    }

    /// Every request was served.
    pub(crate) fn all_served(&self) -> Holds {
        Holds::from(self.served > 0 && self.refused + self.failed + self.wrong == 0)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} served, {} refused, {} failed, {} wrong",
            self.served, self.refused, self.failed, self.wrong
        )?;
        match &self.first {
            Some(first) => write!(f, " (the first: {first})"),
            None => Ok(()),
        }
    }
}

/// Bytes for people.
pub(crate) fn bytes(bytes: usize) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
