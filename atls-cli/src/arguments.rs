//! The command line.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use clap::CommandFactory;
use clap::Parser;
use clap::Subcommand;
use clap::error::ContextKind;
use clap::error::ContextValue;
use clap_complete::Shell;
use serde_json::json;

use crate::failure::Failure;
use crate::get::GetOptions;
use crate::inspect::InspectOptions;
use crate::policy::PolicyOptions;
use crate::proxy;
use crate::proxy::ProxyOptions;
use crate::tcb::TcbOptions;
use crate::terminal::Color;
use crate::terminal::Terminal;

/// Attested TLS from the command line
///
/// A server that attests proves, bound to this very connection, that it runs known code in a
/// genuine confidential environment. atls asks for that proof, looks into it, and says what it found.
#[derive(Debug, Parser)]
#[command(name = "atls", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    /// When to use colour
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub(crate) color: Color,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print a script that completes arguments in a shell
    #[command(after_help = COMPLETIONS)]
    Completions(CompletionsOptions),
    /// Ask a server by HTTP, once it has attested itself
    Get(Box<GetOptions>),
    /// Say what a file is: Evidence, a result, reference values, a certificate
    Inspect(Box<InspectOptions>),
    /// Write, check and explain policies: files of reference values
    Policy(PolicyOptions),
    /// Put attested TLS in front of a service, or behind a plain port
    Proxy(Box<ProxyOptions>),
    /// Say how far a platform is behind, and what will be refused next
    Tcb(Box<TcbOptions>),
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsOptions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,

    /// Write one JSON document, with the script as its text
    #[arg(long)]
    json: bool,
}

/// Parses the command line. The file that `atls proxy --config` names is read first, so that the command line wins.
///
/// # Errors
/// The message of clap, which may be help.
pub(crate) fn parse() -> Result<Arguments, clap::Error> {
    let given: Vec<_> = std::env::args_os().collect();
    let file = config_file(&given).map(str::to_owned);
    let with_file = with_config(given).map_err(|failure| {
        let mut command = Arguments::command();
        command.error(clap::error::ErrorKind::Io, failure.reason())
    })?;
    Arguments::try_parse_from(with_file).map_err(|error| match file {
        Some(file) if error.use_stderr() => with_file_named(&error, &file),
        _ => error,
    })
}

/// Tells whose keys the arguments may be: somebody who wrote a file looks for none on the command line.
fn with_file_named(error: &clap::Error, file: &str) -> clap::Error {
    let problem = problem(error);
    Arguments::command().error(
        error.kind(),
        format!("{problem}; arguments come from {file} too, where a key is an argument without its dashes"),
    )
}

/// What is wrong, on one line: the first paragraph of clap, which may list arguments below its first line, and what may have been meant.
pub(crate) fn problem(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim);
    let paragraph: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let problem = paragraph.join(" ");
    let problem = problem.trim_start_matches("error: ");
    match suggestion(error) {
        Some(similar) => format!("{problem}; did you mean '{similar}'?"),
        None => problem.to_owned(),
    }
}

/// A word that is like the wrong one, as clap finds it. It is below the first paragraph of its message.
fn suggestion(error: &clap::Error) -> Option<&str> {
    let kinds = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ];
    let found = kinds.into_iter().find_map(|kind| error.get(kind))?;
    match found {
        ContextValue::String(similar) => Some(similar),
        ContextValue::Strings(similar) => similar.first().map(String::as_str),
        _ => None,
    }
}

/// Whether arguments that are wrong ask for JSON.
pub(crate) fn ask_for_json() -> bool {
    std::env::args_os().any(|word| word == "--json")
}

/// The arguments of a proxy that runs, with those that its file has now.
///
/// # Errors
/// A usage failure where they are wrong.
pub(crate) fn again() -> Result<(Vec<OsString>, ProxyOptions), Failure> {
    let words = with_config(std::env::args_os().collect())?;
    let parsed = Arguments::try_parse_from(&words);
    let parsed = parsed.map_err(|error| {
        let problem = problem(&error);
        Failure::usage(format!("the arguments are wrong: {problem}"))
    })?;
    match parsed.command {
        Command::Proxy(options) => Ok((words, *options)),
        _ => Err(Failure::usage("the arguments are of another command")),
    }
}

/// The arguments, with those of the file after the word `proxy`.
fn with_config(given: Vec<OsString>) -> Result<Vec<OsString>, Failure> {
    let Some(position) = given.iter().position(|word| word == "proxy") else {
        return Ok(given);
    };
    let Some(file) = config_file(&given) else {
        return Ok(given);
    };
    let of_file = proxy::config_arguments(Path::new(file))?;
    let (before, after) = given.split_at(position.saturating_add(1));
    let of_file = of_file.into_iter().map(OsString::from);
    Ok(before
        .iter()
        .cloned()
        .chain(of_file)
        .chain(after.iter().cloned())
        .collect())
}

/// The file that the arguments of a proxy name.
fn config_file(given: &[OsString]) -> Option<&str> {
    given.iter().find(|word| *word == "proxy")?;
    let mut words = given.iter().filter_map(|word| word.to_str());
    let mut file = None;
    while let Some(word) = words.next() {
        match word.strip_prefix("--config") {
            Some("") => file = words.next(),
            Some(value) => file = value.strip_prefix('='),
            None => {}
        }
    }
    file
}

pub(crate) fn completions(
    options: &CompletionsOptions,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        options.shell,
        &mut Arguments::command(),
        "atls",
        &mut script,
    );
    if !options.json {
        return terminal.out(&script);
    }
    let script = String::from_utf8_lossy(&script);
    terminal.out_json(&json!({ "shell": options.shell.to_string(), "script": script }))
}

const EXIT_CODES: &str = "\
Exit codes:
  0  accepted: all that was demanded was met
  1  usage: an argument, or a file that it names, is wrong
  2  not attested: no genuine attestation, or one that is not about this connection
  3  refused by policy: genuine, and not what the policy accepts
  4  fault of a verifier or of this machine: nothing is known about the peer
  5  not reached: no TLS connection, or no answer over it

docs/cli.md shows each of them, and what to do.";

const COMPLETIONS: &str = "\
Examples:
  atls completions bash > ~/.local/share/bash-completion/completions/atls
  atls completions zsh > ~/.zfunc/_atls
  atls completions fish > ~/.config/fish/completions/atls.fish";
