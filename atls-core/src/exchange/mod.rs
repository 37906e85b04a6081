//! Attestation inside exported authenticators: four calls, each consuming what must not be used twice.
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
//! Follows draft-fossati-seat-expat-03, with one negotiated extension of our own ([`Parameters`]). Every error
//! is fatal to the connection; there is no retry inside one.

mod challenge;
mod credential;
mod parameters;
mod pending;
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
pub use pending::Requester;
pub use pending::UnsentRequest;
pub use pending::request;
pub use verdict::RefusalCode;
pub use verdict::Verdict;

/// Code point of `cmw_attestation`: private use, as the one other deployed implementation has it, until IANA
/// assigns one (draft-fossati-seat-expat-03).
pub const CMW_ATTESTATION: u16 = 0xff00;

/// Code point of `attestation_parameters`, our own, private use. 0xff01 is `renegotiation_info`.
pub const ATTESTATION_PARAMETERS: u16 = 0xff02;
