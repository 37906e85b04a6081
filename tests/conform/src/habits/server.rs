//! Scripts of a client, against a server.

use std::io;

use super::common::FORBIDDEN;
use super::common::LONG;
use super::common::OTHERWISE;
use super::common::REFUSED;
use super::common::SHORT;
use super::common::TIMED;
use super::common::TOO_LONG;
use super::common::broken;
use super::common::in_pieces_of;
use super::common::kept;
use super::common::lost;
use super::common::must_end;
use super::server_order::after;
use super::server_order::asks_late;
use super::server_order::http_for_answer;
use super::server_order::never_asks;
use super::server_order::second_request;
use super::server_order::served_or_verdict;
use super::server_order::until_answered;
use super::server_order::until_asked;
use crate::exchange::Script;
use crate::exchange::converse;
use crate::habit::Habit;
use crate::kit::Kit;
use crate::kit::Target;
use crate::party::ACCEPTED;
use crate::party::Got;
use crate::party::Party;
use crate::reply::Reply;
use crate::reply::words;
use crate::tls::Tls;
use crate::twist::Twist;
use crate::wire::AUTHENTICATOR;
use crate::wire::REQUEST;
use crate::wire::VERDICT;
use crate::wire::cmw::NOBODYS;
use crate::wire::request_draft::RequestDraft;

pub(super) async fn play(kit: &Kit, target: &Target, habit: Habit) -> io::Result<Reply> {
    Ok(match habit {
        Habit::ReusesContext => return reuses_context(kit, target).await,
        Habit::OmitsVerdict | Habit::SendsMalformedVerdict => verdicts(kit, target, habit).await,
        Habit::OmitsRefusal => omits_refusal(kit, target).await,
        Habit::KnowsOnlySha256 => return only_sha256(kit, target).await,
        _ => {
            let mut party = kit.meet(target, &Tls::default()).await?;
            on(kit, &mut party, habit).await
        }
    })
}

/// The scripts of one usual connection.
async fn on(kit: &Kit, party: &mut Party, habit: Habit) -> Reply {
    let usual = party.draft(&kit.formats, 2);
    match habit {
        Habit::WaitsForLongFrame => {
            let _ = party.link.write_frame(REQUEST, TOO_LONG, &[]).await;
            must_end(party).await
        }
        Habit::TakesLongFrame => long_frame(kit, party, &usual).await,
        // The first byte of a connection is another's affair: it tells clients of this protocol from others.
        Habit::TakesUnknownFrame => {
            let frames = [(9, &b"unknown"[..]), (VERDICT, &ACCEPTED)];
            after(kit, party, &usual, &frames).await
        }
        Habit::NeedsWholeFrames => in_pieces(party, &usual).await,
        Habit::SignsByForbidden => signs_by_forbidden(party, usual).await,
        Habit::SelectsUnasked | Habit::AsksMinimal => minimal(party, usual, habit).await,
        Habit::AnswersOtherFormat | Habit::OmitsEmpty => nobodys_format(party, habit).await,
        Habit::TakesShortVerdict => after(kit, party, &usual, &[(VERDICT, SHORT)]).await,
        Habit::TakesLongVerdict => after(kit, party, &usual, &[(VERDICT, LONG)]).await,
        Habit::TakesTimedRefusal => after(kit, party, &usual, &[(VERDICT, TIMED)]).await,
        Habit::IgnoresRefusal => after(kit, party, &usual, &[(VERDICT, REFUSED)]).await,
        Habit::IgnoresOtherRefusal => after(kit, party, &usual, &[(VERDICT, OTHERWISE)]).await,
        Habit::TakesAnswerFirst => {
            party.write(AUTHENTICATOR, &[20, 0, 0, 1, 0]).await;
            party.ask(&usual).await;
            must_end(party).await
        }
        Habit::IgnoresUnwanting => unwanting(party, usual).await,
        Habit::AsksLate => asks_late(party, &usual).await,
        Habit::AsksUnable => never_asks(party, &usual, 0).await,
        Habit::AsksOutOfOrder => never_asks(party, &usual, 1).await,
        Habit::TakesSecondRequest => second_request(kit, party, &usual).await,
        Habit::TakesHttpForAnswer => http_for_answer(kit, party, &usual).await,
        Habit::StaysOpen => {
            party.write(REQUEST, &[99]).await;
            match party.next().await {
                Got::Nothing => broken("it kept the connection open"),
                _ if party.ends().await => kept("it closed the connection"),
                _ => broken("it kept the connection open"),
            }
        }
        _ => Reply::Unable("no server does this".to_owned()),
    }
}

/// A client's authenticator that is too long and otherwise good: its chain has large certificates behind the first.
async fn long_frame(kit: &Kit, party: &mut Party, usual: &RequestDraft) -> Reply {
    let Some(request) = until_asked(party, usual).await else {
        return Reply::Unable("it asks no client to attest".to_owned());
    };
    match party.long_answer(&request) {
        Ok(bytes) => {
            party.write(AUTHENTICATOR, &bytes).await;
            match served_or_verdict(kit, party).await {
                Reply::Accepted(how) => Reply::Broken(how),
                Reply::Ended(how) => Reply::Kept(how),
                other => other,
            }
        }
        Err(why) => Reply::Unable(why),
    }
}

async fn in_pieces(party: &mut Party, usual: &RequestDraft) -> Reply {
    let bytes = usual.encode();
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
    in_pieces_of(party, &[&[REQUEST], &length[..], &bytes].concat()).await;
    match party.next().await {
        got @ (Got::Request(_) | Got::Authenticator(_)) => kept(&words(&got)),
        other => broken(&words(&other)),
    }
}

