//! Evidence in certificates: what is written is read, and what deployed peers write is read too.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod cmw;
mod deployed;
mod der;
mod old_forms;
mod support;
mod tagged;
