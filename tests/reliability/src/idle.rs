//! Thousands of idle connections, twice.

use std::time::Duration;

use axum::BoxError;
use tokio::task::JoinSet;

use crate::limits::Effort;
use crate::report::Holds;
use crate::report::Report;
use crate::report::bytes;
use crate::scene::Companions;
use crate::scene::KEPT;
use crate::scene::Scene;
use crate::slow;
use crate::stage::Held;
use crate::stage::Hostile;
use crate::stage::Stage;

pub(crate) async fn run(effort: &Effort) -> Result<Report, BoxError> {
    let mut report = Report::of("idle connections");
    let number = effort.idle;
    // None of them ends before the last one is there.
    let mut limits = effort.limits;
    limits.idle = Duration::from_secs(900);
    let mut scene = Scene::new(limits).await?;
    let companions = Companions::of(&scene, Duration::from_millis(500));
    let mut full_heaps = Vec::new();
    for round in 1..=2 {
        let held = hold(&scene, number).await?;
        let full = scene.server.sample()?;
        let of_each = |all: usize, before: usize| all.saturating_sub(before) / number;
        report.figure(format!(
            "round {round}: {number} idle, {} tasks, {} files; each {} of heap, {} resident",
            full.tasks,
            full.files,
            bytes(of_each(full.heap, scene.warm.heap)),
            bytes(of_each(full.resident, scene.warm.resident)),
        ));
        report.must(
            "all of them are there at once",
            Holds::from(full.files >= scene.server.first.files + number),
        );
        report.must(
            format!("an idle connection takes at most {IDLE} B of heap"),
            Holds::from(of_each(full.heap, scene.warm.heap) <= IDLE),
        );
        // One half says goodbye, the other is gone without a word.
        for (index, held) in held.into_iter().enumerate() {
            match index % 2 {
                0 => drop(held),
                _ => held.reset()?,
            }
        }
        // The honest ones that come meanwhile have a few.
        let few = scene.server.first.files + FEW;
        let most = scene.limits.longest();
        let gone = slow::fewer_files(&mut scene, few, most).await?;
        report.must("connections that ended are gone", gone);
        full_heaps.push(full.heap);
    }
    let honest = companions.leave().await?;
    report.figure(format!("meanwhile, honest clients: {honest}"));
    report.must("honest clients are served throughout", honest.all_served());
    let [first, second] = full_heaps[..] else {
        return Err("two rounds".into());
    };
    report.must(
        format!("the second round takes no more than the first: {first} B, then {second} B"),
        Holds::from(second <= first + first / 100 + FEW * IDLE),
    );
    scene.conclude(&mut report, KEPT).await?;
    Ok(report)
}

/// Attested connections that each had one request.
async fn hold(scene: &Scene, number: usize) -> Result<Vec<Held>, BoxError> {
    let hostile = Hostile::new(&scene.keys, scene.address())?;
    let mut tasks = JoinSet::new();
    let mut held = Vec::with_capacity(number);
    for _ in 0..number {
        if tasks.len() >= AT_ONCE {
            held.extend(tasks.join_next().await.transpose()?.transpose()?);
        }
        let hostile = hostile.clone();
        tasks.spawn(async move { hostile.stop_at(Stage::Served).await });
    }
    while let Some(opened) = tasks.join_next().await {
        held.push(opened??);
    }
    Ok(held)
}

const AT_ONCE: usize = 16;

/// Bytes of heap that an idle connection may take, HTTP/1.1, both ends attested.
const IDLE: usize = 48 * 1024;

/// Connections of the honest clients meanwhile, at most.
const FEW: usize = 10;
