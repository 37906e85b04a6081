//! A server that attests in its certificate during the handshake, or whose clients attest in theirs.
//!
//! Takes a transport and gives a stream, as the default mode does, by the same exchange. Before the exchange it makes a
//! certificate with Evidence for the handshake, and appraises the certificate of the client, as the terms say. A client
//! that should have presented Evidence and presented none is given back in [`Refused`]; any other connection that fails is
//! closed.

use std::sync::Arc;
use std::time::Duration;

use atls_core::ConfigError;
use atls_core::ProtocolError;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::limits::DEFAULT_IN_HANDSHAKE;
use atls_core::session::Handshake;
use atls_core::session::Side;
use rustls::DistinguishedName;
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;

use super::any_certificate::dangerous_any_client_with_hints;
use super::certificate_profile::CertificateProfile;
use super::evidence_certificate::with_evidence;
use super::hello_recorder::read_client_hello;
use super::mode::Mode;
use super::nonce_name::name_of;
use super::presented;
use super::presented::Made;
use crate::deadline::Deadline;
use crate::driver::Accepted;
use crate::driver::Appraiser;
use crate::driver::EvidenceMaker;
use crate::driver::Exchanged;
use crate::driver::ServerDriver;
use crate::driver::Turns;
use crate::error::Error;
use crate::identity;
use crate::metrics::Work;
use crate::stage::Stage;
use crate::stream::Refused;
use crate::terms::ServerTerms;
use crate::tls::Rewind;
use crate::tls::ServerTls;
use crate::tls::TlsSession;

/// The terms of such a server.
#[derive(Clone, Debug)]
pub(crate) struct WeakerServer {
    provider: Arc<CryptoProvider>,
    clock: Arc<dyn TimeProvider>,
    /// Makes Evidence during handshakes. `None` for a server that attests after them, or not at all.
    own: Option<EvidenceMaker>,
    /// `None` where clients attest after the handshake.
    clients: Option<Clients>,
}

/// How clients attest in their certificates.
#[derive(Clone, Debug)]
struct Clients {
    made: Made,
    /// `None` where nothing is demanded of them.
    appraiser: Option<Appraiser>,
    /// Whether a client may go without.
    required: bool,
}

impl WeakerServer {
    /// `None` for the terms of a server that knows the default mode alone.
    pub(crate) fn of(
        terms: &ServerTerms,
        provider: &Arc<CryptoProvider>,
        clock: &Arc<dyn TimeProvider>,
    ) -> Option<Self> {
        let own = match terms.attests {
            Mode::InHandshake => terms.attester.clone(),
            Mode::AfterHandshake | Mode::InCertificate => None,
        };
        let own = own.map(|attester| EvidenceMaker {
            attester,
            // A client comes here for no more than a ClientHello.
            turns: Turns::of(
                Work::Attestation,
                terms.attestations.min(DEFAULT_IN_HANDSHAKE),
            ),
        });
        let clients = Made::of(terms.clients_attest).map(|made| Clients {
            made,
            appraiser: terms.demand.relying_party().map(|relying_party| Appraiser {
                relying_party: relying_party.clone(),
                clock: clock.clone(),
                turns: Turns::of(Work::Appraisal, terms.appraisals),
            }),
            required: terms.demand.is_of_everybody(),
        });
        (own.is_some() || clients.is_some()).then(|| Self {
            provider: provider.clone(),
            clock: clock.clone(),
            own,
            clients,
        })
    }

