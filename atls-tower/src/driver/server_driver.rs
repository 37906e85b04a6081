//! The server's part of the exchange.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use atls_core::ConfigError;
use atls_core::ProtocolError;
use atls_core::WireProfile;
use atls_core::exchange::CanAttest;
use atls_core::exchange::Challenge;
use atls_core::exchange::Offer;
use atls_core::exchange::Order;
use atls_core::exchange::Parameters;
use atls_core::exchange::RefusalCode;
use atls_core::exchange::Requester;
use atls_core::exchange::Verdict;
use atls_core::exchange::Verdicts;
use atls_core::session::Session;
use atls_core::session::Side;
use rustls::crypto::CryptoProvider;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::time::Instant;

use super::Appraiser;
use super::EvidenceMaker;
use super::Exchanged;
use super::Turns;
use super::clients::Clients;
use super::conversation::Conversation;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::frame;
use crate::frame::Frame;
use crate::frame::FrameType;
use crate::metrics::Work;
use crate::stage::Stage;
use crate::stream::Refused;
use crate::terms::Demand;
use crate::terms::ServerTerms;
use crate::tls::Rewind;
use crate::tls::TlsSession;

/// A server's terms, in the form that its exchanges use.
#[derive(Clone, Debug)]
pub(crate) struct ServerDriver {
    own: Option<EvidenceMaker>,
    /// `None` where no client is asked to attest in the exchange.
    clients: Option<Clients>,
    order: Order,
    profile: WireProfile,
    first_byte: Duration,
}

impl ServerDriver {
    /// `demand` is what is demanded of clients in the exchange; the terms have other demands too in the weaker modes.
    ///
    /// # Errors
    /// [`ConfigError`] for a demand whose request no client could take.
    pub(crate) fn new(
        terms: &ServerTerms,
        demand: &Demand,
        provider: &CryptoProvider,
        clock: &Arc<dyn TimeProvider>,
    ) -> Result<Self, ConfigError> {
        let maker = |attester| EvidenceMaker {
            attester,
            turns: Turns::of(Work::Attestation, terms.attestations),
        };
        let clients = match demand.relying_party() {
            None => None,
            Some(relying_party) => {
                let parameters = Parameters::server(relying_party.media_types(), terms.order);
                Some(Clients {
                    appraiser: Appraiser {
                        relying_party: relying_party.clone(),
                        clock: clock.clone(),
                        turns: Turns::of(Work::Appraisal, terms.appraisals),
                    },
                    // A request that could never be sent fails here, and not on every connection.
                    requester: Requester::in_profile(
                        terms.profile,
                        Side::Server,
                        provider,
                        Some(&parameters),
                    )?,
                    required: demand.is_of_everybody(),
                })
            }
        };
        Ok(Self {
            own: terms.attester.clone().map(maker),
            clients,
            order: terms.order,
            profile: terms.profile,
            first_byte: terms.first_byte,
        })
    }

