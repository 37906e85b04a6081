//! Scripts of a server, against a client.

use std::io;
use std::time::Duration;

use super::common::FORBIDDEN;
use super::common::LONG;
use super::common::OTHERWISE;
use super::common::REFUSED;
use super::common::SHORT;
use super::common::TIMED;
use super::common::TOO_LONG;
use super::common::broken;
use super::common::in_pieces_of;
use super::common::is_right;
use super::common::kept;
use super::common::lost;
use super::common::must_end;
use super::common::went_on;
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
use crate::wire::VERDICT;
use crate::wire::cmw::NOBODYS;
use crate::wire::request::Request;

pub(super) async fn play(kit: &Kit, target: &Target, habit: Habit) -> io::Result<Reply> {
    Ok(match habit {
        Habit::ReusesContext => return reuses_context(kit, target).await,
        Habit::OmitsVerdict | Habit::SendsMalformedVerdict => {
            let seen = converse(kit, target, Script::default()).await;
            super::common::verdicts(&seen, habit)
        }
        Habit::OmitsRefusal => {
            let script = Script {
                in_answer: Some(Twist::OtherBinder),
                ..Script::default()
            };
            super::common::refusal(&converse(kit, target, script).await)
        }
        _ => {
            let tls = Tls {
                only_sha384: habit == Habit::KnowsOnlySha256,
                ..Tls::default()
            };
            let mut party = kit.meet(target, &tls).await?;
            let got = party.next().await;
            let request = match &got {
                Got::Request(bytes) => party.receive(bytes),
                _ => None,
            };
            match (habit, request) {
                (Habit::OpensWithHttp, Some(_)) => kept("it opened with a request"),
                (Habit::OpensWithHttp, None) => broken(&words(&got)),
                (_, Some(request)) => on(kit, &mut party, &request, habit).await,
                (_, None) => lost("it did not open with a request", &got),
            }
        }
    })
}

/// The scripts of one connection, from behind the client's request on.
async fn on(kit: &Kit, party: &mut Party, request: &Request, habit: Habit) -> Reply {
    match habit {
        Habit::WaitsForLongFrame => {
            let _ = party.link.write_frame(AUTHENTICATOR, TOO_LONG, &[]).await;
            must_end(party).await
        }
        Habit::TakesLongFrame => match party.long_answer(request) {
            Ok(bytes) => {
                party.write(AUTHENTICATOR, &bytes).await;
                must_end(party).await
            }
            Err(why) => Reply::Unable(why),
        },
        Habit::TakesUnknownFrame => {
            party.write(9, b"unknown").await;
            present(party, request).await;
            must_end(party).await
        }
        Habit::NeedsWholeFrames => in_pieces(party, request).await,
        Habit::KnowsOnlySha256 => only_sha256(kit, party, request).await,
        Habit::WritesHttpEarly => writes_early(party, request).await,
        Habit::TakesAcceptingVerdict => {
            party.write(VERDICT, &ACCEPTED).await;
            must_end(party).await
        }
        Habit::StaysOpen => {
            party.write(AUTHENTICATOR, &[99]).await;
            match party.next().await {
                Got::Nothing => broken("it kept the connection open"),
                _ if party.ends().await => kept("it closed the connection"),
                _ => broken("it kept the connection open"),
            }
        }
        Habit::AnswersUnable if ability(request) > 0 => {
            Reply::Unable("it offers to attest".to_owned())
        }
        Habit::AnswersUnable => {
            ask(kit, party, 1).await;
            present(party, request).await;
            must_end(party).await
        }
        _ if ability(request) == 0 => Reply::Unable("it offers not to attest".to_owned()),
        _ => attesting(kit, party, request, habit).await,
    }
}

/// The scripts for a client that offers to attest.
async fn attesting(kit: &Kit, party: &mut Party, request: &Request, habit: Habit) -> Reply {
    match habit {
        Habit::SignsByForbidden => signs_by_forbidden(kit, party, request).await,
        Habit::AnswersOtherFormat => {
            let draft = party.draft(&[NOBODYS.to_owned()], 1);
            let own = party.ask(&draft).await;
            present(party, request).await;
            match until_answer(party).await {
                Got::Authenticator(bytes) => {
                    match own.and_then(|own| party.examine(&bytes, &own)) {
                        Some(examined) if !examined.has_cmw => kept("it presented none"),
                        _ => broken("it presented Evidence of another type"),
                    }
                }
                other => refrained(other),
            }
        }
        Habit::AnswersOutOfOrder if ability(request) == 2 => {
            Reply::Unable("it offers either order".to_owned())
        }
        Habit::AnswersOutOfOrder => {
            ask(kit, party, 2).await;
            must_end(party).await
        }
        Habit::AttestsToUnpassed => {
            ask(kit, party, 1).await;
            let flipped = party.answer(request, Some(Twist::FlippedMac));
            party
                .write(AUTHENTICATOR, &flipped.unwrap_or_default())
                .await;
            must_end(party).await
        }
        Habit::TakesSecondRequest => {
            ask(kit, party, 1).await;
            ask(kit, party, 1).await;
            present(party, request).await;
            must_end(party).await
        }
        Habit::TakesLateRequest => {
            present(party, request).await;
            ask(kit, party, 1).await;
            match until_answer(party).await {
                Got::Authenticator(_) => broken("it attested"),
                other => kept(&words(&other)),
            }
        }
        Habit::WritesHttpBeforeVerdict => {
            match until_due(kit, party, request).await {
                Ok(()) => {}
                Err(reply) => return reply,
            }
            // No verdict comes.
            match for_a_moment(party).await {
                Got::Other(_) => broken("it wrote HTTP"),
                other => kept(&words(&other)),
            }
        }
        _ => {
            let verdict = match habit {
                Habit::TakesShortVerdict => SHORT,
                Habit::TakesLongVerdict => LONG,
                Habit::TakesTimedRefusal => TIMED,
                Habit::IgnoresRefusal => REFUSED,
                Habit::IgnoresOtherRefusal => OTHERWISE,
                _ => return Reply::Unable("no client does this".to_owned()),
            };
            match until_due(kit, party, request).await {
                Ok(()) => {}
                Err(reply) => return reply,
            }
            party.write(VERDICT, verdict).await;
            must_end(party).await
        }
    }
}

