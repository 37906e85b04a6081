//! Verifiers made of verifiers.

mod all_agree;
mod answers;
mod cached;
mod failover;
mod flight;
mod incomplete;
mod interchangeable;

pub use all_agree::AllAgree;
pub use cached::Cached;
pub use failover::Failover;
pub use incomplete::IncompleteResults;