    /// Does the exchange, if the client speaks it: from the end of TLS to the first byte of HTTP.
    ///
    /// A client that begins with HTTP is given back in [`Refused`] where it had to attest. Any other connection that
    /// fails is closed.
    pub(crate) async fn exchange<IO>(
        &self,
        mut session: TlsSession<IO>,
        deadline: Deadline,
    ) -> Result<(Rewind<IO>, Exchanged), Refused<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let connected = Instant::now();
        let first = match self.first_byte(&mut session).await {
            Ok(first) => first,
            Err(error) => return Err(session.close_for(error).await.into()),
        };
        let Some(kind) = FrameType::of(first) else {
            let stream = Rewind::new(session.tls, vec![first]);
            if self
                .clients
                .as_ref()
                .is_some_and(|clients| clients.required)
            {
                return Err(Refused::plain(Error::peer_unattested(), stream));
            }
            return Ok((stream, Exchanged::default()));
        };
        // The wait for the client is not charged to the exchange.
        let deadline = deadline.later_by(connected.elapsed());
        let exchanged = {
            let exchange = pin!(async {
                let first = frame::read_after(&mut session, kind).await?;
                let mut with = Conversation::new(&mut session, deadline);
                let exchanged = self.converse(&mut with, first).await?;
                Ok((exchanged, with.early))
            });
            deadline.bound(Stage::Exchange, exchange).await
        };
        match exchanged {
            Ok((exchanged, early)) => Ok((Rewind::new(session.tls, early), exchanged)),
            Err(error) => Err(session.close_for(error).await.into()),
        }
    }

    async fn first_byte<IO>(&self, session: &mut TlsSession<IO>) -> Result<u8, Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let reading = async { session.read_u8().await.map_err(Error::reading_first) };
        Deadline::after(self.first_byte)
            .bound(Stage::FirstByte, reading)
            .await
    }

    async fn converse<S>(
        &self,
        with: &mut Conversation<'_, S>,
        first: Frame,
    ) -> Result<Exchanged, Error>
    where
        S: Session + AsyncRead + AsyncWrite + Unpin,
    {
        if first.kind != FrameType::Request {
            return Err(Error::wrong_order());
        }
        let challenge = self.receive(with, &first.payload).await?;
        let Some(clients) = self.clients_to_ask(with, &challenge).await? else {
            let own_valid_for = self.attest(with, challenge).await?;
            return Ok(Exchanged {
                peer: None,
                own_valid_for,
            });
        };

        let request = clients.requester.prepare()?;
        with.write(FrameType::Request, request.as_bytes()).await?;
        let pending = request.on(with.session)?;
        match self.order {
            Order::ClientLast => {
                let own_valid_for = self.attest(with, challenge).await?;
                let peer = clients.appraise(with, pending).await?;
                with.flush().await?;
                Ok(Exchanged {
                    peer,
                    own_valid_for,
                })
            }
            Order::ClientFirst => {
                with.flush().await?;
                let peer = clients.appraise(with, pending).await?;
                let own_valid_for = self.attest(with, challenge).await?;
                Ok(Exchanged {
                    peer,
                    own_valid_for,
                })
            }
        }
    }

    /// A client of another profile is told so: it sent parameters, and so understands a verdict.
    async fn receive<S>(
        &self,
        with: &mut Conversation<'_, S>,
        request: &[u8],
    ) -> Result<Challenge, Error>
    where
        S: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let received = Challenge::in_profile(self.profile, with.session, request);
        if let Err(ProtocolError::OtherProfile { .. }) = received {
            let verdict = Verdict::Refused(RefusalCode::Incompatible);
            with.leave_with(FrameType::Verdict, &verdict.encode()).await;
        }
        Ok(received?)
    }

    /// Whether this client is asked to attest. Wishes of both ends that exclude each other are refused now.
    async fn clients_to_ask<S>(
        &self,
        with: &mut Conversation<'_, S>,
        challenge: &Challenge,
    ) -> Result<Option<&Clients>, Error>
    where
        S: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let can_attest = match challenge.parameters().map(|parameters| parameters.offer) {
            Some(Offer::Client { can_attest, .. }) => can_attest,
            // A client that sent no parameters speaks only the minimal exchange, and cannot be asked.
            _ => CanAttest::No,
        };
        let Some(clients) = &self.clients else {
            return Ok(None);
        };
        if can_attest.allows(self.order) {
            return Ok(Some(clients));
        }
        match (can_attest, clients.required) {
            (CanAttest::No, false) => Ok(None),
            (CanAttest::No, true) => {
                refuse(with, challenge, RefusalCode::AttestationRequired).await;
                Err(Error::peer_unattested())
            }
            _ => {
                refuse(with, challenge, RefusalCode::Incompatible).await;
                Err(ProtocolError::UnsupportedParameters.into())
            }
        }
    }

    /// Answers the client's request as it wishes, and reads its verdict.
    async fn attest<S>(
        &self,
        with: &mut Conversation<'_, S>,
        challenge: Challenge,
    ) -> Result<Option<Duration>, Error>
    where
        S: Session + AsyncRead + AsyncWrite + Unpin,
    {
        let verdicts = challenge.verdicts();
        let wanted = match challenge.parameters().map(|parameters| parameters.offer) {
            Some(Offer::Client { wants_evidence, .. }) => wants_evidence,
            _ => challenge.to_attest().is_some(),
        };
        if !wanted {
            let authenticator = challenge.answer_without_attestation()?;
            with.write(FrameType::Authenticator, &authenticator).await?;
            with.flush().await?;
            return Ok(None);
        }
        // A server has a key; so the client wants Evidence and did not offer the extension that carries it.
        let request = challenge.to_attest().ok_or(ProtocolError::Malformed)?;
        let Some(own) = self.own.as_ref().filter(|own| own.suits(&challenge)) else {
            return decline(with, challenge).await;
        };
        let attesting = own.attest(request, with.deadline);
        let cmw = match with.unless_gone(attesting).await {
            Ok(cmw) => cmw,
            Err(error) => {
                with.leave_with(FrameType::Authenticator, &challenge.decline()?)
                    .await;
                return Err(error);
            }
        };
        if !own.suits_with(&challenge, &cmw) {
            return decline(with, challenge).await;
        }
        let (authenticator, too_large) = challenge.answer_or_decline(&cmw)?;
        if let Some(error) = too_large {
            with.leave_with(FrameType::Authenticator, &authenticator)
                .await;
            return Err(error.into());
        }
        with.write(FrameType::Authenticator, &authenticator).await?;
        with.flush().await?;
        match verdicts {
            Verdicts::Yes => with.read_verdict().await.map(Some),
            Verdicts::No => Ok(None),
        }
    }
}

/// Tells the client, authentically, that this server does not attest to it.
async fn decline<S>(
    with: &mut Conversation<'_, S>,
    challenge: Challenge,
) -> Result<Option<Duration>, Error>
where
    S: Session + AsyncRead + AsyncWrite + Unpin,
{
    with.write(FrameType::Authenticator, &challenge.decline()?)
        .await?;
    with.flush().await?;
    Ok(None)
}

/// Tells the reason to a client that would understand it.
async fn refuse<S>(with: &mut Conversation<'_, S>, challenge: &Challenge, code: RefusalCode)
where
    S: Session + AsyncRead + AsyncWrite + Unpin,
{
    if challenge.parameters().is_some() {
        let verdict = Verdict::Refused(code);
        with.leave_with(FrameType::Verdict, &verdict.encode()).await;
    }
}
