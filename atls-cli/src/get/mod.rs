//! `atls get`: one request to one attested server.

mod answer;
mod connect;
mod help;
mod options;
mod request;
mod target;

use std::time::Duration;

use serde_json::json;

use crate::failure::Failure;
use crate::narrate::Narration;
use crate::report;
use crate::terminal::Safe;
use crate::terminal::Terminal;

pub(crate) use connect::Client;
pub(crate) use connect::failure;
pub(crate) use options::GetOptions;
pub(crate) use options::Http;
pub(crate) use target::Target;

/// Asks, and writes what was attested to the standard error, the answer to the standard output.
pub(crate) async fn run(options: Box<GetOptions>, terminal: &mut Terminal) -> Result<(), Failure> {
    let ended = ask(&options, terminal).await;
    match ended {
        Err(failure) if options.json => {
            terminal.out_json(&json!({ "accepted": false, "error": failure.to_json() }))?;
            Err(failure.already_reported())
        }
        other => other,
    }
}

async fn ask(options: &GetOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    let narration = match options.verbose {
        true => Narration::Aloud(terminal.error_style()),
        false => Narration::Silent,
    };
    let target = Target::parse(&options.url)?;
    let request = request::of(options, &target)?;
    let client = Client::new(&options.trust, &options.attester, options.http, narration)?;
    let limit = Duration::from_secs(options.timeout);
    let exchange = exchange(options, &client, &target, request, terminal);
    match tokio::time::timeout(limit, exchange).await {
        Ok(ended) => ended,
        Err(_) => Err(Failure::not_reached(format!(
            "there was no whole answer within {} s",
            options.timeout
        ))
        .with_help("--timeout SECONDS waits longer")),
    }
}

async fn exchange(
    options: &GetOptions,
    client: &Client,
    target: &Target,
    request: request::Request,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let connection = client.connect(target).await?;
    let peer = connection.peer()?;
    if !options.json && !options.quiet {
        let style = terminal.error_style();
        let heading = format!("{} {}", style.good("attested"), Safe(&target.authority()));
        terminal.error_line(&heading);
        for line in report::table(&peer, style).lines(style) {
            terminal.error_line(&line);
        }
    }
    let response = request::send(connection, request, client.narration()).await?;
    answer::write(options, response, &report::to_json(&peer), terminal).await
}
