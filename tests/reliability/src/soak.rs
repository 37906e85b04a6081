//! All kinds of clients at once, for long, while certificate and policy change.

use std::time::Duration;
use std::time::Instant;

use axum::BoxError;
use tokio::runtime::Handle;

use crate::crowd::Crowd;
use crate::limits::Effort;
use crate::report::Holds;
use crate::report::Report;
use crate::report::bytes;
use crate::sample::Sample;
use crate::scene::KEPT;
use crate::scene::Scene;
use crate::service::Clients;
use crate::service::Order;

pub(crate) async fn run(effort: &Effort) -> Result<Report, BoxError> {
    let mut report = Report::of("soak");
    let mut scene = Scene::new(effort.limits).await?;
    let own_before = Sample::now(&Handle::current())?;
    let begun = scene.server.sample()?;
    let crowd = Crowd::gather(&scene).await?;
    let (samples, reloads) = observe(&mut scene, effort.soak).await?;
    let ended = scene.server.sample()?;
    let own = Sample::now(&Handle::current())?;
    let rounds = crowd.leave().await?;

    let seconds = effort.soak.as_secs_f64();
    let cpu = |now: &Sample, before: &Sample| (now.cpu - before.cpu).as_secs_f64() / seconds;
    report.figure(format!(
        "{seconds:.0} s, {reloads} times another certificate and policy; {} requests reached a handler; processors: {:.2} by the server, {:.2} by its clients",
        ended.requests - begun.requests,
        cpu(&ended, &begun),
        cpu(&own, &own_before),
    ));
    for (name, tally) in rounds.tallies() {
        report.figure(format!("{name}: {tally}"));
    }
    report.figure(format!(
        "hostile peers: {} reset, {} ended their direction, {} of {} silent ones cut",
        rounds.reset, rounds.finished, rounds.cut, rounds.silent
    ));
    let honest = &rounds.honest;
    report.must(
        "no honest client is refused, and none fails twice",
        Holds::from(honest.served > 0 && honest.refused + honest.failed + honest.wrong == 0),
    );
    for (name, tally) in rounds.impostors() {
        report.must(
            format!("never served: {name}: {tally}"),
            Holds::from(tally.served + tally.wrong == 0 && tally.refused + tally.failed > 0),
        );
    }
    report.must(
        "a former client gets no wrong answer",
        Holds::from(rounds.former.wrong == 0),
    );
    report.must(
        "silent peers are cut",
        Holds::from(rounds.cut == rounds.silent),
    );
    report.must(
        "no error of this end",
        Holds::from(ended.errors == begun.errors),
    );
    slope(&samples, effort.soak, &mut report);
    scene.conclude(&mut report, KEPT).await?;

    let own_after = own_rest(&own_before, scene.limits.longest()).await?;
    report.figure(format!(
        "of the clients' process {} tasks and {} files are left, before there were {} and {}",
        own_after.tasks, own_after.files, own_before.tasks, own_before.files
    ));
    report.must(
        "clients leak no task and no file",
        own_after.is_at_rest(&own_before).into(),
    );
    Ok(report)
}

/// What this process holds once that is no more than before, or after `within`.
async fn own_rest(before: &Sample, within: Duration) -> Result<Sample, BoxError> {
    let begun = Instant::now();
    loop {
        let sample = Sample::now(&Handle::current())?;
        if sample.is_at_rest(before) || begun.elapsed() > within {
            return Ok(sample);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Looks at the server again and again, and gives it another certificate and policy now and then.
async fn observe(scene: &mut Scene, time: Duration) -> Result<(Vec<Sample>, usize), BoxError> {
    let begun = Instant::now();
    let mut samples = Vec::new();
    let (mut reloads, mut said) = (0, 0);
    let reload = (time / RELOADS).max(SHORTEST_RELOAD);
    while begun.elapsed() < time {
        tokio::time::sleep(time / SAMPLES).await;
        let sample = scene.server.sample()?;
        samples.push(sample);
        let twentieths = 20 * samples.len() / SAMPLES as usize;
        if twentieths > said {
            said = twentieths;
            println!(
                "  soak: {:.0} s, {} tasks, {} files, heap {}, resident {}, {} requests, {} wrongly",
                begun.elapsed().as_secs_f64(),
                sample.tasks,
                sample.files,
                bytes(sample.heap),
                bytes(sample.resident),
                sample.requests,
                sample.wrongly
            );
        }
        if begun.elapsed() > reload * (reloads + 1) {
            reloads += 1;
            let clients = match reloads % 2 {
                1 => Clients::Current,
                _ => Clients::CurrentAndFormer,
            };
            scene.server.order(Order::Replace(clients, reload / 2))?;
        }
    }
    Ok((samples, reloads as usize))
}

/// The memory of the last third against that of the second: the first one fills pools.
fn slope(samples: &[Sample], time: Duration, report: &mut Report) {
    let third = samples.len() / 3;
    let [second, last] = [third, 2 * third].map(|from| {
        let of = samples.iter().skip(from).take(third);
        let (mut heaps, mut residents): (Vec<_>, Vec<_>) =
            of.map(|sample| (sample.heap, sample.resident)).unzip();
        heaps.sort_unstable();
        residents.sort_unstable();
        let middle = |sorted: &[usize]| sorted.get(third / 2).copied().unwrap_or_default();
        (middle(&heaps), middle(&residents))
    });
    report.figure(format!(
        "medians of the second and the last third: heap {} and {}, resident {} and {}",
        bytes(second.0),
        bytes(last.0),
        bytes(second.1),
        bytes(last.1)
    ));
    if time < LONG {
        report.figure("too short to judge a slope");
        return;
    }
    report.must(
        "the heap does not grow",
        Holds::from(last.0 <= second.0 + second.0 / 10 + MIB),
    );
    report.must(
        "resident memory does not grow",
        Holds::from(last.1 <= second.1 + second.1 / 10 + 8 * MIB),
    );
}

const SAMPLES: u32 = 180;
const RELOADS: u32 = 30;
/// An honest answer fits in between.
const SHORTEST_RELOAD: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(300);
const MIB: usize = 1024 * 1024;
