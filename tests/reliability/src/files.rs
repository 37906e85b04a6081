//! A server that has no file descriptor left.

use std::time::Duration;
use std::time::Instant;

use axum::BoxError;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::client::Http;
use crate::limits::Effort;
use crate::report::Holds;
use crate::report::Report;
use crate::report::Tally;
use crate::router::HONEST;
use crate::scene::KEPT;
use crate::scene::Scene;
use crate::service::Order;
use crate::stage::Hostile;
use crate::stage::Stage;

pub(crate) async fn run(effort: &Effort) -> Result<Report, BoxError> {
    let mut report = Report::of("no file descriptors left");
    let mut scene = Scene::new(effort.limits).await?;
    scene.server.order(Order::MoreFiles(FILES))?;

    let begun_with = scene.server.sample()?.errors;
    // Attested clients that stay take all of them,
    let hostile = Hostile::new(&scene.keys, scene.address())?;
    let mut held = Vec::new();
    for _ in 0..FILES {
        held.push(hostile.stop_at(Stage::Served).await?);
    }
    // and others wait.
    let mut waiting = Vec::new();
    for _ in 0..FILES {
        waiting.push(TcpStream::connect(scene.address()).await?);
    }
    let before = scene.server.sample()?;
    let begun = Instant::now();
    tokio::time::sleep(STARVED).await;
    let after = scene.server.sample()?;
    let seconds = begun.elapsed().as_secs();
    let errors = after.errors - begun_with;
    let cpu = (after.cpu - before.cpu).as_secs_f64();
    report.figure(format!(
        "{FILES} files, {FILES} clients that have them, {FILES} more: {errors} errors in the log; {seconds} s took {cpu:.2} s of processor time"
    ));
    report.must(
        "the server knows that it cannot accept",
        Holds::from(errors > 0),
    );
    report.must(
        format!("it does not say so whenever it tries: {errors} times in {seconds} s"),
        Holds::from(errors < seconds),
    );

    // They leave, and nobody does anything.
    drop(held);
    drop(waiting);
    let served = honest(&scene, 10).await?;
    report.figure(format!("when they had left: {served}"));
    report.must("honest clients are served again", served.all_served());

    // Silent ones do not leave, and are cut.
    let mut silent = Vec::new();
    for _ in 0..2 * FILES {
        silent.push(TcpStream::connect(scene.address()).await?);
    }
    let served = honest(&scene, 10).await?;
    report.figure(format!(
        "with {} silent sockets, whose deadline frees them: {served}",
        2 * FILES
    ));
    report.must(
        "honest clients are served as silent ones are cut, or come too late",
        Holds::from(served.refused + served.wrong == 0 && served.served > 0),
    );
    drop(silent);
    scene.conclude(&mut report, KEPT).await?;
    Ok(report)
}

/// Honest clients at the same time, each of which tries again for a while.
async fn honest(scene: &Scene, number: usize) -> Result<Tally, BoxError> {
    let mut tasks = JoinSet::new();
    for index in 0..number {
        let http = if index % 2 == 0 { Http::One } else { Http::Two };
        let client = Client::new(&scene.keys, &scene.keys.client_device, http)?;
        let address = scene.address();
        tasks.spawn(async move {
            let mut outcome = client.get(address, "/", HONEST).await;
            for _ in 0..TRIES {
                if !matches!(outcome, crate::client::Outcome::Failed(_)) {
                    break;
                }
                outcome = client.get(address, "/", HONEST).await;
            }
            outcome
        });
    }
    let mut tally = Tally::default();
    while let Some(ended) = tasks.join_next().await {
        tally.note(ended?);
    }
    Ok(tally)
}

/// Files that the server may open beside those that it has.
const FILES: u64 = 50;
const STARVED: Duration = Duration::from_secs(3);
const TRIES: usize = 5;
