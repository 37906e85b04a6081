//! Evidence of several roots of trust of one machine, of which only one carries the connection's value.
//!
//! A root of trust may have no room for the value of a connection: a paravisor or a first-stage firmware fixed what it signs. It then
//! vouches for a key, and Evidence that this key signed carries the value:
//!
//! ```text
//!   root ── challenge = what the platform's rule says of ──▶ key ── signed ──▶ Evidence ── carries ──▶ value of the connection
//!        UnboundVerifier                           ChainLink         SignedVerifier                    Chain::bind
//! ```
//!
//! A platform is a value here: its rule is a [`ChainLink`], which says what the root must carry for which key. [`Chain::join`] takes the
//! three together, whatever the order in which they were made, and compares both ends of the link. [`Chain::bind`] compares the value. There
//! is no other way from a [`RecordedAppraisal`](crate::RecordedAppraisal) to an [`Appraised`](crate::Appraised), so an item without a place
//! in a chain is never accepted, and neither are two items of different machines.
//!
//! The verifiers of the parts are given to the platform by the application, as `dyn` [`UnboundVerifier`] and `dyn` [`SignedVerifier`]:
//! no platform needs another one's crate. A [`SignedVerifier`] is no [`Verifier`](crate::Verifier), for its Evidence proves nothing before a
//! root vouches for the key:
//!
//! ```compile_fail,E0277
//! # use std::sync::Arc;
//! # use atls_core::{RelyingParty, combine::chain::SignedVerifier};
//! fn accept(anybodys: Arc<dyn SignedVerifier>) {
//!     RelyingParty::builder().verifier(anybodys);
//! }
//! ```

mod joined;
mod link;
mod verifiers;

pub use joined::Chain;
pub use joined::ChainItem;
pub use link::ChainLink;
pub use link::SignedAppraisal;
pub use verifiers::SignedVerifier;
pub use verifiers::UnboundEvidence;
pub use verifiers::UnboundVerifier;

#[cfg(test)]
mod tests;
