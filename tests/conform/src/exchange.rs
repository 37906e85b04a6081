//! One exchange with the peer, in which the kit may put one twist into one message.

use std::io;

use atls_core::session::Side;

use crate::judge::Examined;
use crate::kit::Kit;
use crate::kit::Target;
use crate::party::ACCEPTED;
use crate::party::Got;
use crate::party::Party;
use crate::reply::Reply;
use crate::reply::decided;
use crate::reply::served;
use crate::reply::words;
use crate::tls::Tls;
use crate::twist::Twist;
use crate::wire::AUTHENTICATOR;
use crate::wire::VERDICT;
use crate::wire::request::Request;

/// Whether the kit asks the peer to attest beside what the peer asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    #[default]
    OnlyAnswer,
    Ask,
}

/// What is special about one exchange.
#[derive(Clone, Copy, Debug, Default)]
pub struct Script {
    /// Of a kit that is a server. As a client it always asks.
    pub wish: Wish,
    pub in_request: Option<Twist>,
    pub in_answer: Option<Twist>,
}

/// All that was seen of the peer.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whether the peer is a client.
    is_client: bool,
    pub request: Option<Request>,
    /// Whether a request came that could not be read.
    pub has_unreadable_request: bool,
    /// Its answer to the kit's request.
    pub answer: Option<Examined>,
    pub has_unreadable_answer: bool,
    pub verdicts: Vec<Vec<u8>>,
    /// What it made of the kit's request.
    pub of_request: Reply,
    /// What it made of the kit's authenticator.
    pub of_answer: Reply,
}

impl Seen {
    fn of(target: &Target) -> Self {
        let not_reached = Reply::Lost("the exchange did not get there".to_owned());
        Self {
            is_client: target.side() == Side::Client,
            request: None,
            has_unreadable_request: false,
            answer: None,
            has_unreadable_answer: false,
            verdicts: Vec::new(),
            of_request: not_reached.clone(),
            of_answer: not_reached,
        }
    }

    fn take_request(&mut self, party: &mut Party, bytes: &[u8]) -> Option<Request> {
        self.request = party.receive(bytes);
        self.has_unreadable_request = self.request.is_none();
        self.request.clone()
    }

    fn take_answer(&mut self, party: &Party, bytes: &[u8], asked: &Request) -> Option<Examined> {
        self.answer = party.examine(bytes, asked);
        self.has_unreadable_answer = self.answer.is_none();
        self.answer.clone()
    }
}

/// One exchange with the peer.
pub async fn converse(kit: &Kit, target: &Target, script: Script) -> Seen {
    let mut seen = Seen::of(target);
    match meet(kit, target, script).await {
        Ok(mut party) => match party.side() {
            Side::Client => as_client(kit, &mut party, script, &mut seen).await,
            Side::Server => as_server(kit, &mut party, script, &mut seen).await,
        },
        Err(error) => {
            let lost = Reply::Lost(format!("no TLS connection: {error}"));
            seen.of_request = lost.clone();
            seen.of_answer = lost;
        }
    }
    seen
}

async fn meet(kit: &Kit, target: &Target, script: Script) -> io::Result<Party> {
    let key = match (script.in_answer, target) {
        (Some(Twist::Pkcs1), Target::Server(_)) => Some(kit.keys.rsa_client()),
        (Some(Twist::Pkcs1), _) => Some(kit.keys.rsa()),
        _ => None,
    };
    let key = key
        .transpose()
        .map_err(|error| io::Error::other(error.to_string()))?;
    let tls = Tls {
        only_sha384: script.in_answer == Some(Twist::PrefixBinder),
        key,
        certificate: script.in_answer == Some(Twist::OtherKey),
        ..Tls::default()
    };
    kit.meet(target, &tls).await
}

async fn as_client(kit: &Kit, party: &mut Party, script: Script, seen: &mut Seen) {
    let mut draft = party.draft(&kit.formats, 2);
    if let Some(twist) = script.in_request {
        draft.apply(twist, None);
    }
    let Some(own) = party.ask(&draft).await else {
        return;
    };
    let mut got = party.next().await;
    let request = match &got {
        Got::Request(bytes) => {
            seen.of_request = Reply::Accepted("it sent its request".to_owned());
            let Some(request) = seen.take_request(party, bytes) else {
                return;
            };
            if last_of(&request) == 1 {
                got = party.next().await;
            }
            Some(request)
        }
        _ => None,
    };
    let first = request
        .as_ref()
        .is_some_and(|request| last_of(request) == 2);
    if first {
        let due = answer(party, request.as_ref(), script, seen).await;
        settle(kit, party, due, seen).await;
        if !matches!(seen.of_answer, Reply::Accepted(_)) {
            return;
        }
        got = match &seen.of_answer {
            Reply::Accepted(how) if how == AUTHENTICATED => return,
            _ => party.next().await,
        };
    }
    if !server_answered(party, &own, &got, seen).await || first {
        return;
    }
    match request {
        Some(request) => {
            let due = answer(party, Some(&request), script, seen).await;
            settle(kit, party, due, seen).await;
        }
        None => seen.of_answer = Reply::Unable("it asks no client to attest".to_owned()),
    }
}

