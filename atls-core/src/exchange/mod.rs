//! Attestation inside exported authenticators, for drivers of connections.
//!
//! Four calls make one exchange, and each consumes the value that must not be used twice:
//!
//! ```text
//!  relying party                                attester
//!  request ─────────── request bytes ───────▶  Challenge::receive
//!    │                                            │ Challenge::to_attest → Evidence
//!    ▼                                            ▼
//!  Pending::finish ◀───── authenticator ──────  Challenge::answer
//!    └─▶ Credential: proven and bound, not yet appraised
//! ```
//!
//! Bytes of messages go in and out; the driver sends and receives them. The exchange follows draft-fossati-seat-expat, in the
//! version that a [`WireProfile`] names, with one negotiated extension ([`Parameters`]). Every error is fatal to the connection: close it, there is no retry.
//!
//! A driver that asks on many connections keeps a [`Requester`]. It encodes the request once and makes an [`UnsentRequest`] for
//! each connection, which can leave with the last flight of the handshake.

pub mod authenticator;
pub mod batch;
pub mod certificate;

mod challenge;
mod credential;
mod parameters;
mod pending;
mod requester;
mod verdict;

pub use crate::attest_request::OwnedAttestRequest;
pub use crate::error::SendError;
pub use challenge::Challenge;
pub use credential::Credential;
pub use parameters::CanAttest;
pub use parameters::Offer;
pub use parameters::Order;
pub use parameters::Parameters;
pub use parameters::Selection;
pub use parameters::Verdicts;
pub use pending::Pending;
pub use requester::Requester;
pub use requester::UnsentRequest;
pub use requester::request;
pub use verdict::RefusalCode;
pub use verdict::Verdict;

use crate::wire_profile::WireProfile;

pub use crate::wire_profile::ATTESTATION_PARAMETERS;

/// Code point of `cmw_attestation` in the default [`WireProfile`].
pub const CMW_ATTESTATION: u16 = WireProfile::EXPAT_03.cmw_attestation();
