//! A client that keeps every rule but one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use adversary::Link;
use atls_core::BoxFuture;
use rustls::ClientConfig;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::TlsStream;

use super::PATIENCE;
use super::manners::Manners;
use super::tls;
use crate::breach::Breach;
use crate::exchange::last_of;
use crate::habit::Habit;
use crate::kit::Dial;
use crate::kit::Kit;
use crate::party::Got;
use crate::party::Party;
use crate::twist::Twist;
use crate::wire::AUTHENTICATOR;
use crate::wire::REQUEST;
use crate::wire::request::Request;

/// A client with one breach, or with none.
#[derive(Clone, Debug)]
pub struct BrokenClient {
    kit: Kit,
    manners: Manners,
    tls: Arc<ClientConfig>,
}

impl BrokenClient {
    /// It trusts the kit, and has its keys from it.
    ///
    /// # Errors
    /// Those of rustls.
    pub fn new(kit: &Kit, breach: Option<Breach>) -> io::Result<Self> {
        let manners = Manners {
            breach,
            demands: super::demands(breach),
        };
        Ok(Self {
            kit: kit.clone(),
            manners,
            tls: Arc::new(tls::client(kit, manners).map_err(io::Error::other)?),
        })
    }

    async fn meet(&self, to: SocketAddr) -> io::Result<()> {
        let socket = TcpStream::connect(to).await?;
        let early = self.manners.has(Habit::SendsEarlyData);
        let connector = TlsConnector::from(self.tls.clone()).early_data(early);
        let mut stream = connector.connect(self.kit.server_name()?, socket).await?;
        // With early data, the handshake may not even have begun.
        if stream.get_ref().1.is_handshaking()
            || self.manners.has(Habit::TakesTls12) && !is_new(&stream)
        {
            stream.write_all(GET).await?;
            stream.flush().await?;
            let _ = timeout(self.kit.limit, stream.read_to_end(&mut Vec::new())).await;
            return Ok(());
        }
        let key = self.kit.keys.client.clone();
        let link = Link::on(TlsStream::Client(stream), key.clone())?;
        let mut party = tls::party(&self.kit, link, self.manners, key);
        if self.converse(&mut party).await.is_some() {
            party.write_bytes(GET).await;
            party.ends().await;
        }
        Ok(())
    }

    async fn converse(&self, party: &mut Party) -> Option<()> {
        if self.manners.has(Habit::OpensWithHttp) {
            return Some(());
        }
        let own = self.ask(party).await?;
        let mut got = match self.manners.has(Habit::WritesHttpEarly) {
            true => self.hasty(party).await,
            false => party.next().await,
        };
        self.end_on_ticket(party)?;
        let mut asked = None;
        if let Got::Request(bytes) = &got {
            asked = Some(self.asked(party, bytes)?);
            got = party.next().await;
            if matches!(got, Got::Request(_)) && self.manners.has(Habit::TakesSecondRequest) {
                got = party.next().await;
            }
        }
        if let Some(request) = asked.as_ref().filter(|request| last_of(request) == 2) {
            let _ = got;
            self.attest(party, request).await?;
            got = party.next().await;
        }
        self.appraise(party, &own, &got, asked.as_ref()).await?;
        match asked.filter(|request| last_of(request) == 1) {
            Some(request) if !self.manners.has(Habit::AnswersUnable) => {
                self.attest(party, &request).await
            }
            _ if self.manners.has(Habit::TakesLateRequest) => self.late(party).await,
            _ => Some(()),
        }
    }

