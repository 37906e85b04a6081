//! Time that passes for timers when a test says so, beside sockets, which are a kernel's and take their own.
//!
//! A clock of tokio that is paused all along runs ahead to the next timer whenever the runtime waits for a socket: a deadline passes
//! while the bytes that would keep it are on their way. So it stands still for one step only.

use std::time::Duration;
use std::time::Instant;

/// Lets this much time pass for timers, at once. Nothing else moves.
pub async fn wait(time: Duration) {
    let _still = Still::stand();
    tokio::time::advance(time).await;
}

/// The same once everybody has done what can be done now, such as to begin a wait.
pub async fn wait_settled(time: Duration) {
    settle().await;
    wait(time).await;
}

/// Lets everybody do what can be done now.
pub async fn settle() {
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
}

/// Waits until this is so, however busy the machine is. No time passes for timers meanwhile: what ends does so by itself, and not by a
/// deadline.
///
/// # Panics
/// If it does not come to that.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    let _still = Still::stand();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "it never came to this: {what}");
        tokio::task::yield_now().await;
    }
}

/// The clock of timers stands still while this lives.
struct Still(());

impl Still {
    fn stand() -> Self {
        tokio::time::pause();
        Self(())
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        tokio::time::resume();
    }
}

/// For what takes no time at all on a machine that has nothing else to do.
pub const PATIENCE: Duration = Duration::from_secs(120);
