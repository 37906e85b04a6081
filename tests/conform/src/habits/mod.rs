//! The scripts of the cases that are about more than one message.

mod client;
mod common;
mod server;
mod server_order;
mod tls;

use atls_core::session::Side;

use crate::habit::Habit;
use crate::kit::Kit;
use crate::kit::Target;
use crate::reply::Reply;

/// Plays the script against the peer. The limit of time is the caller's.
pub(crate) async fn play(kit: &Kit, target: &Target, habit: Habit) -> Reply {
    let played = match (tls::play(kit, target, habit).await, target.side()) {
        (None, Side::Server) => server::play(kit, target, habit).await,
        (None, Side::Client) => client::play(kit, target, habit).await,
        (Some(played), _) => played,
    };
    played.unwrap_or_else(|error| Reply::Lost(error.to_string()))
}
