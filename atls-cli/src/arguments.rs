//! The command line.

use clap::Args;
use clap::CommandFactory;
use clap::Parser;
use clap::Subcommand;
use clap_complete::Shell;

use crate::failure::Failure;
use crate::get::GetOptions;
use crate::inspect::InspectOptions;
use crate::policy::PolicyOptions;
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
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsOptions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
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
    terminal.out(&script)
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
