//! The exchange of authenticators over a stream, before HTTP.
//!
//! ```text
//! client                                      server
//!   request ─────────────────────────────────▶
//!           ◀──────────── [ request ]           only if it asks the client too
//!           ◀──────────── authenticator
//!   verdict ─────────────────────────────────▶  where negotiated
//!   [ authenticator ] ───────────────────────▶  client last (default); client first: before the
//!           ◀──────────── [ verdict ]           server's authenticator
//!   HTTP ────────────────────────────────────▶
//! ```
//!
//! Every step has the deadline of the whole, every frame a size limit, and any failure ends the connection.

mod client_driver;
mod conversation;
mod server_driver;

use std::future::Future;
use std::time::Duration;

use atls_core::Attester;
use atls_core::PeerAttestation;
use atls_core::RelyingParty;
use atls_core::exchange::Challenge;
use atls_core::exchange::Credential;
use rustls::time_provider::TimeProvider;

use crate::error::Error;
use crate::error::Stage;

pub(crate) use client_driver::ClientDriver;
pub(crate) use conversation::Conversation;
pub(crate) use server_driver::ServerDriver;

/// What the exchange gave.
#[derive(Debug, Default)]
pub(crate) struct Exchanged {
    /// The peer, if it attested.
    pub(crate) peer: Option<std::sync::Arc<PeerAttestation>>,
    /// How long the peer holds our own attestation to be valid, if it said so.
    pub(crate) own_valid_for: Option<Duration>,
}

/// Appraises what a peer presented in its certificate.
pub(crate) async fn decide(
    deadline: tokio::time::Instant,
    credential: Credential,
    relying_party: &RelyingParty,
    clock: &dyn TimeProvider,
) -> Result<PeerAttestation, Error> {
    let deciding = async {
        let now = conversation::now(clock)?;
        Ok(relying_party.appraise(credential, now).await?)
    };
    within(deadline, Stage::Appraisal, deciding).await
}

/// Whether the peer appraises anything that this attester makes; who sent no parameters does not say.
fn has_common_format(challenge: &Challenge, attester: &dyn Attester) -> bool {
    let Some(parameters) = challenge.parameters() else {
        return true;
    };
    attester
        .media_types()
        .iter()
        .any(|own| parameters.formats.contains(own))
}

/// Bounds a stage of the connection.
pub(crate) async fn within<T>(
    deadline: tokio::time::Instant,
    stage: Stage,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout_at(deadline, work)
        .await
        .unwrap_or_else(|_| Err(Error::deadline(stage)))
}
