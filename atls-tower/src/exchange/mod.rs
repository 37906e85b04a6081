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

mod client;
mod server;

use std::future::Future;
use std::time::Duration;

use atls_core::Attester;
use atls_core::Challenge;
use atls_core::Fault;
use atls_core::PeerAttestation;
use atls_core::Pending;
use atls_core::ProtocolError;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::Verdict;
use atls_core::Verdicts;
use atls_core::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;

use crate::error::Error;
use crate::error::Stage;
use crate::frame;
use crate::frame::Frame;
use crate::frame::Kind;

pub use client::ClientTerms;
pub use server::ServerTerms;

pub(crate) use client::Client;
pub(crate) use server::Server;

/// What the exchange gave.
#[derive(Debug, Default)]
pub(crate) struct Exchanged {
    /// The peer, if it attested.
    pub(crate) peer: Option<std::sync::Arc<PeerAttestation>>,
    /// How long the peer holds our own attestation to be valid, if it said so.
    pub(crate) own_valid_for: Option<Duration>,
}

/// Appraises what an authenticator carried; tells the peer the verdict where that was negotiated.
async fn decide<IO>(
    io: &mut IO,
    pending: Pending,
    authenticator: &[u8],
    relying_party: &RelyingParty,
    clock: &dyn TimeProvider,
) -> Result<PeerAttestation, Error>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let credential = pending.finish(authenticator)?;
    let verdicts = credential
        .selection()
        .map_or(Verdicts::No, |selection| selection.verdicts);
    let decision = relying_party.decide(credential, now(clock)?).await;
    let verdict = match &decision {
        Ok(peer) => Verdict::Accepted {
            valid_for: peer.valid_for(now(clock)?),
        },
        Err(refusal) => Verdict::Refused(refusal.code()),
    };
    if verdicts == Verdicts::Yes {
        write_verdict(io, verdict).await?;
        if decision.is_err() {
            flush(io).await?;
        }
    }
    // The decision, not whether the peer could be told, is what counts.
    Ok(decision?)
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

/// The next frame must be of this kind; a refusal may come instead of any.
async fn expect<IO>(io: &mut IO, kind: Kind) -> Result<Vec<u8>, Error>
where
    IO: AsyncRead + Unpin,
{
    let frame = frame::read(io).await?;
    if frame.kind == kind {
        return Ok(frame.payload);
    }
    Err(unexpected(&frame))
}

/// What a frame that should have been another one means.
fn unexpected(frame: &Frame) -> Error {
    match (frame.kind, Verdict::decode(&frame.payload)) {
        (Kind::Verdict, Ok(Verdict::Refused(code))) => Error::refused_by(code),
        (Kind::Verdict, Err(error)) => error.into(),
        _ => Error::wrong_order(),
    }
}

/// Reads the peer's verdict on our authenticator.
async fn read_verdict<IO>(io: &mut IO) -> Result<Duration, Error>
where
    IO: AsyncRead + Unpin,
{
    match Verdict::decode(&expect(io, Kind::Verdict).await?)? {
        Verdict::Accepted { valid_for } => Ok(valid_for),
        Verdict::Refused(code) => Err(Error::refused_by(code)),
        _ => Err(ProtocolError::Malformed.into()),
    }
}

/// Leaves with what this end says next, or with the flush that ends the exchange.
async fn write_verdict<IO>(io: &mut IO, verdict: Verdict) -> Result<(), Error>
where
    IO: AsyncWrite + Unpin,
{
    frame::write(io, Kind::Verdict, &verdict.encode()).await
}

async fn flush<IO>(io: &mut IO) -> Result<(), Error>
where
    IO: AsyncWrite + Unpin,
{
    io.flush().await.map_err(Error::writing)
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

/// A clock that does not know the time refuses everything: nothing can be shown to be unexpired.
fn now(clock: &dyn TimeProvider) -> Result<UnixTime, Error> {
    clock
        .current_time()
        .ok_or_else(|| Refusal::Expired(Fault::Local).into())
}
