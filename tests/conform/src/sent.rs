//! What the peer sent in a good exchange, looked through for one twist.

use crate::exchange::Seen;
use crate::reply::Reply;
use crate::report::Outcome;
use crate::twist::Place;
use crate::twist::Twist;

/// Whether the peer's own messages are free of it.
pub(crate) fn check(seen: &Seen, twist: Twist) -> (Outcome, String) {
    let twists = match twist.place() {
        Place::Request | Place::Parameters => in_request(seen, twist),
        _ => in_answer(seen, twist),
    };
    match twists {
        Ok(twists) if twists.contains(&twist) => (Outcome::Fail, "it sent it".to_owned()),
        Ok(_) => (Outcome::Pass, "it did not".to_owned()),
        Err(why) => why,
    }
}

type Why = (Outcome, String);

fn in_request(seen: &Seen, twist: Twist) -> Result<&[Twist], Why> {
    let Some(request) = &seen.request else {
        return Err(match (seen.has_unreadable_request, twist) {
            (true, Twist::RequestCut) => (Outcome::Fail, "its request cannot be read".to_owned()),
            (true, _) => (Outcome::NotReached, "its request cannot be read".to_owned()),
            (false, _) => unasked(&seen.of_answer),
        });
    };
    if twist.place() == Place::Parameters && request.parameters.is_none() {
        return Err(without("its request has no parameters"));
    }
    Ok(&request.twists)
}

fn in_answer(seen: &Seen, twist: Twist) -> Result<&[Twist], Why> {
    let Some(answer) = &seen.answer else {
        return Err(match (seen.has_unreadable_answer, twist) {
            (true, Twist::AuthenticatorCut) => {
                (Outcome::Fail, "its authenticator cannot be read".to_owned())
            }
            (true, _) => (
                Outcome::NotReached,
                "its authenticator cannot be read".to_owned(),
            ),
            (false, _) => unasked(&seen.of_request),
        });
    };
    match twist {
        _ if answer.is_empty => Err(without("it sent an empty authenticator")),
        _ if twist.place() == Place::Selection && !answer.has_selection => {
            Err(without("its answer has no selection"))
        }
        _ if twist.place() == Place::Cmw && !answer.has_cmw => Err(without("it did not attest")),
        _ if twist.place() == Place::Binding && !answer.is_readable => {
            Err(without("the kit cannot read the value in this Evidence"))
        }
        Twist::OtherKey if !answer.has_handshake_key => {
            Err(without("it presented no certificate in TLS"))
        }
        Twist::UnsaidProof if answer.has_cmw => Ok(&answer.twists),
        _ if twist.place() == Place::Batch && !answer.is_of_batch => {
            Err(without("its Evidence is not of a batch"))
        }
        _ => Ok(&answer.twists),
    }
}

fn without(why: &str) -> Why {
    (Outcome::NotSupported, why.to_owned())
}

fn unasked(reply: &Reply) -> Why {
    match reply {
        Reply::Unable(why) => without(why),
        other => (Outcome::NotReached, format!("it sent none: {other:?}")),
    }
}