    async fn ask(&self, party: &mut Party) -> Option<Request> {
        let ability = match self.manners.has(Habit::AnswersUnable) {
            true => 0,
            false => 1,
        };
        let mut draft = party.draft(&self.kit.formats, ability);
        draft.context = self.manners.context(draft.context);
        if let Some(parameters) = &mut draft.parameters {
            if !self.manners.demands {
                parameters.set(5, false);
                parameters.set(4, false);
            }
            self.manners.offer(parameters);
        }
        if let Some(twist) = self.manners.sent(true) {
            draft.apply(twist, None);
        }
        let bytes = draft.encode();
        party.spent.push(draft.context.clone());
        party.write(REQUEST, &bytes).await;
        // It knows what it asked for, whatever it wrote.
        let mut own = Request::read(&bytes, party.side(), &[])?;
        own.twists.clear();
        Some(own)
    }

    /// Waits for a moment only.
    async fn hasty(&self, party: &mut Party) -> Got {
        let limit = std::mem::replace(&mut party.limit, PATIENCE);
        let got = party.next().await;
        party.limit = limit;
        match got {
            Got::Nothing => {
                party.write_bytes(GET).await;
                party.next().await
            }
            got => got,
        }
    }

    fn end_on_ticket(&self, party: &Party) -> Option<()> {
        let tickets = match &party.link.tls {
            TlsStream::Client(stream) => stream.get_ref().1.tls13_tickets_received(),
            TlsStream::Server(_) => 0,
        };
        (tickets == 0 || !self.manners.has(Habit::EndsOnTicket)).then_some(())
    }

    /// Takes the server's request.
    fn asked(&self, party: &mut Party, bytes: &[u8]) -> Option<Request> {
        let request = party.receive(bytes)?;
        let twists: Vec<Twist> = request.twists.clone();
        let suits = self.manners.suits(&request, &self.kit.formats);
        let in_order = last_of(&request) != 2 || self.manners.has(Habit::AnswersOutOfOrder);
        (self.manners.takes_all(&twists) && suits && in_order).then_some(request)
    }

    async fn appraise(
        &self,
        party: &mut Party,
        own: &Request,
        got: &Got,
        asked: Option<&Request>,
    ) -> Option<()> {
        let bytes = match got {
            Got::Authenticator(bytes) => bytes,
            Got::Verdict(verdict) if verdict.first() == Some(&0) => {
                return self.manners.has(Habit::TakesAcceptingVerdict).then_some(());
            }
            _ => return None,
        };
        let Some(examined) = party.examine(bytes, own) else {
            if self.manners.has(Habit::StaysOpen) {
                party.ends().await;
                party.ends().await;
            }
            return None;
        };
        if self.manners.takes_all(&examined.twists) {
            self.manners.accept(party, &examined).await;
            return Some(());
        }
        if asked.is_some() && self.manners.has(Habit::AttestsToUnpassed) {
            return Some(());
        }
        self.manners.refuse(party, &examined).await;
        None
    }

    /// Attests, and waits for the server's verdict.
    async fn attest(&self, party: &mut Party, request: &Request) -> Option<()> {
        let bytes = self.manners.answer(party, request)?;
        party.write(AUTHENTICATOR, &bytes).await;
        if !request
            .parameters
            .as_ref()
            .is_some_and(|offer| offer.verdicts)
        {
            return Some(());
        }
        let got = match self.manners.has(Habit::WritesHttpBeforeVerdict) {
            true => self.hasty(party).await,
            false => party.next().await,
        };
        match got {
            Got::Verdict(verdict) if self.manners.takes_verdict(&verdict) => Some(()),
            _ => None,
        }
    }

    /// Attests although the server asks too late.
    async fn late(&self, party: &mut Party) -> Option<()> {
        let limit = std::mem::replace(&mut party.limit, PATIENCE);
        let got = party.next().await;
        party.limit = limit;
        if let Got::Request(bytes) = got {
            let request = party.receive(&bytes)?;
            self.attest(party, &request).await?;
        }
        Some(())
    }
}

impl Dial for BrokenClient {
    fn dial(&self, to: SocketAddr) -> BoxFuture<'static, ()> {
        let client = self.clone();
        Box::pin(async move {
            // The kit sees what came of it.
            let _ = client.meet(to).await;
        })
    }
}

fn is_new(stream: &tokio_rustls::client::TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3)
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
