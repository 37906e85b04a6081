//! All cases against one peer, a few at a time, each with a deadline.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::breach::Breach;
use crate::exchange::Script;
use crate::exchange::Seen;
use crate::exchange::Wish;
use crate::exchange::converse;
use crate::habit::Habit;
use crate::habits;
use crate::kit::Kit;
use crate::kit::Target;
use crate::reply::Reply;
use crate::report::Finding;
use crate::report::Outcome;
use crate::report::Report;
use crate::sent;
use crate::twist::Duty;
use crate::twist::Place;
use crate::twist::Twist;

/// Runs these cases against the peer.
///
/// A case is about one deviation from a good exchange. So a good exchange comes first, and what a peer refuses there tells
/// nothing about deviations.
pub async fn run(kit: &Kit, target: &Target, cases: &[Breach]) -> Report {
    let basis = Arc::new(Basis::of(kit, target).await);
    let turns = Arc::new(Semaphore::new(match target {
        Target::Visitors(_) => 1,
        _ => AT_ONCE,
    }));
    let mut findings: Vec<Option<Finding>> = vec![None; cases.len()];
    let (alone, together): (Vec<_>, Vec<_>) = cases
        .iter()
        .copied()
        .enumerate()
        .partition(|(_, case)| needs_quiet(*case));
    for (index, case) in alone {
        let finding = one(kit, target, &basis, case).await;
        findings.get_mut(index).map(|place| place.replace(finding));
    }
    let mut running = JoinSet::new();
    for (index, case) in together {
        let (kit, target) = (kit.clone(), target.clone());
        let (basis, turns) = (basis.clone(), turns.clone());
        running.spawn(async move {
            // Nothing closes the semaphore.
            let _turn = turns.acquire().await;
            (index, one(&kit, &target, &basis, case).await)
        });
    }
    while let Some(done) = running.join_next().await {
        if let Ok((index, finding)) = done
            && let Some(place) = findings.get_mut(index)
        {
            *place = Some(finding);
        }
    }
    let lost = |case: &Breach| Finding::new(*case, Outcome::NotReached, "the kit itself failed");
    let findings = findings.into_iter().zip(cases);
    Report {
        side: target.side(),
        findings: findings
            .map(|(finding, case)| finding.unwrap_or_else(|| lost(case)))
            .collect(),
    }
}

/// A session is offered once: another connection must not use it up.
fn needs_quiet(case: Breach) -> bool {
    matches!(
        case,
        Breach::Does(Habit::OffersResumption | Habit::SendsEarlyData)
    )
}

/// Good exchanges, by which cases are reached.
struct Basis {
    /// In which the kit only answers, where it is a server.
    presented: Seen,
    /// In which both ends attest, if they can.
    mutual: Seen,
}

impl Basis {
    async fn of(kit: &Kit, target: &Target) -> Self {
        let ask = Script {
            wish: Wish::Ask,
            ..Script::default()
        };
        let mutual = converse(kit, target, ask).await;
        let presented = match target.side() {
            // A server decides itself whether it asks.
            atls_core::session::Side::Server => mutual.clone(),
            atls_core::session::Side::Client => converse(kit, target, Script::default()).await,
        };
        Self { presented, mutual }
    }
}

async fn one(kit: &Kit, target: &Target, basis: &Basis, case: Breach) -> Finding {
    let deadline = match target {
        Target::Visitors(_) => kit.limit.saturating_mul(200),
        _ => kit.limit.saturating_mul(8),
    };
    let running = async {
        match case {
            Breach::Does(habit) => does(kit, target, basis, habit).await,
            Breach::Misjudges(twist) => misjudges(kit, target, basis, twist).await,
            Breach::Sends(twist) => sent::check(&basis.mutual, twist),
            Breach::Weak(_) => (
                Outcome::NotReached,
                "it is a case of another mode".to_owned(),
            ),
        }
    };
    match timeout(deadline, running).await {
        Ok((outcome, seen)) => Finding::new(case, outcome, &seen),
        Err(_) => Finding::new(case, Outcome::Fail, "the case took too long"),
    }
}

async fn does(kit: &Kit, target: &Target, basis: &Basis, habit: Habit) -> (Outcome, String) {
    let reached = match target {
        _ if habit == Habit::OpensWithHttp => None,
        Target::Server(_) => unreached(&basis.mutual.of_request),
        Target::Client(_) | Target::Visitors(_) => unreached(&basis.presented.of_answer),
    };
    if let Some(unreached) = reached {
        return unreached;
    }
    match habits::play(kit, target, habit).await {
        Reply::Kept(seen) => (Outcome::Pass, seen),
        Reply::Broken(seen) => (Outcome::Fail, seen),
        Reply::Unable(why) => (Outcome::NotSupported, why),
        Reply::Lost(why) | Reply::Accepted(why) | Reply::Ended(why) => (Outcome::NotReached, why),
        Reply::Open => (Outcome::Fail, OPEN.to_owned()),
    }
}

async fn misjudges(kit: &Kit, target: &Target, basis: &Basis, twist: Twist) -> (Outcome, String) {
    let is_request = matches!(twist.place(), Place::Request | Place::Parameters);
    let base = match is_request {
        true => &basis.mutual.of_request,
        false => &basis.presented.of_answer,
    };
    if let Some(unreached) = unreached(base) {
        return unreached;
    }
    let request = basis.presented.request.as_ref();
    let demands = match target {
        Target::Server(_) => kit.demands,
        _ => request.is_some_and(crate::wire::request::Request::wants),
    };
    match (twist, demands) {
        (Twist::Empty | Twist::Plain, false) => {
            return (
                Outcome::NotSupported,
                "it demands no attestation".to_owned(),
            );
        }
        (Twist::ForgedEmpty, true) => {
            return (Outcome::NotSupported, "it demands attestation".to_owned());
        }
        _ => {}
    }
    let script = match is_request {
        true => Script {
            wish: Wish::Ask,
            in_request: Some(twist),
            in_answer: None,
        },
        false => Script {
            in_answer: Some(twist),
            ..Script::default()
        },
    };
    let seen = converse(kit, target, script).await;
    let reply = match is_request {
        true => seen.of_request,
        false => seen.of_answer,
    };
    match (twist.duty(), reply) {
        (Duty::Refuse, Reply::Ended(seen)) | (Duty::Accept, Reply::Accepted(seen)) => {
            (Outcome::Pass, seen)
        }
        (_, Reply::Ended(seen) | Reply::Accepted(seen)) => (Outcome::Fail, seen),
        (_, Reply::Open) => (Outcome::Fail, OPEN.to_owned()),
        (_, Reply::Unable(why)) => (Outcome::NotSupported, why),
        (_, Reply::Lost(why) | Reply::Kept(why) | Reply::Broken(why)) => (Outcome::NotReached, why),
    }
}

/// Why a case cannot be reached whose good exchange ended like this.
fn unreached(base: &Reply) -> Option<(Outcome, String)> {
    match base {
        Reply::Accepted(_) => None,
        Reply::Unable(why) => Some((Outcome::NotSupported, why.clone())),
        Reply::Ended(how) | Reply::Lost(how) | Reply::Kept(how) | Reply::Broken(how) => {
            Some((Outcome::NotReached, format!("in a good exchange, {how}")))
        }
        Reply::Open => Some((Outcome::NotReached, format!("in a good exchange, {OPEN}"))),
    }
}

const OPEN: &str = "it neither went on nor closed the connection within the limit";
const AT_ONCE: usize = 8;
