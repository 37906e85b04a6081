//! Peers that keep every rule but one: proof that each case can fail.
//!
//! They are written over the kit's own reading and writing of messages. The kit's verdict on *our* ends is independent of that.

mod client;
mod manners;
mod server;
mod tls;

pub use client::BrokenClient;
pub use server::BrokenServer;

use std::time::Duration;

use atls_core::session::Side;

use crate::breach::Breach;
use crate::habit::Habit;
use crate::twist::Twist;

/// The cases that a peer with this breach must fail beside the one that it is made for, since one cannot be had without the other.
pub fn implied(breach: Breach, side: Side) -> Vec<Breach> {
    match (breach, side) {
        (Breach::Does(Habit::TakesLongFrame), _) => vec![Breach::Does(Habit::WaitsForLongFrame)],
        (Breach::Does(Habit::Resumes), _) => vec![Breach::Does(Habit::SendsTickets)],
        (Breach::Does(Habit::TakesEarlyData), _) => vec![
            Breach::Does(Habit::Resumes),
            Breach::Does(Habit::SendsTickets),
        ],
        (Breach::Does(Habit::SendsEarlyData), _) => vec![Breach::Does(Habit::OffersResumption)],
        _ => Vec::new(),
    }
}

/// A peer that demands no attestation, for the cases that need one.
pub fn demands(breach: Option<Breach>) -> bool {
    breach != Some(Breach::Misjudges(Twist::ForgedEmpty))
}

/// How long a hasty client waits.
const PATIENCE: Duration = Duration::from_millis(400);
