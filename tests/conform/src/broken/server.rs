//! A server that keeps every rule but one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::manners::Manners;
use super::tls;
use crate::breach::Breach;
use crate::habit::Habit;
use crate::judge::Examined;
use crate::kit::Kit;
use crate::party::Got;
use crate::party::Party;
use crate::twist::Twist;
use crate::wire::AUTHENTICATOR;
use crate::wire::REQUEST;
use crate::wire::VERDICT;
use crate::wire::answer_draft::empty;
use crate::wire::request::Request;

/// A server with one breach, or with none.
#[derive(Clone, Debug)]
pub struct BrokenServer {
    kit: Kit,
    manners: Manners,
    tls: Arc<ServerConfig>,
}

impl BrokenServer {
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
            tls: Arc::new(tls::server(kit, manners).map_err(io::Error::other)?),
        })
    }

    /// Serves until its runtime ends.
    ///
    /// # Errors
    /// Without a port.
    pub async fn serve(self) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let server = self.clone();
                tokio::spawn(async move { server.meet(socket).await });
            }
        });
        Ok(address)
    }

    async fn meet(&self, socket: TcpStream) {
        let key = self.kit.keys.server.clone();
        let accepted = timeout(self.kit.limit, tls::accept(self.tls.clone(), socket, key)).await;
        let Ok(Some(link)) = accepted else {
            return;
        };
        let mut party = tls::party(&self.kit, link, self.manners, self.kit.keys.server.clone());
        self.converse(&mut party).await;
    }

    async fn converse(&self, party: &mut Party) -> Option<()> {
        let mut got = party.next().await;
        if matches!(got, Got::Authenticator(_)) && self.manners.has(Habit::TakesAnswerFirst) {
            got = party.next().await;
        }
        let Got::Request(bytes) = &got else {
            return None;
        };
        let Some(request) = party.receive(bytes) else {
            if self.manners.has(Habit::StaysOpen) {
                party.ends().await;
                party.ends().await;
            }
            return None;
        };
        if !self.manners.takes_all(&request.twists) {
            return None;
        }
        let order = self.order(party, &request).await?;
        match order {
            0 => self.attest(party, &request).await?,
            1 => {
                let own = self.ask(party, &request, 1).await?;
                self.attest(party, &request).await?;
                self.appraise(party, &own).await?;
            }
            _ => {
                let own = self.ask(party, &request, 2).await?;
                self.appraise(party, &own).await?;
                self.attest(party, &request).await?;
            }
        }
        if self.manners.has(Habit::AsksLate) {
            self.ask(party, &request, 1).await?;
        }
        tls::serve_http(party).await
    }

    /// The order in which the client is asked to attest, or 0.
    async fn order(&self, party: &mut Party, request: &Request) -> Option<u64> {
        let ability = request.parameters.as_ref().map(|offer| offer.last);
        match ability {
            _ if self.manners.has(Habit::AsksLate) => Some(0),
            None if self.manners.has(Habit::AsksMinimal) => Some(1),
            Some(0) if self.manners.has(Habit::AsksUnable) => Some(1),
            Some(1) if self.manners.has(Habit::AsksOutOfOrder) => Some(2),
            // It demands nothing of those that cannot.
            None | Some(0) => Some(0),
            Some(3..) if !self.manners.takes_all(&[Twist::WishBeyondTable]) => {
                party.write(VERDICT, &[4, 0, 0, 0, 0]).await;
                None
            }
            Some(_) => Some(1),
        }
    }

    async fn ask(&self, party: &mut Party, request: &Request, order: u64) -> Option<Request> {
        let mut draft = party.draft(&self.kit.formats, order);
        draft.context = self.manners.context(draft.context);
        draft
            .parameters
            .iter_mut()
            .for_each(|map| self.manners.offer(map));
        if let Some(twist) = self.manners.sent(true) {
            draft.apply(twist, Some(&request.context));
        }
        let bytes = draft.encode();
        party.write(REQUEST, &bytes).await;
        // It knows what it asked for, whatever it wrote.
        let mut own = Request::read(&bytes, party.side(), &[])?;
        own.twists.clear();
        Some(own)
    }

    async fn attest(&self, party: &mut Party, request: &Request) -> Option<()> {
        if !request.wants() && self.manners.has(Habit::IgnoresUnwanting) {
            return None;
        }
        if request.wants() && !self.manners.suits(request, &self.kit.formats) {
            if !self.manners.has(Habit::OmitsEmpty) {
                let empty = empty(&party.link, party.side(), request, None).ok()?;
                party.write(AUTHENTICATOR, &empty).await;
            }
            return None;
        }
        let mut request = request.clone();
        if request.parameters.is_none() && self.manners.has(Habit::SelectsUnasked) {
            request.parameters = Some(tls::nothing());
        }
        let bytes = self.manners.answer(party, &request)?;
        party.write(AUTHENTICATOR, &bytes).await;
        let offered = request
            .parameters
            .as_ref()
            .is_some_and(|offer| offer.verdicts);
        match offered && request.wants() {
            true => self.verdict(party).await,
            false => Some(()),
        }
    }

    async fn verdict(&self, party: &mut Party) -> Option<()> {
        let mut got = party.next().await;
        if matches!(got, Got::Request(_)) && self.manners.has(Habit::TakesSecondRequest) {
            // It answers that one too.
            if let Got::Request(bytes) = &got {
                let second = party.receive(bytes)?;
                let bytes = self.manners.answer(party, &second)?;
                party.write(AUTHENTICATOR, &bytes).await;
            }
            got = party.next().await;
        }
        match got {
            Got::Verdict(verdict) if self.manners.takes_verdict(&verdict) => Some(()),
            _ => None,
        }
    }

    async fn appraise(&self, party: &mut Party, own: &Request) -> Option<()> {
        let got = party.next().await;
        let bytes = match &got {
            Got::Authenticator(bytes) => bytes,
            Got::Other(b'G') if self.manners.has(Habit::TakesHttpForAnswer) => {
                return tls::answer_http(party).await;
            }
            _ => return None,
        };
        let examined: Examined = party.examine(bytes, own)?;
        if !self.manners.takes_all(&examined.twists) {
            self.manners.refuse(party, &examined).await;
            return None;
        }
        self.manners.accept(party, &examined).await;
        Some(())
    }
}
