//! `atls proxy`, as a user runs it: a process of its own, between real sockets.
#![allow(
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../proxies/mod.rs"]
mod proxies;
#[path = "../support/mod.rs"]
mod support;

mod arguments;
mod balancers;
mod connect;
mod crowds;
mod forward;
mod judged;
mod kit;
mod lifecycle;
mod limits;
mod recall;
mod reload;
mod requests;
mod reverse;
mod smuggling;
mod stated;
mod streams;
mod systemd;
mod upstreams;
mod versions;
