//! The two weaker modes, over real sockets: who speaks them, what they are bound to, and what is refused all the same.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod accepted;
mod compressed;
mod device;
mod hellos;
mod lifetime;
mod old_forms;
mod refused;
mod support;
mod tagged;
mod tagged_refused;
mod told;
