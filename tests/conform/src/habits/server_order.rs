//! Scripts of a client about the order of an exchange, and the steps that they share.

use super::common::broken;
use super::common::kept;
use super::common::lost;
use crate::exchange::last_of;
use crate::kit::Kit;
use crate::party::ACCEPTED;
use crate::party::Got;
use crate::party::Party;
use crate::reply::Reply;
use crate::reply::served;
use crate::reply::words;
use crate::wire::AUTHENTICATOR;
use crate::wire::VERDICT;
use crate::wire::request::Request;
use crate::wire::request_draft::RequestDraft;

/// Sends frames where the verdict on the server's authenticator is due, and goes on as if all were well.
pub(super) async fn after(
    kit: &Kit,
    party: &mut Party,
    usual: &RequestDraft,
    frames: &[(u8, &[u8])],
) -> Reply {
    let Some(own) = party.ask(usual).await else {
        return Reply::Lost("no request".to_owned());
    };
    let (request, got) = until_answered(party).await;
    let Got::Authenticator(bytes) = &got else {
        return lost("no authenticator", &got);
    };
    if !party
        .examine(bytes, &own)
        .is_some_and(|examined| examined.verdicts)
    {
        return Reply::Unable("it expects no verdict".to_owned());
    }
    for (kind, payload) in frames {
        party.write(*kind, payload).await;
    }
    if let Some(request) = request {
        let answer = party.answer(&request, None).unwrap_or_default();
        party.write(AUTHENTICATOR, &answer).await;
        match party.next().await {
            Got::Verdict(verdict) if verdict.first() == Some(&0) => {}
            Got::Nothing => {}
            other => return must_have_ended(&other),
        }
    }
    match served(kit, party).await {
        Reply::Accepted(how) => Reply::Broken(how),
        Reply::Ended(how) => Reply::Kept(how),
        Reply::Open => broken("it kept the connection open"),
        other => other,
    }
}

pub(super) fn must_have_ended(got: &Got) -> Reply {
    match got {
        Got::Ended => kept("it closed the connection"),
        Got::Verdict(_) => kept("it sent a refusing verdict"),
        other => broken(&words(other)),
    }
}

/// What comes where the server's authenticator is due, and the server's request if the client has not answered it yet.
pub(super) async fn until_answered(party: &mut Party) -> (Option<Request>, Got) {
    let got = party.next().await;
    let Got::Request(bytes) = &got else {
        return (None, got);
    };
    let Some(request) = party.receive(bytes) else {
        return (None, got);
    };
    if last_of(&request) != 2 {
        return (Some(request), party.next().await);
    }
    // This server hears the client first.
    let answer = party.answer(&request, None).unwrap_or_default();
    party.write(AUTHENTICATOR, &answer).await;
    let due = request
        .parameters
        .as_ref()
        .is_some_and(|offer| offer.verdicts);
    if due {
        let verdict = party.next().await;
        if !matches!(&verdict, Got::Verdict(verdict) if verdict.first() == Some(&0)) {
            return (None, verdict);
        }
    }
    (None, party.next().await)
}

/// The last word of a server that did not ask is its authenticator.
pub(super) async fn asks_late(party: &mut Party, usual: &RequestDraft) -> Reply {
    let Some(own) = party.ask(usual).await else {
        return Reply::Lost("no request".to_owned());
    };
    let got = party.next().await;
    match got {
        Got::Request(_) => return kept("it asked before it answered"),
        Got::Authenticator(bytes) => {
            if party
                .examine(&bytes, &own)
                .is_some_and(|examined| examined.verdicts)
            {
                party.write(VERDICT, &ACCEPTED).await;
            }
        }
        other => return lost("no authenticator", &other),
    }
    party
        .write_bytes(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await;
    match party.next().await {
        Got::Request(_) => broken("it sent a request behind its authenticator"),
        _ => kept("it sent no request"),
    }
}

/// A client that offers this under key 6 must not get a request of order 2, or any where it offers 0.
pub(super) async fn never_asks(party: &mut Party, usual: &RequestDraft, ability: u64) -> Reply {
    let mut draft = usual.clone();
    if let Some(parameters) = &mut draft.parameters {
        parameters.set(6, ability);
    }
    party.ask(&draft).await;
    match party.next().await {
        Got::Request(bytes) => match party.receive(&bytes) {
            Some(request) if ability == 1 && last_of(&request) == 1 => kept("it asked for order 1"),
            _ => broken("it sent a request"),
        },
        Got::Authenticator(_) => kept("it did not ask"),
        Got::Verdict(verdict) if verdict.first().is_some_and(|code| *code != 0) => {
            kept("it refused")
        }
        Got::Ended => kept("it closed the connection"),
        other => broken(&words(&other)),
    }
}

pub(super) async fn second_request(kit: &Kit, party: &mut Party, usual: &RequestDraft) -> Reply {
    party.ask(usual).await;
    let second = party.draft(&kit.formats, 2);
    party.ask(&second).await;
    loop {
        return match party.next().await {
            // They may have left before the second request was read.
            Got::Request(_) => continue,
            Got::Authenticator(_) => match party.next().await {
                Got::Ended => kept("it closed the connection"),
                Got::Verdict(_) => kept("it sent a verdict"),
                other => broken(&words(&other)),
            },
            Got::Ended => kept("it closed the connection"),
            other => broken(&words(&other)),
        };
    }
}

pub(super) async fn http_for_answer(kit: &Kit, party: &mut Party, usual: &RequestDraft) -> Reply {
    if until_asked(party, usual).await.is_none() {
        return Reply::Unable("it asks no client to attest".to_owned());
    }
    match served(kit, party).await {
        Reply::Accepted(how) => Reply::Broken(how),
        Reply::Ended(how) => Reply::Kept(how),
        Reply::Open => broken("it kept the connection open"),
        other => other,
    }
}

/// Goes on to where the client's authenticator is due; gives the server's request.
pub(super) async fn until_asked(party: &mut Party, usual: &RequestDraft) -> Option<Request> {
    let own = party.ask(usual).await?;
    let Got::Request(bytes) = party.next().await else {
        return None;
    };
    let request = party.receive(&bytes)?;
    if last_of(&request) == 1 {
        let Got::Authenticator(bytes) = party.next().await else {
            return None;
        };
        if party.examine(&bytes, &own)?.verdicts {
            party.write(VERDICT, &ACCEPTED).await;
        }
    }
    Some(request)
}

pub(super) async fn served_or_verdict(kit: &Kit, party: &mut Party) -> Reply {
    match party.next().await {
        Got::Verdict(verdict) => crate::reply::decided(&verdict),
        Got::Authenticator(_) => Reply::Accepted("it sent its authenticator".to_owned()),
        Got::Ended => Reply::Ended("it closed the connection".to_owned()),
        Got::Nothing => served(kit, party).await,
        other => lost("no verdict", &other),
    }
}
