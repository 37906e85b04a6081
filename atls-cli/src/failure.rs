//! How a command ends, for people and for scripts.

use std::error::Error;
use std::process::ExitCode;

/// How a command ended. Its number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All that was demanded was met.
    Accepted,
    /// An argument, or a file that it names, is wrong.
    Usage,
    /// There is no genuine attestation, or it is not about this connection.
    NotAttested,
    /// The attestation is genuine, and a policy refuses it.
    Refused,
    /// A verifier, or this machine, could not do its part. Nothing is known about the peer.
    Fault,
    /// No TLS connection, or no answer over it.
    NotReached,
}

impl Outcome {
    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::Usage => 1,
            Self::NotAttested => 2,
            Self::Refused => 3,
            Self::Fault => 4,
            Self::NotReached => 5,
        }
    }

    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Usage => "usage",
            Self::NotAttested => "not attested",
            Self::Refused => "refused",
            Self::Fault => "fault",
            Self::NotReached => "not reached",
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        outcome.code().into()
    }
}

/// Why a command did not do what was asked.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    outcome: Outcome,
    message: String,
    cause: Option<String>,
    help: Option<String>,
    reported: bool,
}

impl Failure {
    pub(crate) fn new(outcome: Outcome, message: impl Into<String>) -> Self {
        Self {
            outcome,
            message: message.into(),
            cause: None,
            help: None,
            reported: false,
        }
    }

    /// An argument, or a file that it names, is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Outcome::Usage, message)
    }

    /// This machine could not do its part.
    pub(crate) fn fault(message: impl Into<String>) -> Self {
        Self::new(Outcome::Fault, message)
    }

    /// No connection, or no answer.
    pub(crate) fn not_reached(message: impl Into<String>) -> Self {
        Self::new(Outcome::NotReached, message)
    }

    /// Adds the error behind it, with all of its causes.
    pub(crate) fn because(mut self, error: &(dyn Error + 'static)) -> Self {
        self.cause = Some(atls_core::report(error).to_string());
        self
    }

    /// Adds what to do.
    pub(crate) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Marks a failure that the command has reported already, such as in JSON.
    pub(crate) fn already_reported(mut self) -> Self {
        self.reported = true;
        self
    }

    pub(crate) fn is_reported(&self) -> bool {
        self.reported
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The failure and its causes, on one line.
    pub(crate) fn reason(&self) -> String {
        match &self.cause {
            Some(cause) => format!("{}: {cause}", self.message),
            None => self.message.clone(),
        }
    }

    pub(crate) fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// For `--json`.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "outcome": self.outcome.word(),
            "exit_code": self.outcome.code(),
            "reason": self.reason(),
            "help": self.help,
        })
    }
}
