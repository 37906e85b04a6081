//! Many handshakes at the same moment, some of them by clients that must be refused.

use std::sync::Arc;

use axum::BoxError;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::client::Http;
use crate::limits::Effort;
use crate::report::Holds;
use crate::report::Report;
use crate::report::Tally;
use crate::report::bytes;
use crate::router::HONEST;
use crate::router::WRONG;
use crate::scene::KEPT;
use crate::scene::Scene;

pub(crate) async fn run(effort: &Effort) -> Result<Report, BoxError> {
    let mut report = Report::of("handshakes at once");
    let mut scene = Scene::new(effort.limits).await?;
    // As many as may be pending, and twice as many.
    for number in [effort.handshakes, effort.handshakes * 2] {
        let wrong = number / 10;
        let (honest, refused) = at_once(&scene, number, wrong).await?;
        let sample = scene.server.sample()?;
        report.figure(format!(
            "{number} at once, and {wrong} of an unknown device: {honest}; of the unknown device {refused}; peak of heap {}",
            bytes(sample.peak)
        ));
        // A busy machine may not make all of them within the deadline. Those are closed, and not refused.
        report.must(
            format!("honest clients are served or come too late: {honest}"),
            Holds::from(honest.refused + honest.wrong == 0 && honest.served > 0),
        );
        report.must(
            format!("a client of an unknown device is never served: {refused}"),
            Holds::from(refused.served + refused.wrong == 0),
        );
    }
    scene.conclude(&mut report, KEPT).await?;
    Ok(report)
}

async fn at_once(scene: &Scene, number: usize, wrong: usize) -> Result<(Tally, Tally), BoxError> {
    let keys = &scene.keys;
    let barrier = Arc::new(Barrier::new(number + wrong));
    let mut tasks = JoinSet::new();
    for index in 0..number + wrong {
        let http = if index % 2 == 0 { Http::One } else { Http::Two };
        let (device, who) = match index < number {
            true => (&keys.client_device, HONEST),
            false => (&keys.unknown_device, WRONG),
        };
        let client = Client::new(keys, device, http)?;
        let (barrier, address) = (barrier.clone(), scene.address());
        tasks.spawn(async move {
            barrier.wait().await;
            (who, client.get(address, "/", who).await)
        });
    }
    let (mut honest, mut refused) = (Tally::default(), Tally::default());
    while let Some(ended) = tasks.join_next().await {
        match ended? {
            (HONEST, outcome) => honest.note(outcome),
            (_, outcome) => refused.note(outcome),
        }
    }
    Ok((honest, refused))
}
