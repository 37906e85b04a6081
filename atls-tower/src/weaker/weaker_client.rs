//! A client whose servers attest in their certificates.
//!
//! Takes a transport and gives a stream whose server was appraised. There is no exchange, and nothing is sent before the
//! server was accepted. A connection that fails is dropped.

use std::sync::Arc;

use atls_core::session::Handshake;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;

use super::client_random;
use super::client_random::RandomLog;
use super::presented;
use super::presented::Made;
use crate::deadline::Deadline;
use crate::driver::Appraiser;
use crate::driver::Exchanged;
use crate::driver::Turns;
use crate::error::Error;
use crate::metrics::Work;
use crate::stage::Stage;
use crate::terms::ClientTerms;
use crate::tls::ClientTls;
use crate::tls::Rewind;

/// The terms of such a client.
#[derive(Clone, Debug)]
pub(crate) struct WeakerClient {
    made: Made,
    appraiser: Appraiser,
}

impl WeakerClient {
    /// `None` for terms under which servers attest after the handshake, or not at all.
    pub(crate) fn of(terms: &ClientTerms, clock: &Arc<dyn TimeProvider>) -> Option<Self> {
        Some(Self {
            made: Made::of(terms.servers_attest)?,
            appraiser: Appraiser {
                relying_party: terms.relying_party.clone()?,
                clock: clock.clone(),
                turns: Turns::unlimited(Work::Appraisal),
            },
        })
    }

    /// The configuration that [`connect`](Self::connect) needs.
    pub(crate) fn observe(&self, mut tls: ClientConfig) -> ClientConfig {
        tls.key_log = Arc::new(RandomLog::beside(tls.key_log));
        tls
    }

    /// Does the handshake, and appraises the server.
    pub(crate) async fn connect<IO>(
        &self,
        tls: &ClientTls,
        name: ServerName<'static>,
        io: IO,
        deadline: Deadline,
    ) -> Result<(Rewind<IO>, Exchanged), Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let handshake = deadline.bound(Stage::Handshake, tls.connect(name, io, &[]));
        let (session, random) = client_random::observe(handshake).await;
        let session = session?;
        let exchanged = self.appraise(&session.handshake, random, deadline).await?;
        Ok((Rewind::new(session.tls, Vec::new()), exchanged))
    }

    /// Appraises the server of a connection by its certificate.
    pub(crate) async fn appraise(
        &self,
        handshake: &Handshake,
        client_random: Option<[u8; 32]>,
        deadline: Deadline,
    ) -> Result<Exchanged, Error> {
        let appraisal = presented::appraise(
            handshake,
            self.made,
            client_random,
            &self.appraiser,
            deadline,
        );
        Ok(Exchanged {
            peer: Some(appraisal.await?),
            own_valid_for: None,
        })
    }
}
