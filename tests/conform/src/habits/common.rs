//! What the scripts for both sides share.

use crate::exchange::Seen;
use crate::habit::Habit;
use crate::judge::Examined;
use crate::party::Got;
use crate::party::Party;
use crate::reply::Reply;
use crate::reply::words;
use crate::twist::Twist;

/// A peer that must end the connection, before anything else.
pub(super) async fn must_end(party: &mut Party) -> Reply {
    match party.next().await {
        Got::Ended => kept("it closed the connection"),
        // A refusing verdict may stand in place of any frame that is due.
        Got::Verdict(verdict) if verdict.first().is_some_and(|code| *code != 0) => {
            match party.ends().await {
                true => kept("it sent a refusing verdict and closed the connection"),
                false => broken("it sent a refusing verdict and kept the connection open"),
            }
        }
        Got::Nothing => broken("it kept the connection open"),
        other => broken(&words(&other)),
    }
}

/// The first byte alone, then the rest by and by.
pub(super) async fn in_pieces_of(party: &mut Party, bytes: &[u8]) {
    let (first, rest) = bytes.split_at_checked(1).unwrap_or_default();
    party.write_bytes(first).await;
    for piece in rest.chunks(7) {
        party.write_bytes(piece).await;
    }
}

/// What a client does that accepted the kit.
pub(super) async fn went_on(party: &mut Party) -> Reply {
    match party.next().await {
        Got::Verdict(verdict) if verdict.first() == Some(&0) => {
            kept("it sent an accepting verdict")
        }
        Got::Other(_) => kept("it wrote HTTP"),
        other => broken(&words(&other)),
    }
}

pub(super) fn kept(how: &str) -> Reply {
    Reply::Kept(how.to_owned())
}

pub(super) fn broken(how: &str) -> Reply {
    Reply::Broken(how.to_owned())
}

pub(super) fn lost(what: &str, got: &Got) -> Reply {
    Reply::Lost(format!("{what}: {}", words(got)))
}

/// Verdicts that must be refused, or are refusals.
pub(super) const SHORT: &[u8] = &[0, 0, 0, 14];
pub(super) const LONG: &[u8] = &[0, 0, 0, 14, 16, 0];
pub(super) const TIMED: &[u8] = &[2, 0, 0, 0, 1];
pub(super) const REFUSED: &[u8] = &[2, 0, 0, 0, 0];
pub(super) const OTHERWISE: &[u8] = &[200, 0, 0, 0, 0];

/// More than a frame may have.
pub(super) const TOO_LONG: u32 = 131_073;

/// Schemes that TLS 1.3 does not allow: PKCS #1 v1.5 with SHA-256, ECDSA and PKCS #1 v1.5 with SHA-1.
pub(super) const FORBIDDEN: [u16; 3] = [0x0401, 0x0203, 0x0201];

/// An authenticator under a suite of SHA-384.
pub(super) fn is_right(examined: Option<Examined>) -> Reply {
    let wrong = [
        Twist::BadSignature,
        Twist::FlippedMac,
        Twist::CutMac,
        Twist::ForgedEmpty,
        Twist::OtherBinder,
    ];
    match examined {
        Some(examined) if examined.twists.iter().any(|twist| wrong.contains(twist)) => {
            broken("its authenticator is of another hash")
        }
        Some(_) => kept("its authenticator is right"),
        None => broken("its authenticator cannot be read"),
    }
}

/// The verdicts in a good exchange.
pub(super) fn verdicts(seen: &Seen, habit: Habit) -> Reply {
    if !hears_verdicts(seen) {
        return Reply::Unable(
            "it offers no verdicts, or wants no Evidence to have one on".to_owned(),
        );
    }
    match (seen.verdicts.first(), habit) {
        (Some(_), Habit::OmitsVerdict) => kept("it sent a verdict"),
        (Some(verdict), _) if verdict.len() == 5 => kept("its verdict has five bytes"),
        (Some(_), _) => broken("its verdict has another length"),
        (None, Habit::OmitsVerdict) => match &seen.of_answer {
            Reply::Accepted(how) => broken(how),
            other => Reply::Lost(format!("no good exchange: {other:?}")),
        },
        (None, _) => Reply::Lost("it sent no verdict".to_owned()),
    }
}

/// No verdict is due from a peer that wants no Evidence: none follows a plain authenticator.
fn hears_verdicts(seen: &Seen) -> bool {
    let request = seen.request.as_ref();
    let offered = request.and_then(|request| request.parameters.as_ref());
    offered.is_some_and(|offered| offered.verdicts && offered.wants)
}

/// What stands at the end of an exchange with Evidence over another value.
pub(super) fn refusal(seen: &Seen) -> Reply {
    if !hears_verdicts(seen) {
        return Reply::Unable(
            "it offers no verdicts, or wants no Evidence to have one on".to_owned(),
        );
    }
    match (
        seen.verdicts.first().and_then(|verdict| verdict.first()),
        &seen.of_answer,
    ) {
        (Some(2..=4), _) => kept("it sent a refusing verdict"),
        (_, Reply::Unable(why)) => Reply::Unable(why.clone()),
        (_, Reply::Ended(_)) => broken("it closed without a verdict"),
        (_, other) => Reply::Lost(format!("it did not refuse: {other:?}")),
    }
}
