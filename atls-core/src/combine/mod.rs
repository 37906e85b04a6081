//! Verifiers made of verifiers.
//!
//! [`AllAgree`] asks several and takes the worst answer. [`Failover`] asks the next one if the first cannot be reached. [`Cached`]
//! appraises the same Evidence once. Each is a [`Verifier`](crate::Verifier) itself, so they nest.

mod all_agree;
mod answers;
mod cached;
mod failover;
mod flight;
mod incomplete;
mod interchangeable;

pub use all_agree::AllAgree;
pub use cached::Cached;
pub use cached::CachedStats;
pub use failover::Failover;
pub use incomplete::IncompleteResults;
