//! Each case can fail: a peer that breaks just its rule fails it, and no other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use atls_core::session::Side;
use conform::breach::Breach;
use conform::broken::BrokenClient;
use conform::broken::BrokenServer;
use conform::broken::demands;
use conform::broken::implied;
use conform::habit::Habit;
use conform::keys::Keys;
use conform::kit::Kit;
use conform::kit::Target;
use conform::report::Outcome;
use conform::report::Report;
use conform::run::run;
use conform::twist::Place;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Enough where the machine has nothing else to do.
const SHORT: Duration = Duration::from_secs(2);
/// Enough for a peer that runs alone.
const LONG: Duration = Duration::from_secs(10);

fn kit(breach: Option<Breach>, limit: Duration) -> Kit {
    let mut kit = Kit::new(Keys::generate().unwrap());
    kit.limit = limit;
    kit.demands = demands(breach);
    kit
}

async fn target(kit: &Kit, side: Side, breach: Option<Breach>) -> Target {
    match side {
        Side::Server => {
            let server = BrokenServer::new(kit, breach).unwrap();
            Target::Server(server.serve().await.unwrap())
        }
        Side::Client => Target::Client(Arc::new(BrokenClient::new(kit, breach).unwrap())),
    }
}

/// The cases that a broken peer could fail by accident: those about the same part of a message, all that look at what it sends, and
/// all habits where it has one.
fn near(breach: Breach, side: Side) -> Vec<Breach> {
    let place = |case: Breach| match case {
        Breach::Misjudges(twist) => Some(twist.place()),
        Breach::Sends(_) | Breach::Does(_) | Breach::Weak(_) => None::<Place>,
    };
    if breach == Breach::Does(Habit::SendsEarlyData) {
        // In other cases it would begin with HTTP, where it still has a session.
        return [vec![breach], implied(breach, side)].concat();
    }
    let is_near = |case: &Breach| match (breach, case) {
        (_, Breach::Sends(_)) => true,
        (Breach::Does(_), Breach::Does(_)) => true,
        (breach, case) => place(breach).is_some() && place(breach) == place(*case),
    };
    Breach::cases(side).into_iter().filter(is_near).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_breaks_one_rule_fails_one_case() {
    each_fails_its_own(Side::Server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_breaks_one_rule_fails_one_case() {
    each_fails_its_own(Side::Client).await;
}

async fn each_fails_its_own(side: Side) {
    let turns = Arc::new(Semaphore::new(12));
    let mut running = JoinSet::new();
    for breach in Breach::cases(side) {
        let turns = turns.clone();
        running.spawn(async move {
            let _turn = turns.acquire().await.unwrap();
            let wrong = fails_otherwise(side, breach, SHORT).await;
            wrong.map(|_| breach)
        });
    }
    // On a busy machine a peer may have been late. Alone, and with time, it fails its case and no other.
    let late: Vec<Breach> = running.join_all().await.into_iter().flatten().collect();
    let mut wrong = Vec::new();
    for breach in late {
        wrong.extend(fails_otherwise(side, breach, LONG).await);
    }
    assert!(
        wrong.is_empty(),
        "{} peers:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Tells how, if the peer does not fail just its own case.
async fn fails_otherwise(side: Side, breach: Breach, limit: Duration) -> Option<String> {
    let kit = kit(Some(breach), limit);
    let target = target(&kit, side, Some(breach)).await;
    let report = run(&kit, &target, &near(breach, side)).await;
    let expected = [vec![breach], implied(breach, side)].concat();
    let failed = report.with(Outcome::Fail);
    (BTreeSet::from_iter(failed) != BTreeSet::from_iter(expected))
        .then(|| format!("== {breach} ==\n{}", faults(&report, breach)))
}

fn faults(report: &Report, breach: Breach) -> String {
    let findings = report.findings.iter();
    let shown =
        findings.filter(|finding| finding.outcome == Outcome::Fail || finding.case == breach);
    let lines = shown.map(|found| format!("{} {}: {}", found.outcome, found.case, found.seen));
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_and_a_client_that_break_no_rule_pass() {
    for side in [Side::Server, Side::Client] {
        let kit = kit(None, LONG);
        let target = target(&kit, side, None).await;
        let report = run(&kit, &target, &Breach::cases(side)).await;
        assert_eq!(report.with(Outcome::Fail), [], "{report}");
        assert_eq!(report.with(Outcome::NotReached), [], "{report}");
    }
}
