//! The way to an attested server.

use std::error::Error;
use std::sync::Arc;

use atls_core::Fault;
use atls_core::PeerAttestation;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_tower::AttestedHttps;
use atls_tower::AttestedIo;
use atls_tower::ClientConnector;
use atls_tower::ClientTerms;
use atls_tower::Stage;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use super::help;
use super::options::Http;
use super::target::Target;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::narrate::NarratingAttester;
use crate::narrate::Narration;
use crate::trust;
use crate::trust::AttesterOptions;
use crate::trust::Own;
use crate::trust::TrustOptions;
use crate::way::Way;

/// Connects to attested servers.
pub(crate) struct Client {
    https: AttestedHttps<Way>,
    narration: Narration,
}

impl Client {
    pub(crate) fn new(
        trust: &TrustOptions,
        attester: &AttesterOptions,
        http: Http,
        narration: Narration,
    ) -> Result<Self, Failure> {
        let relying_party = trust::relying_party(trust, &narration)?;
        Self::over(relying_party, trust, attester, http, narration)
    }

    /// The connector of it, for a client that makes many connections.
    pub(crate) fn into_connector(self) -> AttestedHttps<Way> {
        self.https
    }

    /// A client of a relying party that was made elsewhere.
    pub(crate) fn over(
        relying_party: RelyingParty,
        trust: &TrustOptions,
        attester: &AttesterOptions,
        http: Http,
        narration: Narration,
    ) -> Result<Self, Failure> {
        let own = Own::open(attester)?;
        Self::shared(&Arc::new(relying_party), trust, &own, http, narration)
    }

    /// One of several clients of a relying party.
    pub(crate) fn shared(
        relying_party: &Arc<RelyingParty>,
        trust: &TrustOptions,
        own: &Own,
        http: Http,
        narration: Narration,
    ) -> Result<Self, Failure> {
        let mut terms = ClientTerms::new()
            .require_peer(relying_party.clone())
            .servers_attest(trust.mode.in_tls());
        if let Some(device) = own.device.clone() {
            terms = terms.attester(NarratingAttester::around(device, &narration));
        }
        if own.first {
            terms = terms.attest_before_server();
        }
        let tls = trust::tls_client(trust, http.alpn())?;
        let way = Way::new(trust.connect_proxy.as_ref())?;
        Self::with(ClientConnector::new(tls, terms), way, narration)
    }

    fn with(
        connector: Result<ClientConnector, atls_tower::Error>,
        way: Way,
        narration: Narration,
    ) -> Result<Self, Failure> {
        let connector = connector.map_err(|error| {
            Failure::usage("these arguments do not go together").because(&error)
        })?;
        Ok(Self {
            https: AttestedHttps::over(way, connector),
            narration,
        })
    }

    pub(crate) fn narration(&self) -> Narration {
        self.narration
    }

    /// Connects, and returns once the server was accepted.
    ///
    /// # Errors
    /// [`Failure`], whose outcome says whose fault it was.
    pub(crate) async fn connect(&self, target: &Target) -> Result<Connection, Failure> {
        let authority = target.authority();
        self.narration
            .say("client", &format!("connects to {authority}"));
        let mut https = self.https.clone();
        let io = https
            .call(target.uri().clone())
            .await
            .map_err(|error| failure(&*error, &authority))?;
        let connection = Connection { io };
        if let Ok(peer) = connection.peer() {
            let accepts = format!("accepts the server: {}", peer.status());
            self.narration.say("client", &accepts);
        }
        Ok(connection)
    }
}

/// An attested connection, before its first request.
pub(crate) struct Connection {
    io: AttestedIo<TokioIo<TcpStream>>,
}

impl Connection {
    /// The attestation of the server.
    ///
    /// # Errors
    /// None in practice: a connection without attestation is not made.
    pub(crate) fn peer(&self) -> Result<Arc<PeerAttestation>, Failure> {
        let peer = self.io.stream().peer();
        peer.cloned()
            .ok_or_else(|| Failure::new(Outcome::NotAttested, "the server did not attest"))
    }

    pub(super) fn is_http2(&self) -> bool {
        self.io.stream().alpn_protocol() == Some(b"h2")
    }

    pub(super) fn into_io(self) -> AttestedIo<TokioIo<TcpStream>> {
        self.io
    }
}

/// How a failed connection counts, and what to do.
pub(crate) fn failure(error: &(dyn Error + Send + Sync + 'static), authority: &str) -> Failure {
    let Some(attested) = error.downcast_ref::<atls_tower::Error>() else {
        return Failure::not_reached(format!("{authority} was not reached")).because(error);
    };
    let outcome = outcome(attested);
    let message = match outcome {
        Outcome::NotReached => format!("no TLS connection with {authority}"),
        Outcome::Refused if attested.refused_by_peer().is_some() => {
            format!("{authority} refused this end")
        }
        Outcome::Refused => format!("{authority} is genuine, and not what the policy accepts"),
        Outcome::Fault => format!("nothing is known about {authority}"),
        _ => format!("{authority} is not attested"),
    };
    let failure = Failure::new(outcome, message).because(attested);
    match help::of(attested) {
        Some(help) => failure.with_help(help),
        None => failure,
    }
}

fn outcome(error: &atls_tower::Error) -> Outcome {
    let is_refused = matches!(error.refusal(), Some(Refusal::Policy(_)));
    if is_refused || error.refused_by_peer().is_some() {
        return Outcome::Refused;
    }
    if matches!(error.stage(), Some(Stage::Connect | Stage::Handshake)) {
        return Outcome::NotReached;
    }
    match error.fault() {
        Fault::Local | Fault::Verifier => Outcome::Fault,
        Fault::Peer if error.is_tls() && !error.is_old_tls() && !error.is_no_tls() => {
            Outcome::NotReached
        }
        Fault::Peer => Outcome::NotAttested,
    }
}
