//! `atls`: the command line of attested TLS. See `atls help`, and docs/cli.md.
#![forbid(unsafe_code)]

mod appraise;
mod arguments;
mod clock;
mod failure;
mod get;
mod http_client;
mod inspect;
mod measure;
mod narrate;
mod policy;
mod proxy;
mod report;
mod seen;
mod source;
mod tcb;
mod terminal;
mod tls;
mod trust;
mod unused;
mod way;

use std::process::ExitCode;

use crate::arguments::Command;
use crate::failure::Failure;
use crate::failure::Outcome;
use crate::terminal::Color;
use crate::terminal::Terminal;

fn main() -> ExitCode {
    let arguments = match arguments::parse() {
        Ok(arguments) => arguments,
        Err(message) => return without_arguments(&message).into(),
    };
    let mut terminal = Terminal::new(arguments.color);
    let ended = run(arguments.command, &mut terminal);
    // The buffer goes out before the words about a failure.
    let flushed = terminal.flush();
    let ended = ended.and(flushed);
    match ended {
        Ok(()) => Outcome::Accepted.into(),
        Err(failure) => {
            terminal.explain(&failure);
            failure.outcome().into()
        }
    }
}

/// Says what is wrong with the arguments, or prints the help that they ask for.
fn without_arguments(message: &clap::Error) -> Outcome {
    if !message.use_stderr() {
        // Nobody is left to hear of a failure of this.
        let _ = message.print();
        return Outcome::Accepted;
    }
    if arguments::ask_for_json() {
        let failure = Failure::usage(arguments::problem(message));
        let mut terminal = Terminal::new(Color::Never);
        let _ = terminal.out_json(&serde_json::json!({ "error": failure.to_json() }));
        let _ = terminal.flush();
    } else {
        let _ = message.print();
    }
    Outcome::Usage
}

fn run(command: Command, terminal: &mut Terminal) -> Result<(), Failure> {
    match command {
        Command::Completions(options) => arguments::completions(&options, terminal),
        Command::Get(options) => in_runtime(get::run(options, terminal)),
        Command::Inspect(options) => in_runtime(inspect::run(&options, terminal)),
        Command::Policy(options) => in_runtime(policy::run(options, terminal)),
        Command::Tcb(options) => in_runtime(tcb::run(&options, terminal)),
        Command::Proxy(options) => in_runtime(proxy::run(&options, arguments::again, terminal)),
    }
}

/// Runs what waits for sockets and devices.
fn in_runtime(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::fault("no runtime").because(&error))?;
    let ended = runtime.block_on(command);
    // A device or a name server may still hold a thread; nothing waits for it.
    runtime.shutdown_background();
    ended
}