async fn signs_by_forbidden(party: &mut Party, mut draft: RequestDraft) -> Reply {
    draft.schemes = Some(FORBIDDEN.to_vec());
    let Some(own) = party.ask(&draft).await else {
        return Reply::Lost("no request".to_owned());
    };
    match until_answered(party).await.1 {
        Got::Authenticator(bytes) => match party.examine(&bytes, &own) {
            Some(examined) if examined.is_empty => kept("it declined"),
            _ => broken("it sent a full authenticator"),
        },
        Got::Nothing => broken("it kept the connection open"),
        other => kept(&words(&other)),
    }
}

/// A request without parameters.
async fn minimal(party: &mut Party, mut draft: RequestDraft, habit: Habit) -> Reply {
    draft.parameters = None;
    let Some(own) = party.ask(&draft).await else {
        return Reply::Lost("no request".to_owned());
    };
    match (party.next().await, habit) {
        (Got::Request(_), Habit::AsksMinimal) => broken("it sent a request"),
        (Got::Authenticator(_), Habit::AsksMinimal) => kept("it sent its authenticator at once"),
        (Got::Authenticator(bytes), _) => match party.examine(&bytes, &own) {
            Some(examined) if examined.twists.contains(&Twist::Unoffered) => {
                broken("its answer has an extension that was not offered")
            }
            Some(_) => kept("its answer has no selection"),
            None => Reply::Lost("its authenticator cannot be read".to_owned()),
        },
        (Got::Ended, Habit::AsksMinimal) => kept("it closed the connection"),
        (Got::Ended, _) => Reply::Unable("it serves no client without parameters".to_owned()),
        (other, _) => lost("no authenticator", &other),
    }
}

async fn nobodys_format(party: &mut Party, habit: Habit) -> Reply {
    let draft = party.draft(&[NOBODYS.to_owned()], 2);
    let Some(own) = party.ask(&draft).await else {
        return Reply::Lost("no request".to_owned());
    };
    let (_, got) = until_answered(party).await;
    let Got::Authenticator(bytes) = &got else {
        return match (habit, got) {
            (Habit::OmitsEmpty, other) => broken(&words(&other)),
            (_, got @ (Got::Ended | Got::Verdict(_))) => kept(&words(&got)),
            // Whoever is slow, or speaks another protocol, has not refrained from anything.
            (_, other) => lost("no authenticator", &other),
        };
    };
    match (party.examine(bytes, &own), habit) {
        (Some(examined), Habit::AnswersOtherFormat) if examined.has_cmw => {
            broken("it presented Evidence of another type")
        }
        (Some(_), Habit::AnswersOtherFormat) => kept("it presented none"),
        (Some(examined), _) if examined.twists.contains(&Twist::Empty) => {
            kept("it sent an empty authenticator")
        }
        (Some(examined), _) if examined.is_empty => broken("the MAC is another"),
        _ => Reply::Lost("it attested all the same".to_owned()),
    }
}

/// Key 5 is false: a plain or empty authenticator is due.
async fn unwanting(party: &mut Party, mut draft: RequestDraft) -> Reply {
    if let Some(parameters) = &mut draft.parameters {
        parameters.set(5, false);
        parameters.set(4, false);
    }
    let Some(own) = party.ask(&draft).await else {
        return Reply::Lost("no request".to_owned());
    };
    let (_, got) = until_answered(party).await;
    let Got::Authenticator(bytes) = &got else {
        return broken(&words(&got));
    };
    match party.examine(bytes, &own) {
        Some(examined) if examined.twists.iter().all(|twist| is_harmless(*twist)) => {
            kept("it sent a valid authenticator")
        }
        _ => broken("its authenticator is not valid"),
    }
}

fn is_harmless(twist: Twist) -> bool {
    twist == Twist::Empty || twist.duty() == crate::twist::Duty::Accept
}

async fn reuses_context(kit: &Kit, target: &Target) -> io::Result<Reply> {
    let mut contexts = Vec::new();
    for _ in 0..2 {
        let mut party = kit.meet(target, &Tls::default()).await?;
        let usual = party.draft(&kit.formats, 2);
        party.ask(&usual).await;
        let Got::Request(bytes) = party.next().await else {
            return Ok(Reply::Unable("it asks no client to attest".to_owned()));
        };
        contexts.push(party.receive(&bytes).map(|request| request.context));
    }
    Ok(match contexts.first() == contexts.last() {
        true => broken("two requests have the same context"),
        false => kept("two requests have different contexts"),
    })
}

async fn only_sha256(kit: &Kit, target: &Target) -> io::Result<Reply> {
    let tls = Tls {
        only_sha384: true,
        ..Tls::default()
    };
    let Ok(mut party) = kit.meet(target, &tls).await else {
        return Ok(Reply::Unable("it has no suite of SHA-384".to_owned()));
    };
    let usual = party.draft(&kit.formats, 2);
    let Some(own) = party.ask(&usual).await else {
        return Ok(Reply::Lost("no request".to_owned()));
    };
    let (_, got) = until_answered(&mut party).await;
    let Got::Authenticator(bytes) = &got else {
        return Ok(lost("no authenticator", &got));
    };
    Ok(super::common::is_right(party.examine(bytes, &own)))
}

async fn verdicts(kit: &Kit, target: &Target, habit: Habit) -> Reply {
    let seen = converse(kit, target, Script::default()).await;
    if seen.request.is_none() {
        return Reply::Unable("it asks no client to attest".to_owned());
    }
    super::common::verdicts(&seen, habit)
}

async fn omits_refusal(kit: &Kit, target: &Target) -> Reply {
    let script = Script {
        in_answer: Some(Twist::OtherBinder),
        ..Script::default()
    };
    let seen = converse(kit, target, script).await;
    if seen.request.is_none() {
        return Reply::Unable("it asks no client to attest".to_owned());
    }
    super::common::refusal(&seen)
}
