//! `attestation_parameters`: the abilities of the two ends beyond the draft. A request offers them and an answer selects.
//!
//! ```text
//! request = {                        ; CBOR (RFC 8949), unknown keys ignored
//!   1 => 1,                          ; highest protocol version understood
//!   2 => [* tstr],                   ; media types of Evidence and Results that the sender appraises
//!   ? 3 => bool,                     ; Evidence of a batch understood; false if absent
//!   4 => bool,                       ; verdicts understood
//!   ; from a client
//!   ? 5 => bool,                     ; wants_evidence
//!   ? 6 => 0 / 1 / 2,                ; can_attest: no, after the peer, before the peer
//!   ; from a server
//!   ? 7 => 1 / 2,                    ; order: the client attests after, before the server
//!   ; from both
//!   ? 8 => tstr,                     ; name of the sender's wire profile; "expat-03" if absent
//! }
//! selection = {                      ; in the first CertificateEntry of the answer
//!   1 => 1,
//!   ? 3 => bool,                     ; this answer is Evidence of a batch; false if absent
//!   4 => bool,                       ; verdicts expected
//! }
//! ```
//!
//! The file is longer than others: each field is written beside its reading.

use ciborium::Value;

use crate::bounded::CborError;
use crate::bounded::CborLimits;
use crate::cbor;
use crate::error::ProtocolError;
use crate::error::SendError;
use crate::exchange::batch::Batches;
use crate::limits::MAX_FORMATS;
use crate::limits::MAX_PARAMETER_VALUES;
use crate::media_type::MediaType;
use crate::session::Side;
use crate::wire_profile;
use crate::wire_profile::WireProfile;

/// The abilities and wishes of the sender of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameters {
    /// The media types of Evidence and Attestation Results that the sender appraises. The answer must be of one of them.
    pub formats: Vec<MediaType>,
    /// Tells whether the sender takes Evidence of a [`Batch`](crate::exchange::batch::Batch).
    pub batches: Batches,
    /// Tells whether the sender will answer the authenticator with a verdict.
    pub verdicts: Verdicts,
    /// The part that differs by side.
    pub offer: Offer,
}

/// The part of the parameters that differs by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "TLS has two sides")]
pub enum Offer {
    /// In a ClientCertificateRequest.
    Client {
        /// Tells whether the client wants the server to attest.
        wants_evidence: bool,
        /// Tells whether and when the client would attest itself.
        can_attest: CanAttest,
    },
    /// In a CertificateRequest. A server sends one only if it wants the client to attest.
    Server {
        /// The order that the server chose among those that the client allows.
        order: Order,
    },
}

/// The orders in which a client would attest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "fixed by the wire format")]
pub enum CanAttest {
    /// Only once the server has passed.
    AfterServer,
    /// In either order, even to a server that has not attested yet.
    EitherOrder,
    /// Not at all.
    No,
}

/// The order in which the two ends attest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are two ends")]
pub enum Order {
    /// The client attests after the server passed. It is the default, and shows nothing to a server that did not attest.
    ClientLast,
    /// The client attests before the server does.
    ClientFirst,
}

/// Tells whether verdicts are exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "yes or no, by name")]
pub enum Verdicts {
    /// The authenticator is not answered.
    No,
    /// The authenticator is answered by a verdict.
    Yes,
}

/// The answering end's choice among the offered [`Parameters`]. Without one the exchange is the minimal one of the draft, which
/// has no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Selection {
    /// Tells whether the answer is Evidence of a [`Batch`](crate::exchange::batch::Batch), with an inclusion proof.
    pub batches: Batches,
    /// Tells whether the answering end expects a verdict.
    pub verdicts: Verdicts,
}

impl CanAttest {
    /// Tells whether the client agrees to this order.
    pub fn allows(self, order: Order) -> bool {
        match (self, order) {
            (Self::No, _) | (Self::AfterServer, Order::ClientFirst) => false,
            (Self::AfterServer, Order::ClientLast) | (Self::EitherOrder, _) => true,
        }
    }
}

impl Parameters {
    /// Parameters of a client's request.
    pub fn client(formats: Vec<MediaType>, wants_evidence: bool, can_attest: CanAttest) -> Self {
        let verdicts = if wants_evidence {
            Verdicts::Yes
        } else {
            Verdicts::No
        };
        Self {
            formats,
            batches: Batches::Yes,
            verdicts,
            offer: Offer::Client {
                wants_evidence,
                can_attest,
            },
        }
    }

