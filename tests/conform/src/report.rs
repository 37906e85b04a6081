//! What came out: a table, or JSON.

use std::fmt;

use atls_core::session::Side;
use serde_json::Value;
use serde_json::json;

use crate::breach::Breach;

/// What came out of one case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Pass,
    Fail,
    /// The peer does not do what the case is about, or this Evidence cannot show it.
    NotSupported,
    /// The connection did not get to where the case begins.
    NotReached,
}

/// One case and what came out.
#[derive(Clone, Debug)]
pub struct Finding {
    pub case: Breach,
    pub outcome: Outcome,
    pub seen: String,
}

/// All cases against one peer.
#[derive(Clone, Debug)]
pub struct Report {
    /// The side of the peer.
    pub side: Side,
    pub findings: Vec<Finding>,
}

impl Finding {
    pub(crate) fn new(case: Breach, outcome: Outcome, seen: &str) -> Self {
        Self {
            case,
            outcome,
            seen: seen.to_owned(),
        }
    }
}

impl Report {
    /// How many cases came out so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.with(outcome).len()
    }

    /// The cases that came out so.
    pub fn with(&self, outcome: Outcome) -> Vec<Breach> {
        let findings = self.findings.iter();
        let with = findings.filter(|finding| finding.outcome == outcome);
        with.map(|finding| finding.case).collect()
    }

    /// 0 where every case that the peer supports passed, 1 where one failed, 2 where one was not reached.
    pub fn exit_code(&self) -> u8 {
        if self.count(Outcome::Fail) > 0 {
            1
        } else if self.count(Outcome::NotReached) > 0 {
            2
        } else {
            0
        }
    }

    pub fn to_json(&self) -> Value {
        let findings = self.findings.iter().map(|finding| {
            json!({
                "case": finding.case.to_string(),
                "rule": finding.case.rule(),
                "outcome": finding.outcome.to_string(),
                "expected": finding.case.expected(),
                "seen": finding.seen,
            })
        });
        json!({
            "tested": self.side.to_string(),
            "pass": self.count(Outcome::Pass),
            "fail": self.count(Outcome::Fail),
            "not_supported": self.count(Outcome::NotSupported),
            "not_reached": self.count(Outcome::NotReached),
            "cases": findings.collect::<Vec<_>>(),
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "pass",
            Self::Fail => "FAIL",
            Self::NotSupported => "not supported",
            Self::NotReached => "not reached",
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let case = finding.case.to_string();
            writeln!(f, "{:<13}  {case:<44}  {}", finding.outcome, finding.seen)?;
            if finding.outcome == Outcome::Fail {
                writeln!(f, "{:<13}  expected: {}", "", finding.case.expected())?;
            }
        }
        write!(
            f,
            "the {}: {} passed, {} failed, {} not supported, {} not reached",
            self.side,
            self.count(Outcome::Pass),
            self.count(Outcome::Fail),
            self.count(Outcome::NotSupported),
            self.count(Outcome::NotReached),
        )
    }
}
