//! The two weaker modes (docs/protocol.md §11 and §12): Evidence in the certificate of the TLS handshake.

pub mod broken;
pub mod certificate;
pub mod connection;
pub mod nonce;
pub mod run;

use std::fmt;

use atls_core::session::Side;

use crate::twist::Duty;
use crate::twist::slug;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    InCertificate,
    InHandshake,
}

macro_rules! flaws {
    ($($name:ident $modes:ident $duty:ident $rule:literal $title:literal;)*) => {
        /// One unusual thing in a certificate with Evidence.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Flaw {
            $(#[doc = $title] $name,)*
        }

        impl Flaw {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            fn is_of(self, mode: Mode) -> bool {
                match self { $(Self::$name => is_of(stringify!($modes), mode)),* }
            }

            pub fn duty(self) -> Duty {
                match self { $(Self::$name => Duty::$duty),* }
            }

            fn rule(self) -> &'static str {
                match self { $(Self::$name => $rule),* }
            }

            fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }

            fn slug(self) -> String {
                slug(match self { $(Self::$name => stringify!($name)),* })
            }
        }
    };
}

flaws! {
    BatchProof Either Refuse "P5.1.6" "a proof of a batch in a certificate";
    OtherKeyHashed InCertificate Refuse "P11.1" "Evidence over the digest of another key";
    RepeatedExtension Either Refuse "P11.2" "a certificate with id-pe-cmw twice";
    BesideOther Either Refuse "P11.2" "id-pe-cmw beside the extension of DICE";
    DerTrailing Either Refuse "P11.3" "a byte after the value of id-pe-cmw";
    LongLength Either Refuse "P11.3" "id-pe-cmw with a length that is not the shortest";
    JsonChoice Either Accept "P11.3" "id-pe-cmw in JSON";
    NoEvidence Either Refuse "P11.5" "a certificate without Evidence";
    OtherNonce InHandshake Refuse "P12.1" "Evidence over another nonce";
    OtherRole InHandshake Refuse "P12.1" "Evidence in the role of the other side";
    KeyAlone InHandshake Refuse "P12.1" "Evidence over the digest of the key alone";
}

/// A case about a weaker mode, named after the failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weak {
    Misjudges(Flaw),
    Sends(Flaw),
    /// A client that presents a certificate although there are two nonces.
    AnswersTwoNonces,
    /// A client that presents a certificate although there is no nonce.
    AnswersNoNonce,
    /// A server that goes on without the whole `random` in the first record.
    TakesCutHello,
}

impl Weak {
    /// The cases for a peer of this side.
    pub fn cases(side: Side, mode: Mode) -> Vec<Self> {
        let mut cases = Vec::new();
        for flaw in Flaw::ALL.iter().copied().filter(|flaw| flaw.is_of(mode)) {
            cases.push(Self::Misjudges(flaw));
            // Who does not attest may have any certificate.
            if flaw.duty() == Duty::Refuse && flaw != Flaw::NoEvidence {
                cases.push(Self::Sends(flaw));
            }
        }
        match (mode, side) {
            (Mode::InCertificate, _) => {}
            (Mode::InHandshake, Side::Client) => {
                cases.extend([Self::AnswersTwoNonces, Self::AnswersNoNonce]);
            }
            (Mode::InHandshake, Side::Server) => cases.push(Self::TakesCutHello),
        }
        cases
    }

    pub fn rule(self) -> &'static str {
        match self {
            Self::Misjudges(flaw) | Self::Sends(flaw) => flaw.rule(),
            Self::AnswersTwoNonces | Self::AnswersNoNonce => "P12.2",
            Self::TakesCutHello => "P12.3",
        }
    }

    pub fn expected(self) -> String {
        match self {
            Self::Misjudges(flaw) => match flaw.duty() {
                Duty::Accept => format!("accepts {}", flaw.title()),
                Duty::Refuse => format!("refuses {}", flaw.title()),
            },
            Self::Sends(flaw) => format!("does not send {}", flaw.title()),
            Self::AnswersTwoNonces => {
                "presents no certificate where there are two nonces".to_owned()
            }
            Self::AnswersNoNonce => "presents no certificate where there is no nonce".to_owned(),
            Self::TakesCutHello => {
                "ends the connection where the first record does not hold the random".to_owned()
            }
        }
    }
}

impl fmt::Display for Weak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misjudges(flaw) => match flaw.duty() {
                Duty::Accept => write!(f, "refuses-{}", flaw.slug()),
                Duty::Refuse => write!(f, "takes-{}", flaw.slug()),
            },
            Self::Sends(flaw) => write!(f, "sends-{}", flaw.slug()),
            Self::AnswersTwoNonces => f.write_str("answers-two-nonces"),
            Self::AnswersNoNonce => f.write_str("answers-no-nonce"),
            Self::TakesCutHello => f.write_str("takes-cut-hello"),
        }
    }
}

fn is_of(modes: &str, mode: Mode) -> bool {
    match modes {
        "InCertificate" => mode == Mode::InCertificate,
        "InHandshake" => mode == Mode::InHandshake,
        _ => true,
    }
}
