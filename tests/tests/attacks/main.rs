//! The attacks of the literature on attested TLS, run against the post-handshake mode. The attacker is in the middle, has a
//! trusted certificate for the server's name, and where the name of a test says so, the server's own leaf key.
//!
//! | | attack | tests |
//! |---|---|---|
//! | R1, R2, R3 | replay: across connections, within one, of a context | `replay_…` |
//! | L1, L2, L4 | relay: without and with the leaked leaf key, through an honest proxy | `relay_…` |
//! | D1 | diversion to another attested machine | `diversion_…` |
//! | K1 | key substitution | `key_substitution_…` |
//! | X1, X2 | reflection, crossing the Evidence of the two ends | `reflection_…`, `crossing_…` |
//! | P1 | a passport of another connection | `a_passport_…` |
//! | T1, T2, T3 | tickets, gating, pooling | `tickets_…`, `early_data_…`, `pooling_…`; gating is in `hostile_clients` and `hostile_servers` |
//!
//! K2 (malformed binding) is in the laboratory (`tests/attacks`), in all three modes, and in the tests of each platform; N1, N2,
//! N4 are in the core's.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod keys;
mod middle;
mod relay;
mod replay;
mod sessions;
