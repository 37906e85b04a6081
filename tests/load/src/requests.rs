//! Requests over connections that stay open.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use axum::BoxError;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::client::Requests;
use crate::figures::Figures;
use crate::pair::Pair;
use crate::usage::Usage;

/// The connections of one pair, opened once and used for many rounds.
pub(crate) struct Open {
    pair: Pair,
    requests: Vec<Requests>,
}

impl Open {
    /// HTTP/1.1 has one request at a time on each connection, HTTP/2 has [`STREAMS`].
    pub(crate) fn new(pair: Pair) -> Result<Self, Box<dyn Error>> {
        let opened = pair.runtime.block_on(open(&pair.client));
        Ok(Self {
            requests: opened.map_err(|error| error.to_string())?,
            pair,
        })
    }

    pub(crate) fn round(&mut self, time: Duration) -> Result<Figures, Box<dyn Error>> {
        let (client, server) = (Usage::so_far()?, self.pair.server.usage()?);
        let requests = std::mem::take(&mut self.requests);
        let sent = self.pair.runtime.block_on(send(requests, time));
        let (requests, times) = sent.map_err(|error| error.to_string())?;
        self.requests = requests;
        let client = Usage::so_far()?.since(&client);
        let server = self.pair.server.usage()?.since(&server);
        let all = times.len().max(1) as f64;
        Ok(Figures {
            client_cpu: client.cpu / all,
            server_cpu: server.cpu / all,
            ..Figures::of(times, time)
        })
    }
}

async fn open(client: &Arc<Client>) -> Result<Vec<Requests>, BoxError> {
    let mut all = Vec::new();
    for _ in 0..CONNECTIONS {
        let requests = client.requests().await?;
        let more: Vec<_> = (1..STREAMS).filter_map(|_| requests.another()).collect();
        all.push(requests);
        all.extend(more);
    }
    Ok(all)
}

async fn send(
    requests: Vec<Requests>,
    time: Duration,
) -> Result<(Vec<Requests>, Vec<Duration>), BoxError> {
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for mut requests in requests {
        tasks.spawn(async move {
            let mut times = Vec::new();
            while started.elapsed() < time {
                let begun = Instant::now();
                requests.get().await?;
                times.push(begun.elapsed());
            }
            Ok::<_, BoxError>((requests, times))
        });
    }
    let (mut requests, mut times) = (Vec::new(), Vec::new());
    while let Some(ended) = tasks.join_next().await {
        let (sender, took) = ended??;
        requests.push(sender);
        times.extend(took);
    }
    Ok((requests, times))
}

const CONNECTIONS: usize = 16;

/// Requests at a time on each connection of HTTP/2.
const STREAMS: usize = 4;
