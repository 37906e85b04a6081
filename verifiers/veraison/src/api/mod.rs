//! Veraison's API, beyond one question and its answer.
//!
//! The other services are one `POST` each. Here a session is opened, given the Evidence, asked again until it is complete, and deleted;
//! and a document says at the start what the service takes. That is why this crate is longer than its neighbours.

mod discovery;
mod session;

pub use discovery::Discovery;
pub use discovery::DiscoveryError;
#[cfg(test)]
pub(crate) use session::SESSION_TYPE;
