//! The conformance kit of `docs/protocol.md`: a case for each MUST of the page, tried on any peer, in either role.
//!
//! The kit presents Evidence and asks for Evidence, and **appraises nothing**: what a peer attests is opaque to it. It sends good
//! messages and messages with one [twist](twist::Twist), and sees what the peer makes of them; it looks for twists in what the peer sends;
//! and it plays scripts for [habits](habit::Habit) of a peer as a whole. Each of these is a [case](breach::Breach), and for
//! each there is a [broken peer](broken) that fails it alone.
//!
//! `docs/conformance.md` says how a peer is tested.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    reason = "not published"
)]

pub mod breach;
pub mod broken;
pub mod evidence;
pub mod exchange;
pub mod habit;
pub mod judge;
pub mod keys;
pub mod kit;
pub mod party;
pub mod reply;
pub mod report;
pub mod rules;
pub mod run;
pub mod tls;
pub mod twist;
pub mod weaker;
pub mod wire;

mod attest;
mod habits;
mod sent;
