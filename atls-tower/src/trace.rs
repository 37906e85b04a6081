//! One event and one count per connection. The table of `docs/logs.md` says which level an outcome has.

use std::fmt;
use std::sync::Arc;

use atls_core::Fault;
use atls_core::PeerAttestation;
use atls_core::Refusal;
use atls_core::session::Side;
use rustls::CipherSuite;
use rustls::pki_types::ServerName;
use tracing::Level;
use tracing::Span;
use tracing::field::Empty;

use crate::account;
use crate::error::Error;
use crate::metrics;
use crate::stage::Stage;
use crate::told;
use crate::told::EachToldLately;
use crate::unfinished::Unfinished;
use crate::weaker::Mode;

/// One connection until its outcome is known. Each ends in one event and one count, also where nobody waits for it any more.
pub(crate) struct Attempt {
    side: Side,
    mode: Mode,
    span: Span,
    told: Arc<EachToldLately>,
    ended: bool,
}

impl Attempt {
    /// `mode` is how the terms of this end have the peer attest, `server` the name that a client asked for. `told` is shared by all
    /// connections of an acceptor or connector.
    pub(crate) fn begin(
        side: Side,
        mode: Mode,
        server: Option<&ServerName<'_>>,
        told: &Arc<EachToldLately>,
    ) -> Self {
        Self {
            side,
            mode,
            span: span(side, server),
            told: told.clone(),
            ended: false,
        }
    }

    pub(crate) fn span(&self) -> &Span {
        &self.span
    }

    /// One line for a connection that HTTP may begin on.
    pub(crate) fn succeed(mut self, peer: Option<&PeerAttestation>) {
        self.ended = true;
        let _entered = self.span.enter();
        metrics::succeeded(self.side, self.mode, peer);
        success(peer);
    }

    /// One line for a connection that was closed, with every cause.
    pub(crate) fn fail(mut self, error: &Error) {
        self.ended = true;
        let _entered = self.span.enter();
        metrics::failed(self.side, self.mode, error);
        failure(&self.span, self.side, error, &self.told);
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let _entered = self.span.enter();
        let end = match std::thread::panicking() {
            true => Unfinished::Panicked,
            false => Unfinished::Abandoned,
        };
        metrics::unfinished(self.side, self.mode, end);
        self.span.record("error.type", end.reason());
        self.span.record("otel.status_code", "ERROR");
        match end {
            Unfinished::Abandoned => {
                tracing::debug!("connection was given up by this end before its outcome");
            }
            Unfinished::Panicked => told::event!(
                self.told.is_new(end.reason()),
                error,
                fault = "local",
                "code of the application panicked during the handshake"
            ),
        }
    }
}

/// The span of one connection.
///
/// It has the highest level, for a filter takes spans away by their level too: whoever sees an event sees of which connection it is.
fn span(side: Side, server: Option<&ServerName<'_>>) -> Span {
    let server = server.map(ServerName::to_str);
    tracing::error_span!(
        "atls",
        side = metrics::side_name(side),
        "server.address" = server.as_deref(),
        "error.type" = Empty,
        "otel.status_code" = Empty,
    )
}

fn success(peer: Option<&PeerAttestation>) {
    match peer {
        Some(peer) => tracing::info!(
            platform = %Platforms(peer),
            image = Images::of(peer).map(tracing::field::display),
            status = %peer.status(),
            binding = %peer.binding(),
            "tls.cipher" = peer.tls().suite().ok().map(registered).as_deref(),
            "tls.curve" = peer.tls().group().ok().map(tracing::field::debug),
            leaf_scheme = peer.tls().leaf_scheme().ok().map(tracing::field::debug),
            valid_for_s = peer.valid_for(peer.appraised_at()).as_secs(),
            "peer is attested"
        ),
        None => tracing::debug!("connection without attestation of the peer"),
    }
}

fn failure(span: &Span, side: Side, error: &Error, told: &EachToldLately) {
    if error.is_acme_challenge() {
        tracing::info!("{error}");
        return;
    }
    span.record("error.type", error.reason());
    span.record("otel.status_code", "ERROR");
    let fault = error.fault();
    let report = error.report();
    // Anybody can connect to a server whose device is busy: what is this end's to mend, and its verifier's, is told, and does not fill
    // the log.
    let is_new = || fault == Fault::Peer || told.is_new(error.topic());
    // Levels are static per call site.
    match level(side, error) {
        _ if !is_new() => tracing::debug!(%fault, "{report}"),
        Level::ERROR => tracing::error!(%fault, "{report}"),
        Level::WARN => tracing::warn!(%fault, "{report}"),
        Level::INFO => tracing::info!(%fault, "{report}"),
        _ => tracing::debug!(%fault, "{report}"),
    }
    if let Some(refusal) = error.refusal() {
        account::tell(refusal);
    }
}

fn level(side: Side, error: &Error) -> Level {
    match error.fault() {
        Fault::Local => Level::ERROR,
        Fault::Verifier => Level::WARN,
        Fault::Peer if matches!(error.refusal(), Some(Refusal::Policy(_))) => Level::INFO,
        // A client wanted the connection that failed.
        Fault::Peer if side == Side::Client => Level::WARN,
        Fault::Peer if is_noise(error) => Level::DEBUG,
        Fault::Peer if error.is_peer_unattested() || error.is_unknown_name() => Level::INFO,
        Fault::Peer if error.is_tls() || error.is_closed() => Level::INFO,
        Fault::Peer => Level::WARN,
    }
}

/// Scanners, health checks and plain HTTP on the TLS port make these by the thousand.
fn is_noise(error: &Error) -> bool {
    error.is_no_tls()
        || error.is_closed_before_exchange()
        || matches!(error.stage(), Some(Stage::Handshake | Stage::FirstByte))
}

/// The name that IANA has for a suite of TLS 1.3; rustls puts the version into it.
fn registered(suite: CipherSuite) -> String {
    format!("{suite:?}").replace("TLS13_", "TLS_")
}

/// The media types of the appraised Evidence.
struct Platforms<'a>(&'a PeerAttestation);

impl fmt::Display for Platforms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let media_types = self
            .0
            .items()
            .iter()
            .map(atls_core::policy::AppraisedItem::media_type);
        list(f, media_types)
    }
}

/// The names of the software that was recognised.
struct Images<'a>(&'a PeerAttestation);

impl<'a> Images<'a> {
    fn of(peer: &'a PeerAttestation) -> Option<Self> {
        let named = peer.items().iter().any(|item| item.image().is_some());
        named.then_some(Self(peer))
    }
}

impl fmt::Display for Images<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list(f, self.0.items().iter().filter_map(|item| item.image()))
    }
}

fn list<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    parts: impl Iterator<Item = T>,
) -> fmt::Result {
    let mut separator = "";
    for part in parts {
        write!(f, "{separator}{part}")?;
        separator = ", ";
    }
    Ok(())
}
