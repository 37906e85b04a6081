//! `atls policy`: writes, checks and explains files of reference values.

mod capture;
mod check;
mod explain;
mod new;
mod unseen;

use clap::Args;
use clap::Subcommand;

use crate::failure::Failure;
use crate::measure;
use crate::terminal::Terminal;

pub(crate) use capture::Capture;

#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PolicyOptions {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// Check a policy file
    Check(check::CheckOptions),
    /// Say claim by claim what a policy finds in Evidence
    Explain(Box<explain::ExplainOptions>),
    /// Recompute what images measure to, from the files that were built
    Measure(Box<measure::MeasureOptions>),
    /// Write a policy of what was seen, each line with its reason
    New(Box<new::NewOptions>),
}

pub(crate) async fn run(options: PolicyOptions, terminal: &mut Terminal) -> Result<(), Failure> {
    match options.command {
        PolicyCommand::Check(options) => check::run(&options, terminal),
        PolicyCommand::Explain(options) => explain::run(&options, terminal).await,
        PolicyCommand::Measure(options) => measure::run(&options, terminal),
        PolicyCommand::New(options) => new::run(&options, terminal).await,
    }
}

const EXAMPLES: &str = "\
Examples:
  atls policy new --from https://service.example/ -o policy.toml
  atls policy measure nitro enclave.eif >> policy.toml
  atls policy check policy.toml
  atls policy explain policy.toml evidence.bin";