    /// Does the handshake, appraises the client's certificate, and does the exchange.
    pub(crate) async fn accept<IO>(
        &self,
        tls: &ServerTls,
        driver: &ServerDriver,
        io: IO,
        deadline: Deadline,
    ) -> Result<(Rewind<IO>, Exchanged), Refused<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let handshake = self.handshake(tls, io, deadline);
        let (session, nonce) = deadline.bound(Stage::Handshake, handshake).await?;
        let peer = match self.appraise(&session.handshake, nonce, deadline).await {
            Ok(peer) => peer,
            Err(error) if error.is_peer_unattested() => {
                return Err(Refused::plain(error, Rewind::new(session.tls, Vec::new())));
            }
            Err(error) => return Err(session.close_for(error).await.into()),
        };
        let (stream, mut exchanged) = driver.exchange(session, deadline).await?;
        exchanged.peer = exchanged.peer.or(peer);
        Ok((stream, exchanged))
    }

    /// Gives the nonce too that the client's certificate must answer, if one was chosen.
    async fn handshake<IO>(
        &self,
        tls: &ServerTls,
        io: IO,
        deadline: Deadline,
    ) -> Result<(TlsSession<IO>, Option<[u8; 32]>), Error>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let asks_with_nonce = |clients: &Clients| clients.made == Made::DuringHandshake;
        let nonce = match self
            .clients
            .as_ref()
            .filter(|clients| asks_with_nonce(clients))
        {
            Some(_) => Some(self.nonce()?),
            None => None,
        };
        let with_nonce = match &nonce {
            Some(nonce) => Some(self.tls_with(tls, nonce)?),
            None => None,
        };
        let tls = with_nonce.as_ref().unwrap_or(tls);
        let Some(own) = &self.own else {
            return Ok((tls.accept(io).await?, nonce));
        };
        let (start, random) = read_client_hello(io).await?;
        let start = tls.unless_challenge(start).await?;
        let random = random.ok_or(ProtocolError::Malformed)?;
        let name = start.client_hello().server_name().map(str::to_owned);
        let key = self.key_for(own, random, name, deadline).await?;
        Ok((tls.complete(start, key).await?, nonce))
    }

    /// A key and certificate for this handshake alone, with Evidence that answers its `client_random`.
    async fn key_for(
        &self,
        own: &EvidenceMaker,
        random: [u8; 32],
        name: Option<String>,
        deadline: Deadline,
    ) -> Result<Arc<CertifiedKey>, Error> {
        let now = self.clock.current_time().ok_or(ConfigError::Identity)?;
        let key = identity::fresh_key(&self.provider)?;
        let request = OwnedAttestRequest::for_handshake(Side::Server, &random, &*key)?;
        let request = request.as_request();
        let cmw = own.attest(request, deadline).await?;
        let profile = CertificateProfile::new(CERTIFICATE_LIFETIME);
        let profile = name.into_iter().fold(profile, CertificateProfile::name);
        with_evidence(&self.provider, &key, &profile, (request, &cmw), now)
    }

    fn nonce(&self) -> Result<[u8; 32], ProtocolError> {
        let mut nonce = [0; 32];
        let filled = self.provider.secure_random.fill(&mut nonce);
        filled.map_err(|_| ProtocolError::Random)?;
        Ok(nonce)
    }

    /// The configuration of one handshake, which asks the client for a certificate that answers the nonce.
    fn tls_with(&self, tls: &ServerTls, nonce: &[u8; 32]) -> Result<ServerTls, Error> {
        let name = DistinguishedName::from(name_of(nonce));
        let clients = dangerous_any_client_with_hints(&self.provider, vec![name]);
        Ok(tls.with_client_verifier(clients)?)
    }

    /// Appraises the client by its certificate. `None` for a client that presented nothing and may.
    async fn appraise(
        &self,
        handshake: &Handshake,
        nonce: Option<[u8; 32]>,
        deadline: Deadline,
    ) -> Result<Option<Accepted>, Error> {
        let Some(clients) = &self.clients else {
            return Ok(None);
        };
        let Some(appraiser) = &clients.appraiser else {
            return Ok(None);
        };
        match presented::appraise(handshake, clients.made, nonce, appraiser, deadline).await {
            Ok(peer) => Ok(Some(peer)),
            Err(error) if error.protocol() != Some(&ProtocolError::NoAttestation) => Err(error),
            Err(_) if clients.required => Err(Error::peer_unattested()),
            Err(_) => Ok(None),
        }
    }
}

/// A certificate for one handshake needs to live no longer.
const CERTIFICATE_LIFETIME: Duration = Duration::from_secs(3600);
