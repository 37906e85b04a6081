//! Verifiers made of verifiers, and an attester out of several.
//!
//! [`AllAgree`] asks several and takes the worst answer. [`Failover`] asks the next one if the first cannot be reached. [`Cached`]
//! appraises the same Evidence once. Each is a [`Verifier`](crate::Verifier) itself, so they nest. [`first_available`] takes the device that a machine has.

mod all_agree;
mod answers;
mod cached;
pub mod chain;
mod composite_attester;
mod failover;
mod first_available;
mod flight;
mod incomplete;
mod interchangeable;

pub use all_agree::AllAgree;
pub use cached::CacheUse;
pub use cached::Cached;
pub use cached::CachedStats;
pub use composite_attester::CompositeAttester;
pub use failover::Failover;
pub use first_available::first_available;
pub use incomplete::IncompleteResults;
