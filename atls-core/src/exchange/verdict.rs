//! The asking end's answer to an authenticator.

use std::time::Duration;

use crate::codec::Reader;
use crate::error::ProtocolError;

/// The answer to an authenticator, five bytes:
///
/// ```text
/// struct { uint8 code; uint32 valid_for; } Verdict;      /* seconds, 0 unless accepted */
/// ```
///
/// A verdict is advisory. It tells the peer whether the connection goes on, and for how long. It holds no detail of the
/// appraisal, and the receiver never decides by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// Code 0: the attestation is accepted, for this time.
    Accepted {
        /// Whole seconds; at most 2^32 − 1.
        valid_for: Duration,
    },
    /// Any other code: the attestation is refused, and the connection ends.
    Refused(RefusalCode),
}

/// The reason for which an authenticator, or the offer before it, was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalCode {
    /// 1: attestation is required and was not offered.
    AttestationRequired,
    /// 2: the attestation was appraised and not accepted.
    NotAccepted,
    /// 3: the attestation could not be appraised now.
    Unavailable,
    /// 4: the order or the formats that the two ends want cannot both be met, or they are configured for different
    /// [wire profiles](crate::WireProfile).
    Incompatible,
    /// Another code, of a later version.
    Other(u8),
}

impl Verdict {
    /// Five bytes.
    pub fn encode(self) -> [u8; 5] {
        let (code, seconds) = match self {
            Self::Accepted { valid_for } => {
                (0, u32::try_from(valid_for.as_secs()).unwrap_or(u32::MAX))
            }
            Self::Refused(code) => (code.code(), 0),
        };
        let [a, b, c, d] = seconds.to_be_bytes();
        [code, a, b, c, d]
    }

    /// # Errors
    /// [`ProtocolError::Malformed`] unless exactly five bytes, with `valid_for` zero in a refusal.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProtocolError> {
        let mut reader = Reader::new(bytes);
        let code = reader.u8()?;
        let seconds = u64::from(reader.u32()?);
        reader.finish()?;
        match (code, seconds) {
            (0, seconds) => Ok(Self::Accepted {
                valid_for: Duration::from_secs(seconds),
            }),
            (code, 0) => Ok(Self::Refused(RefusalCode::from_code(code))),
            _ => Err(ProtocolError::Malformed),
        }
    }
}

impl RefusalCode {
    fn code(self) -> u8 {
        match self {
            Self::AttestationRequired => 1,
            Self::NotAccepted => 2,
            Self::Unavailable => 3,
            Self::Incompatible => 4,
            // Zero would read as acceptance.
            Self::Other(code) => code.max(5),
        }
    }

    fn from_code(code: u8) -> Self {
        match code {
            1 => Self::AttestationRequired,
            2 => Self::NotAccepted,
            3 => Self::Unavailable,
            4 => Self::Incompatible,
            other => Self::Other(other),
        }
    }
}

impl std::fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AttestationRequired => f.write_str("attestation is required"),
            Self::NotAccepted => f.write_str("attestation was not accepted"),
            Self::Unavailable => f.write_str("attestation could not be appraised now"),
            Self::Incompatible => {
                f.write_str("no common order, format or wire profile of attestation")
            }
            Self::Other(code) => write!(f, "refusal code {code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_survives_the_wire() {
        for code in 1..=255 {
            let verdict = Verdict::Refused(RefusalCode::from_code(code));
            assert_eq!(verdict.encode(), [code, 0, 0, 0, 0]);
            assert_eq!(Verdict::decode(&verdict.encode()), Ok(verdict));
        }
        let accepted = Verdict::Accepted {
            valid_for: Duration::from_secs(0x0102_0304),
        };
        assert_eq!(accepted.encode(), [0, 1, 2, 3, 4]);
        assert_eq!(Verdict::decode(&accepted.encode()), Ok(accepted));
    }

    #[test]
    fn a_refusal_never_encodes_as_acceptance() {
        assert_ne!(Verdict::Refused(RefusalCode::Other(0)).encode()[0], 0);
    }

    #[test]
    fn refuses_other_lengths_and_a_refusal_with_seconds() {
        assert_eq!(Verdict::decode(&[0; 4]), Err(ProtocolError::Malformed));
        assert_eq!(Verdict::decode(&[0; 6]), Err(ProtocolError::Malformed));
        assert_eq!(
            Verdict::decode(&[2, 0, 0, 0, 1]),
            Err(ProtocolError::Malformed)
        );
    }
}
