//! The command line of a program, and how it ends.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// Runs a program: `parse` makes of its arguments what `run` is to do, or gives `None` for those that it does not know.
///
/// `--help` prints the usage and succeeds. Unknown arguments print it as an error, with exit code 2. A failure of `run` is
/// printed with all its causes, with exit code 1.
pub async fn program<T>(
    usage: &str,
    parse: impl FnOnce(&[&str]) -> Option<T>,
    run: impl AsyncFnOnce(T) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let outcome = match Command::of(&arguments, parse) {
        Command::Help => {
            println!("{usage}");
            Ok(())
        }
        Command::Run(what) => run(what).await.map_err(Ended::Failed),
        Command::Unknown => Err(Ended::NotUnderstood(format!(
            "not understood: {}\n\n{usage}",
            arguments.join(" ")
        ))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(ended) => {
            eprintln!("{ended}");
            ended.code()
        }
    }
}

/// For programs that take no arguments.
pub fn no_arguments(arguments: &[&str]) -> Option<()> {
    arguments.is_empty().then_some(())
}

/// For programs that take one word at most, which does not begin with a dash.
pub fn one_word(arguments: &[&str]) -> Option<Option<String>> {
    match arguments {
        [] => Some(None),
        [word] if !word.starts_with('-') => Some(Some((*word).to_owned())),
        _ => None,
    }
}

enum Command<T> {
    Help,
    Run(T),
    Unknown,
}

impl<T> Command<T> {
    fn of(arguments: &[&str], parse: impl FnOnce(&[&str]) -> Option<T>) -> Self {
        let asks_for_help = |word: &&str| matches!(*word, "--help" | "-h");
        if arguments.iter().any(asks_for_help) {
            return Self::Help;
        }
        match parse(arguments) {
            Some(what) => Self::Run(what),
            None => Self::Unknown,
        }
    }
}

enum Ended {
    Failed(Box<dyn Error>),
    NotUnderstood(String),
}

impl Ended {
    fn code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::FAILURE,
            Self::NotUnderstood(_) => ExitCode::from(2),
        }
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "failed: {}", atls_core::report(&**error)),
            Self::NotUnderstood(text) => f.write_str(text),
        }
    }
}
