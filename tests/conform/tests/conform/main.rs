//! The kit against our own ends, against broken peers, and against its page.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod broken;
mod command_line;
mod evidence;
mod hostile;
mod own_ends;
mod page;
mod weaker;