/// Takes the server's authenticator; `false` where another thing came.
async fn server_answered(party: &mut Party, own: &Request, got: &Got, seen: &mut Seen) -> bool {
    match got {
        Got::Authenticator(bytes) => {
            seen.of_request = Reply::Accepted("it sent its authenticator".to_owned());
            match seen.take_answer(party, bytes, own) {
                Some(examined) if examined.verdicts => party.write(VERDICT, &ACCEPTED).await,
                _ => {}
            }
            true
        }
        other => {
            let reply = match ended(other, seen) {
                // Nothing that was accepted is due yet.
                Reply::Accepted(how) => Reply::Lost(how),
                reply => reply,
            };
            if !matches!(seen.of_request, Reply::Accepted(_)) {
                seen.of_request = reply;
            }
            false
        }
    }
}

async fn as_server(kit: &Kit, party: &mut Party, script: Script, seen: &mut Seen) {
    let got = party.next().await;
    let Got::Request(bytes) = &got else {
        let reply = Reply::Lost(format!("it did not open with a request: {}", words(&got)));
        seen.of_request = reply.clone();
        seen.of_answer = reply;
        return;
    };
    let Some(request) = seen.take_request(party, bytes) else {
        return;
    };
    let can_attest = request
        .parameters
        .as_ref()
        .is_some_and(|offer| offer.last > 0);
    let own = match script.wish {
        Wish::Ask if can_attest => {
            let mut draft = party.draft(&kit.formats, 1);
            if let Some(twist) = script.in_request {
                draft.apply(twist, Some(&request.context));
            }
            party.ask(&draft).await
        }
        Wish::Ask => {
            seen.of_request = Reply::Unable("it offers not to attest".to_owned());
            None
        }
        Wish::OnlyAnswer => None,
    };
    let due = answer(party, Some(&request), script, seen).await;
    if matches!(seen.of_answer, Reply::Unable(_)) {
        return;
    }
    let mut got = party.next().await;
    if due && let Got::Verdict(verdict) = &got {
        seen.verdicts.push(verdict.clone());
        seen.of_answer = decided(verdict);
        if own.is_some() && matches!(seen.of_answer, Reply::Accepted(_)) {
            got = party.next().await;
        }
    }
    match (&own, &got) {
        (Some(own), Got::Authenticator(bytes)) => {
            seen.of_request = Reply::Accepted("it sent its authenticator".to_owned());
            if !matches!(seen.of_answer, Reply::Accepted(_)) {
                seen.of_answer = Reply::Accepted("it attested".to_owned());
            }
            match seen.take_answer(party, bytes, own) {
                Some(examined) if examined.verdicts => party.write(VERDICT, &ACCEPTED).await,
                _ => {}
            }
        }
        (_, other) => {
            if let (Some(_), reply) = (&own, ended(other, seen)) {
                seen.of_request = reply;
            }
            if matches!(seen.of_answer, Reply::Lost(_)) {
                seen.of_answer = ended(other, seen);
            }
        }
    }
}

/// Sends the kit's authenticator; tells whether its selection asks for a verdict.
async fn answer(
    party: &mut Party,
    request: Option<&Request>,
    script: Script,
    seen: &mut Seen,
) -> bool {
    let Some(request) = request else {
        return false;
    };
    match party.answer(request, script.in_answer) {
        Ok(bytes) => {
            party.write(AUTHENTICATOR, &bytes).await;
            let offered = request
                .parameters
                .as_ref()
                .is_some_and(|offer| offer.verdicts);
            let without = [Twist::NoSelection, Twist::Empty, Twist::ForgedEmpty];
            let has_selection = script
                .in_answer
                .is_none_or(|twist| !without.contains(&twist));
            offered && has_selection
        }
        Err(why) => {
            seen.of_answer = Reply::Unable(why);
            false
        }
    }
}

/// Finds out what a server made of the kit's authenticator.
async fn settle(kit: &Kit, party: &mut Party, due: bool, seen: &mut Seen) {
    if matches!(seen.of_answer, Reply::Unable(_)) {
        return;
    }
    let is_first = seen
        .request
        .as_ref()
        .is_some_and(|request| last_of(request) == 2);
    if due || is_first {
        seen.of_answer = match party.next().await {
            Got::Verdict(verdict) => {
                seen.verdicts.push(verdict.clone());
                decided(&verdict)
            }
            Got::Authenticator(_) if is_first => Reply::Accepted(AUTHENTICATED.to_owned()),
            Got::Nothing => served(kit, party).await,
            other => ended(&other, seen),
        };
    } else {
        seen.of_answer = served(kit, party).await;
    }
}

fn ended(got: &Got, seen: &mut Seen) -> Reply {
    match got {
        Got::Ended => Reply::Ended("it closed the connection".to_owned()),
        Got::Nothing => Reply::Open,
        // A method of HTTP; a server has nothing to say in it before it is asked.
        Got::Other(b'A'..=b'Z') if seen.is_client => Reply::Accepted("it wrote HTTP".to_owned()),
        Got::Other(_) => Reply::Lost(words(got)),
        Got::Verdict(verdict) => {
            seen.verdicts.push(verdict.clone());
            decided(verdict)
        }
        Got::Request(_) | Got::Authenticator(_) | Got::TooLong => Reply::Accepted(words(got)),
    }
}

/// Key 6 of a client's request, 7 of a server's; 1 without parameters.
pub fn last_of(request: &Request) -> u64 {
    request.parameters.as_ref().map_or(1, |offer| offer.last)
}

const AUTHENTICATED: &str = "it sent its authenticator";
