//! The clock and the counters of a TPM: whether it is the boot that is meant.

use crate::policy::TpmPolicy;
use crate::quoted::Quoted;

/// What keys and policy ask of a TPM's clock and counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counters {
    NotAsked,
    AsAsked,
    /// The clock went back, or may have.
    ClockUnsafe,
    /// The key is none whose quotes show them.
    Obfuscated,
    /// The machine was booted anew.
    Reset,
    /// The TPM was restarted more often.
    Restarted,
}

impl Counters {
    pub(crate) fn of(policy: &TpmPolicy, quoted: &Quoted<'_>) -> Self {
        let clock = &quoted.attest.clock;
        let (resets, restarts) = (quoted.key.reset_count, policy.max_restarts);
        let asks_for_counters = resets.is_some() || restarts.is_some();
        if asks_for_counters && !quoted.has_plain_counters() {
            return Self::Obfuscated;
        }
        if resets.is_some_and(|expected| expected != clock.reset_count) {
            return Self::Reset;
        }
        if restarts.is_some_and(|most| most < clock.restart_count) {
            return Self::Restarted;
        }
        match (policy.safe_clock, clock.is_safe) {
            (true, false) => Self::ClockUnsafe,
            (true, true) => Self::AsAsked,
            (false, _) if asks_for_counters => Self::AsAsked,
            (false, _) => Self::NotAsked,
        }
    }

    /// Whether nothing is asked, or all is so.
    pub(crate) fn are_good(self) -> bool {
        matches!(self, Self::NotAsked | Self::AsAsked)
    }
}
