use std::error::Error as _;
use std::fmt;
use std::io;

use atls_core::PolicyViolation;
use atls_core::Refusal;
use atls_tower::Error;
use rustls::CertificateError;

/// The outcome of one attack in one mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// There is nothing to attack, and why.
    NotApplicable(&'static str),
    /// By which check.
    Refused(String),
    /// The victim accepted, and what it then sent was read by the attacker.
    Succeeds,
}

impl Cell {
    pub fn refused(check: &str) -> Self {
        Self::Refused(check.to_owned())
    }

    /// The cell of two variants of one attack: if both were refused, it names both checks.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refused(one), Self::Refused(two))
                if one.split(", ").any(|check| check == two) =>
            {
                Self::Refused(one)
            }
            (Self::Refused(one), Self::Refused(two)) => Self::Refused(format!("{one}, {two}")),
            (Self::Succeeds, _) | (_, Self::Succeeds) => Self::Succeeds,
            (reason @ Self::NotApplicable(_), _) | (_, reason) => reason,
        }
    }

    /// The check behind an error.
    pub fn by(error: &Error) -> Self {
        let check = if let Some(protocol) = error.protocol() {
            format!("{protocol:?}")
        } else if let Some(refusal) = error.refusal() {
            match refusal {
                Refusal::Appraisal(appraisal) => format!("{appraisal:?}"),
                Refusal::Policy(PolicyViolation::Status(status)) => {
                    format!("attestation status is {}", status.tier())
                }
                Refusal::Policy(PolicyViolation::Custom(words)) => words.to_string(),
                Refusal::Policy(PolicyViolation::UnknownInstance { .. }) => {
                    "UnknownInstance".to_owned()
                }
                Refusal::Policy(violation) => format!("{violation:?}"),
                other => format!("{other:?}"),
            }
        } else if let Some(certificate) = certificate_error(error) {
            match certificate {
                CertificateError::NotValidForNameContext { .. } => "NotValidForName".to_owned(),
                other => format!("{other:?}"),
            }
        } else if error.is_peer_unattested() {
            "PeerUnattested".to_owned()
        } else {
            panic!("no check refused this: {error:?}");
        };
        Self::Refused(check)
    }
}

/// The objection of TLS to the peer's certificate.
fn certificate_error(error: &Error) -> Option<&CertificateError> {
    let io: &io::Error = error.source()?.downcast_ref()?;
    match io.get_ref()?.downcast_ref()? {
        rustls::Error::InvalidCertificate(certificate) => Some(certificate),
        _ => None,
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotApplicable(_) => f.write_str("n/a"),
            Self::Refused(check) => write!(f, "refused: {check}"),
            Self::Succeeds => f.write_str("SUCCEEDS"),
        }
    }
}

/// One attack, against the three modes: pre-handshake, intra-handshake, post-handshake.
pub struct Row {
    pub id: &'static str,
    pub title: &'static str,
    /// The steps of the attack, and the conditions of its outcome.
    pub text: &'static str,
    pub cells: [Cell; 3],
}
