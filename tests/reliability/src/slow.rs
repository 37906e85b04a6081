//! Peers that stop at every stage: silent ones, ones that vanish, ones that send nothing more.

use std::time::Duration;
use std::time::Instant;

use axum::BoxError;
use tokio::task::JoinSet;

use crate::limits::Effort;
use crate::limits::Limits;
use crate::report::Holds;
use crate::report::Report;
use crate::router::HUGE;
use crate::scene::Companions;
use crate::scene::KEPT;
use crate::scene::Scene;
use crate::stage::Held;
use crate::stage::Hostile;
use crate::stage::Stage;

/// Peers that stay and say nothing more.
pub(crate) async fn silent(effort: &Effort) -> Result<Report, BoxError> {
    let mut report = Report::of("slow peers at each stage");
    let limits = effort.limits;
    let mut scene = Scene::new(limits).await?;
    let companions = Companions::of(&scene, Duration::from_millis(200));
    let hostile = Hostile::new(&scene.keys, scene.address())?;
    let mut tasks = JoinSet::new();
    for stage in Stage::ALL.into_iter().filter(|it| *it != Stage::Answer) {
        for _ in 0..effort.at_each_stage {
            let hostile = hostile.clone();
            tasks.spawn(async move { (stage, cut(&hostile, stage, limits).await) });
        }
    }
    // Who takes nothing sees no end: the server tells.
    let mut untaken = Vec::new();
    for _ in 0..effort.at_each_stage {
        untaken.push(hostile.stop_at(Stage::Answer).await?);
    }
    let mut cuts = answers_cut(&mut scene, &untaken).await?;
    while let Some(ended) = tasks.join_next().await {
        let (stage, cut) = ended?;
        cuts.push((stage, cut?));
    }
    let honest = companions.leave().await?;
    for stage in Stage::ALL {
        let of_stage = cuts.iter().filter(|(of, _)| *of == stage);
        let times: Vec<Duration> = of_stage.filter_map(|(_, cut)| *cut).collect();
        let seconds = |time: Option<&Duration>| time.map_or(0.0, Duration::as_secs_f64);
        report.figure(format!(
            "{}: {} of {} cut, after {:.1} to {:.1} s, limit {:.0} s",
            stage.name(),
            times.len(),
            effort.at_each_stage,
            seconds(times.iter().min()),
            seconds(times.iter().max()),
            stage.deadline(&limits).as_secs_f64()
        ));
        report.must(
            format!("they are cut: {}", stage.name()),
            Holds::from(times.len() == effort.at_each_stage),
        );
    }
    report.figure(format!("meanwhile, honest clients: {honest}"));
    report.must("honest clients are served meanwhile", honest.all_served());
    scene.conclude(&mut report, KEPT).await?;
    Ok(report)
}

/// When the server ended a silent connection; `None` if it did not by twice the deadline and what ends take.
async fn cut(
    hostile: &Hostile,
    stage: Stage,
    limits: Limits,
) -> Result<Option<Duration>, BoxError> {
    let held = hostile.stop_at(stage).await?;
    let begun = Instant::now();
    let most = stage.deadline(&limits) * 2 + Duration::from_secs(15);
    let ended = tokio::time::timeout(most, held.until_closed()).await;
    Ok(ended.is_ok().then(|| begun.elapsed()))
}

/// When the server gave up on the last of these answers. They are looked at afterwards: none of them is whole.
async fn answers_cut(
    scene: &mut Scene,
    untaken: &[Held],
) -> Result<Vec<(Stage, Option<Duration>)>, BoxError> {
    let begun = Instant::now();
    let most = Stage::Answer.deadline(&scene.limits) * 2 + Duration::from_secs(15);
    while scene.server.sample()?.huge > 0 && begun.elapsed() < most {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let took = begun.elapsed();
    let mut cuts = Vec::new();
    for held in untaken {
        let whole = held.until_closed().await >= HUGE;
        cuts.push((Stage::Answer, (!whole).then_some(took)));
    }
    Ok(cuts)
}

/// Peers that vanish, and peers that end their direction and keep the other one open.
pub(crate) async fn half_open(effort: &Effort) -> Result<Report, BoxError> {
    let mut report = Report::of("half-open peers");
    let mut scene = Scene::new(effort.limits).await?;
    let companions = Companions::of(&scene, Duration::from_millis(200));
    let hostile = Hostile::new(&scene.keys, scene.address())?;
    for _ in 0..effort.at_each_stage {
        for stage in Stage::ALL {
            hostile.stop_at(stage).await?.reset()?;
        }
    }
    let begun = Instant::now();
    // Those that are honest come and go meanwhile.
    let few = scene.server.first.files + 10;
    let most = scene.limits.longest();
    let left = fewer_files(&mut scene, few, most).await?;
    report.figure(format!(
        "{} reset at each of {} stages: gone after {:.1} s",
        effort.at_each_stage,
        Stage::ALL.len(),
        begun.elapsed().as_secs_f64()
    ));
    report.must("peers that reset are let go", left);

    let mut held = Vec::new();
    for _ in 0..effort.at_each_stage {
        for stage in Stage::ALL {
            let half = hostile.stop_at(stage).await?;
            half.finish()?;
            held.push(half);
        }
    }
    let begun = Instant::now();
    let left = fewer_files(&mut scene, few, most).await?;
    report.figure(format!(
        "{} ended their direction at each stage, and stayed: let go after {:.1} s, while they held their sockets",
        effort.at_each_stage,
        begun.elapsed().as_secs_f64()
    ));
    report.must(
        "peers that send nothing more are let go while they stay",
        left,
    );
    let honest = companions.leave().await?;
    report.figure(format!("meanwhile, honest clients: {honest}"));
    report.must("honest clients are served meanwhile", honest.all_served());
    scene.conclude(&mut report, KEPT).await?;
    drop(held);
    Ok(report)
}

/// Whether the server came to have at most so many files, within this time.
pub(crate) async fn fewer_files(
    scene: &mut Scene,
    files: usize,
    within: Duration,
) -> Result<Holds, BoxError> {
    let begun = Instant::now();
    while begun.elapsed() < within {
        if scene.server.sample()?.files <= files {
            return Ok(Holds::Yes);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(Holds::No)
}
