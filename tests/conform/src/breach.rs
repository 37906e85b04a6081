//! The cases. Each is named after the one way in which a peer fails it, and a peer can be made that fails in just this way.

use std::fmt;

use atls_core::session::Side;

use crate::habit::Habit;
use crate::twist::Duty;
use crate::twist::Twist;
use crate::weaker::Weak;

/// One way to break the protocol: what a case looks for, and what a broken peer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Breach {
    /// Does something that is not about one message.
    Does(Habit),
    /// Accepts a message with a twist that must be refused, or refuses one that must be accepted.
    Misjudges(Twist),
    /// Sends a message with a twist that must be refused.
    Sends(Twist),
    /// Breaks a rule of a weaker mode.
    Weak(Weak),
}

impl Breach {
    /// The cases for a peer of this side, in the order of the page.
    pub fn cases(side: Side) -> Vec<Self> {
        let mut cases = Vec::new();
        for twist in Twist::ALL.iter().copied() {
            if can_reach(twist, side) {
                cases.push(Self::Misjudges(twist));
            }
            if is_sent(twist, side) {
                cases.push(Self::Sends(twist));
            }
        }
        let habits = Habit::ALL.iter().copied();
        cases.extend(habits.filter(|habit| habit.is_of(side)).map(Self::Does));
        cases.sort_by_key(|case| number(case.rule()));
        cases
    }

    /// The number of the sentence that it breaks.
    pub fn rule(self) -> &'static str {
        match self {
            Self::Does(habit) => habit.rule(),
            Self::Misjudges(twist) | Self::Sends(twist) => twist.rule(),
            Self::Weak(weak) => weak.rule(),
        }
    }

    /// What is expected of the peer.
    pub fn expected(self) -> String {
        match self {
            Self::Does(habit) => format!("never: it {}", habit.title()),
            Self::Misjudges(twist) => match twist.duty() {
                Duty::Accept => format!("accepts {}", twist.title()),
                Duty::Refuse => format!("refuses {}", twist.title()),
            },
            Self::Sends(twist) => format!("does not send {}", twist.title()),
            Self::Weak(weak) => weak.expected(),
        }
    }
}

/// The number of the sentence, and the failure: `P4.3/takes-nine-certificates`.
impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Does(habit) => habit.slug(),
            Self::Misjudges(twist) => match twist.duty() {
                Duty::Accept => format!("refuses-{}", twist.slug()),
                Duty::Refuse => format!("takes-{}", twist.slug()),
            },
            Self::Sends(twist) => format!("sends-{}", twist.slug()),
            Self::Weak(weak) => weak.to_string(),
        };
        write!(f, "{}/{what}", self.rule())
    }
}

/// `P5.1.7` as `[5, 1, 7]`.
pub fn number(rule: &str) -> Vec<u32> {
    let parts = rule.trim_start_matches('P').split('.');
    parts.filter_map(|part| part.parse().ok()).collect()
}

/// Whether a peer of this side can get a message with it.
fn can_reach(twist: Twist, side: Side) -> bool {
    match twist {
        // A server's request has neither key 5 nor key 6, and only it may lack server_name.
        Twist::ServerNameOfServer | Twist::SpentContext => side == Side::Client,
        Twist::WithoutAbility => side == Side::Server,
        _ => true,
    }
}

/// Whether a peer of this side can send it, against a rule, and be seen to.
fn is_sent(twist: Twist, side: Side) -> bool {
    match twist {
        _ if twist.duty() == Duty::Accept => false,
        // An empty authenticator may be sent; a plain one too, to an end that wants nothing.
        Twist::Empty | Twist::ForgedEmpty | Twist::Plain => false,
        // The kit always offers these.
        Twist::UnofferedVerdicts | Twist::UnofferedBatch => false,
        // The habit of answering in another format, and the two about keys of other kinds, have cases of their own.
        Twist::OtherFormat | Twist::Pkcs1 => false,
        Twist::ServerNameOfServer => side == Side::Server,
        Twist::WithoutAbility => side == Side::Client,
        Twist::SpentContext => side == Side::Server,
        _ => true,
    }
}
