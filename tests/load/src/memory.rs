//! What an idle connection holds.

use std::error::Error;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;
use tokio::task::JoinSet;

use crate::pair::Pair;
use crate::service::Service;
use crate::usage::Usage;

/// The memory of a number of idle connections, in bytes for each.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct IdleMemory {
    pub(crate) connections: usize,
    /// By the allocators' count.
    pub(crate) client: f64,
    pub(crate) server: f64,
    /// What both processes have grown by, for each.
    pub(crate) resident: f64,
}

impl IdleMemory {
    pub(crate) fn both(&self) -> f64 {
        self.client + self.server
    }
}

/// Opens up to the last of `numbers` connections, and looks at each of them. A byte has gone each way over each
/// connection, and both ends wait for the next.
pub(crate) fn measure(
    service: Service,
    numbers: &[usize],
) -> Result<Vec<IdleMemory>, Box<dyn Error>> {
    raise_file_limit(numbers)?;
    let mut pair = Pair::start(service)?;
    // Once beforehand, for what is allocated once.
    hold(&pair, AT_ONCE)?;
    settle();
    let (client, server) = (Usage::so_far()?, pair.server.usage()?);
    let mut held = Vec::new();
    let mut open = 0;
    for &number in numbers {
        hold(&pair, number.saturating_sub(open))?;
        open = number;
        settle();
        let client = Usage::so_far()?.since(&client);
        let server = pair.server.usage()?.since(&server);
        let each = |all: f64| all / number as f64;
        held.push(IdleMemory {
            connections: number,
            client: each(client.held),
            server: each(server.held),
            resident: each(client.resident + server.resident),
        });
    }
    Ok(held)
}

/// Opens connections that live as long as the runtime of the pair.
fn hold(pair: &Pair, number: usize) -> Result<(), Box<dyn Error>> {
    let opening = async {
        let mut tasks = JoinSet::new();
        for _ in 0..number {
            if tasks.len() >= AT_ONCE {
                tasks.join_next().await.transpose()?.transpose()?;
            }
            let client = pair.client.clone();
            tasks.spawn(async move { client.idle().await });
        }
        while let Some(opened) = tasks.join_next().await {
            opened??;
        }
        Ok::<_, axum::BoxError>(())
    };
    Ok(pair
        .runtime
        .block_on(opening)
        .map_err(|error| error.to_string())?)
}

/// The ends have let go of what they need for the beginning of a connection.
fn settle() {
    std::thread::sleep(Duration::from_millis(300));
}

fn raise_file_limit(numbers: &[usize]) -> Result<(), Box<dyn Error>> {
    let wanted = numbers.iter().max().copied().unwrap_or_default() as u64 + 200;
    let allowed = rlimit::increase_nofile_limit(wanted)?;
    if allowed < wanted {
        return Err(format!(
            "{wanted} files must be open at a time and the limit is {allowed}: raise it, with `ulimit -Hn {wanted}` as root"
        )
        .into());
    }
    Ok(())
}

const AT_ONCE: usize = 16;