    /// Parameters of a server's request.
    pub fn server(formats: Vec<MediaType>, order: Order) -> Self {
        Self {
            formats,
            batches: Batches::Yes,
            verdicts: Verdicts::Yes,
            offer: Offer::Server { order },
        }
    }

    /// All that an answering end may choose.
    pub(crate) fn offered(&self) -> Selection {
        Selection {
            batches: self.batches,
            verdicts: self.verdicts,
        }
    }

    /// Tells whether the sender wants an attestation with the answer to this request.
    pub(crate) fn wants_attestation(&self) -> bool {
        match self.offer {
            Offer::Client { wants_evidence, .. } => wants_evidence,
            Offer::Server { .. } => true,
        }
    }

    pub(crate) fn encode(&self, profile: WireProfile) -> Result<Vec<u8>, SendError> {
        if self.formats.len() > MAX_FORMATS {
            return Err(SendError::TooManyFormats);
        }
        let formats = self
            .formats
            .iter()
            .map(|format| Value::from(format.to_string()))
            .collect();
        let mut map = vec![
            (VERSION.into(), CURRENT_VERSION.into()),
            (FORMATS.into(), Value::Array(formats)),
            (BATCHES.into(), (self.batches == Batches::Yes).into()),
            (VERDICTS.into(), (self.verdicts == Verdicts::Yes).into()),
        ];
        match self.offer {
            Offer::Client {
                wants_evidence,
                can_attest,
            } => {
                let can_attest = match can_attest {
                    CanAttest::No => 0,
                    CanAttest::AfterServer => 1,
                    CanAttest::EitherOrder => 2,
                };
                map.push((WANTS_EVIDENCE.into(), wants_evidence.into()));
                map.push((CAN_ATTEST.into(), can_attest.into()));
            }
            Offer::Server { order } => {
                let order = match order {
                    Order::ClientLast => 1,
                    Order::ClientFirst => 2,
                };
                map.push((ORDER.into(), order.into()));
            }
        }
        // Left out by the first profile, as by a peer that knows no other.
        if profile != UNNAMED_PROFILE {
            map.push((PROFILE.into(), profile.name().into()));
        }
        encode(map)
    }

    /// `profile` is that of this end. It is compared with the sender's and never chosen by it.
    pub(crate) fn decode(
        bytes: &[u8],
        sender: Side,
        profile: WireProfile,
    ) -> Result<Self, ProtocolError> {
        let map = Map::decode(bytes)?;
        map.check_version()?;
        map.check_profile(profile)?;
        let Some(Value::Array(listed)) = map.get(FORMATS)? else {
            return Err(ProtocolError::Malformed);
        };
        if listed.len() > MAX_FORMATS {
            return Err(ProtocolError::TooLarge);
        }
        let formats = listed.iter().map(media_type).collect::<Result<_, _>>()?;
        let batches = map.batches()?;
        let verdicts = map.verdicts()?;
        let offer = match sender {
            Side::Client => Offer::Client {
                wants_evidence: match map.get(WANTS_EVIDENCE)? {
                    Some(Value::Bool(wants)) => *wants,
                    _ => return Err(ProtocolError::Malformed),
                },
                can_attest: match map.integer(CAN_ATTEST)? {
                    0 => CanAttest::No,
                    1 => CanAttest::AfterServer,
                    2 => CanAttest::EitherOrder,
                    _ => return Err(ProtocolError::UnsupportedParameters),
                },
            },
            Side::Server => Offer::Server {
                order: match map.integer(ORDER)? {
                    1 => Order::ClientLast,
                    2 => Order::ClientFirst,
                    _ => return Err(ProtocolError::UnsupportedParameters),
                },
            },
        };
        Ok(Self {
            formats,
            batches,
            verdicts,
            offer,
        })
    }
}

impl Selection {
    /// The choice of no ability: that of the minimal exchange.
    pub(super) const NOTHING: Self = Self {
        batches: Batches::No,
        verdicts: Verdicts::No,
    };

    pub(crate) fn encode(self) -> Result<Vec<u8>, SendError> {
        let mut map = vec![(VERSION.into(), CURRENT_VERSION.into())];
        // Left out where it is false, as by a peer that knows no batches.
        if self.batches == Batches::Yes {
            map.push((BATCHES.into(), true.into()));
        }
        map.push((VERDICTS.into(), (self.verdicts == Verdicts::Yes).into()));
        encode(map)
    }

