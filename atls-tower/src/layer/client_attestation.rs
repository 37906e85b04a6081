//! The attestation of a request's client, as layers and extractors read it.

use std::sync::Arc;

use atls_core::Fault;
use atls_core::PeerAttestation;
use http::Extensions;
use tracing::Span;

use super::client::Client;
use super::problem::Problem;
use crate::metrics;
use crate::stream::Addresses;
use crate::stream::Lifetime;
use crate::told;
use crate::told::Told;

/// The attestation of the client that a request's connection ends at, in the extensions of each request that passed an
/// [`AttestationLayer`](crate::AttestationLayer).
///
/// Requests of unattested clients have one too: a request without one passed no such layer. Only the layer can make one,
/// so no header and no code of the same process can forge it.
#[derive(Clone, Debug)]
pub struct ClientAttestation {
    client: Client,
    addresses: Option<Addresses>,
    told: Told,
}

impl ClientAttestation {
    pub(super) fn new(client: Client, addresses: Option<Addresses>, told: Told) -> Self {
        Self {
            client,
            addresses,
            told,
        }
    }

    /// When the connection of a request drains and ends, from the request's extensions; of unattested clients too, whose
    /// connection ends with the server's own attestation. `None` for a request that passed no layer.
    ///
    /// A handler of a long stream takes it, and moves the stream when the connection [drains](Lifetime::draining).
    pub fn lifetime(extensions: &Extensions) -> Option<&Lifetime> {
        let found = extensions.get::<Self>()?;
        Some(&found.client.lifetime)
    }

    /// The client's attestation, from the extensions of a request. It reads the clock: a request that waited has none where the attestation
    /// has ended meanwhile.
    ///
    /// ```
    /// # use atls_tower::ClientAttestation;
    /// # fn example<B>(request: http::Request<B>) {
    /// match ClientAttestation::of(request.extensions()) {
    ///     Ok(client) => println!("a client that is {}", client.status()),
    ///     Err(problem) => println!("{problem}"),
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Problem::Required`] for an unattested client, [`Problem::Expired`] for one whose attestation has ended, and
    /// [`Problem::NoLayer`] for a request that passed no layer, which is traced as an error of this server.
    pub fn of(extensions: &Extensions) -> Result<&Arc<PeerAttestation>, Problem> {
        let Some(found) = extensions.get::<Self>() else {
            tracing::error!(
                side = "server",
                fault = "local",
                "request passed no AttestationLayer, so nothing is known of its client: serve with `atls_axum::serve`, \
                 or give `axum::serve` the router's `into_attested_make_service()`, or put \
                 `AttestationLayer::unattested()` around what is served over another listener"
            );
            return Err(Problem::NoLayer);
        };
        found.client.attestation()
    }

    /// Counts an event about a request of this connection, and says whether it is one of the first 8. Those that follow belong to the level `debug`: a
    /// client may ask as often as it likes, and must not fill the log.
    pub fn is_new_event(&self) -> bool {
        self.told.is_new()
    }

    /// Tells the log that a request of this connection is refused because its client is [not attested](Problem::Required), or
    /// [no longer](Problem::Expired), as the layers and the extractor of `atls-axum` do: at `info`, with the client's addresses where they
    /// are known, and at `debug` after the [first 8](Self::is_new_event). Other problems have an event where they are found, and none here.
    pub fn trace_refusal(&self, problem: Problem) {
        let reason = match problem {
            Problem::Expired => "expired",
            Problem::Required => "unattested",
            _ => return,
        };
        let _whose = self.own_span().entered();
        told::event!(
            self.is_new_event(),
            info,
            side = "server",
            fault = %Fault::Peer,
            "error.type" = reason,
            // Seconds since the epoch.
            expired_at_s = self.client.peer.as_ref().map(|peer| peer.expires_at().as_secs()),
            "request is refused: {problem}"
        );
    }

    /// Counts a request that a layer answers with this problem, and tells of it.
    pub(super) fn refuse(extensions: &Extensions, problem: Problem) {
        metrics::request_refused(problem.code());
        if let Some(client) = extensions.get::<Self>() {
            client.trace_refusal(problem);
        }
    }

    /// The span for an event about a request, which says whose it is; none where nobody told the addresses.
    pub(crate) fn span(extensions: &Extensions) -> Span {
        extensions
            .get::<Self>()
            .map_or_else(Span::none, Self::own_span)
    }

    /// Counts an event about a request, and says whether it is one of the first of its connection.
    pub(crate) fn is_new(extensions: &Extensions) -> bool {
        extensions.get::<Self>().is_none_or(Self::is_new_event)
    }

    fn own_span(&self) -> Span {
        self.addresses
            .as_ref()
            .map_or_else(Span::none, Addresses::span)
    }

    /// Puts it into the extensions, unless a layer of another connection has been there before.
    pub(super) fn insert_into(self, extensions: &mut Extensions) -> Result<(), Problem> {
        if let Some(earlier) = extensions.get::<Self>()
            && !earlier.client.is(&self.client)
        {
            let _whose = self.own_span().entered();
            tracing::error!(
                side = "server",
                fault = "local",
                "request passed two AttestationLayers that disagree about its client: one of them is of another \
                 connection, or of a test"
            );
            return Err(Problem::LayersDisagree);
        }
        extensions.insert(self);
        Ok(())
    }
}