fn ability(request: &Request) -> u64 {
    request.parameters.as_ref().map_or(0, |offer| offer.last)
}

/// The kit's authenticator, as it should be.
async fn present(party: &mut Party, request: &Request) {
    let answer = party.answer(request, None).unwrap_or_default();
    party.write(AUTHENTICATOR, &answer).await;
}

async fn ask(kit: &Kit, party: &mut Party, order: u64) -> Option<Request> {
    let draft = party.draft(&kit.formats, order);
    party.ask(&draft).await
}

/// The next thing that is not the client's verdict.
async fn until_answer(party: &mut Party) -> Got {
    match party.next().await {
        Got::Verdict(verdict) if verdict.first() == Some(&0) => party.next().await,
        other => other,
    }
}

/// Goes on to where the verdict on the client's authenticator is due.
async fn until_due(kit: &Kit, party: &mut Party, request: &Request) -> Result<(), Reply> {
    let own = ask(kit, party, 1).await;
    present(party, request).await;
    match until_answer(party).await {
        Got::Authenticator(bytes) => {
            let examined = own.and_then(|own| party.examine(&bytes, &own));
            match examined.is_some_and(|examined| examined.verdicts) {
                true => Ok(()),
                false => Err(Reply::Unable("it expects no verdict".to_owned())),
            }
        }
        other => Err(lost("no authenticator", &other)),
    }
}

async fn in_pieces(party: &mut Party, request: &Request) -> Reply {
    let answer = party.answer(request, None).unwrap_or_default();
    let length = u32::try_from(answer.len())
        .unwrap_or(u32::MAX)
        .to_be_bytes();
    in_pieces_of(party, &[&[AUTHENTICATOR], &length[..], &answer].concat()).await;
    went_on(party).await
}

async fn only_sha256(kit: &Kit, party: &mut Party, request: &Request) -> Reply {
    if ability(request) == 0 {
        present(party, request).await;
        return went_on(party).await;
    }
    let own = ask(kit, party, 1).await;
    present(party, request).await;
    match until_answer(party).await {
        Got::Authenticator(bytes) => is_right(own.and_then(|own| party.examine(&bytes, &own))),
        other => broken(&words(&other)),
    }
}

/// Nothing is sent for a while, then an authenticator comes.
async fn writes_early(party: &mut Party, request: &Request) -> Reply {
    match for_a_moment(party).await {
        Got::Nothing => {
            present(party, request).await;
            kept("it wrote nothing before the authenticator")
        }
        Got::Other(_) => broken("it wrote HTTP"),
        other => broken(&words(&other)),
    }
}

async fn for_a_moment(party: &mut Party) -> Got {
    let limit = std::mem::replace(&mut party.limit, EARLY);
    let got = party.next().await;
    party.limit = limit;
    got
}

/// How long a client gets to show that it is hasty.
const EARLY: Duration = Duration::from_secs(1);

async fn signs_by_forbidden(kit: &Kit, party: &mut Party, request: &Request) -> Reply {
    let mut draft = party.draft(&kit.formats, 1);
    draft.schemes = Some(FORBIDDEN.to_vec());
    let own = party.ask(&draft).await;
    present(party, request).await;
    match until_answer(party).await {
        Got::Authenticator(bytes) => match own.and_then(|own| party.examine(&bytes, &own)) {
            Some(examined) if examined.is_empty => kept("it declined"),
            _ => broken("it sent a full authenticator"),
        },
        other => refrained(other),
    }
}

/// No authenticator came. Whoever is slow has not refrained from anything.
fn refrained(got: Got) -> Reply {
    match got {
        Got::Nothing => lost("no authenticator", &got),
        other => kept(&words(&other)),
    }
}

async fn reuses_context(kit: &Kit, target: &Target) -> io::Result<Reply> {
    let mut contexts = Vec::new();
    for _ in 0..2 {
        let mut party = kit.meet(target, &Tls::default()).await?;
        let got = party.next().await;
        let Got::Request(bytes) = &got else {
            return Ok(lost("it did not open with a request", &got));
        };
        contexts.push(party.receive(bytes).map(|request| request.context));
    }
    Ok(match contexts.first() == contexts.last() {
        true => broken("two requests have the same context"),
        false => kept("two requests have different contexts"),
    })
}