    /// The version must be that of this crate, and every choice must have been offered.
    pub(crate) fn decode(bytes: &[u8], offered: Self) -> Result<Self, ProtocolError> {
        let map = Map::decode(bytes)?;
        if map.integer(VERSION)? != CURRENT_VERSION {
            return Err(ProtocolError::UnsupportedParameters);
        }
        let (batches, verdicts) = (map.batches()?, map.verdicts()?);
        let unoffered = (batches == Batches::Yes && offered.batches == Batches::No)
            || (verdicts == Verdicts::Yes && offered.verdicts == Verdicts::No);
        if unoffered {
            return Err(ProtocolError::UnsupportedParameters);
        }
        Ok(Self { batches, verdicts })
    }
}

/// A small CBOR map with integer keys, each at most once.
struct Map {
    entries: Vec<(Value, Value)>,
}

impl Map {
    fn decode(bytes: &[u8]) -> Result<Self, ProtocolError> {
        match LIMITS.read(bytes) {
            Ok(Value::Map(entries)) if !cbor::hides_integer(bytes) => Ok(Self { entries }),
            Err(CborError::TooMany) => Err(ProtocolError::TooLarge),
            _ => Err(ProtocolError::Malformed),
        }
    }

    fn get(&self, key: u8) -> Result<Option<&Value>, ProtocolError> {
        let key = Value::from(key);
        let mut found = self.entries.iter().filter(|(known, _)| *known == key);
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(ProtocolError::Malformed),
            (first, None) => Ok(first.map(|(_, value)| value)),
        }
    }

    fn integer(&self, key: u8) -> Result<u64, ProtocolError> {
        let value = self
            .get(key)?
            .and_then(Value::as_integer)
            .ok_or(ProtocolError::Malformed)?;
        u64::try_from(value).map_err(|_| ProtocolError::Malformed)
    }

    fn batches(&self) -> Result<Batches, ProtocolError> {
        match self.get(BATCHES)? {
            Some(Value::Bool(true)) => Ok(Batches::Yes),
            Some(Value::Bool(false)) | None => Ok(Batches::No),
            Some(_) => Err(ProtocolError::Malformed),
        }
    }

    fn verdicts(&self) -> Result<Verdicts, ProtocolError> {
        match self.get(VERDICTS)? {
            Some(Value::Bool(true)) => Ok(Verdicts::Yes),
            Some(Value::Bool(false)) => Ok(Verdicts::No),
            _ => Err(ProtocolError::Malformed),
        }
    }

    /// A request names the highest version that its sender understands. Every version understands its predecessors.
    fn check_version(&self) -> Result<(), ProtocolError> {
        match self.integer(VERSION)? {
            0 => Err(ProtocolError::UnsupportedParameters),
            _ => Ok(()),
        }
    }

    fn check_profile(&self, own: WireProfile) -> Result<(), ProtocolError> {
        let peer = match self.get(PROFILE)? {
            None => UNNAMED_PROFILE.name(),
            Some(Value::Text(name)) if wire_profile::is_name(name) => name,
            Some(_) => return Err(ProtocolError::Malformed),
        };
        if peer == own.name() {
            return Ok(());
        }
        Err(ProtocolError::OtherProfile {
            own,
            peer: peer.into(),
        })
    }
}

fn media_type(value: &Value) -> Result<MediaType, ProtocolError> {
    let text = value.as_text().ok_or(ProtocolError::Malformed)?;
    MediaType::parse(text).map_err(|_| ProtocolError::Malformed)
}

fn encode(map: Vec<(Value, Value)>) -> Result<Vec<u8>, SendError> {
    let mut out = Vec::new();
    ciborium::into_writer(&Value::Map(map), &mut out).map_err(|_| SendError::TooLarge)?;
    Ok(out)
}

const VERSION: u8 = 1;
const FORMATS: u8 = 2;
const BATCHES: u8 = 3;
const VERDICTS: u8 = 4;
const WANTS_EVIDENCE: u8 = 5;
const CAN_ATTEST: u8 = 6;
const ORDER: u8 = 7;
const PROFILE: u8 = 8;

/// The profile of a sender that names none. It is the first one, whatever the default becomes.
const UNNAMED_PROFILE: WireProfile = WireProfile::EXPAT_03;

const CURRENT_VERSION: u64 = 1;
/// A map of arrays of text has depth 3; unknown keys may nest somewhat more.
const LIMITS: CborLimits = CborLimits {
    items: MAX_PARAMETER_VALUES,
    nesting: 16,
};

#[cfg(test)]
mod tests;
