//! Writes to the standard output and the standard error.

mod escape;
mod output;
mod style;
mod table;

use std::io;
use std::io::IsTerminal;
use std::io::Write;

use clap::ValueEnum;

use crate::failure::Failure;

pub(crate) use escape::Safe;
pub(crate) use output::Output;
pub(crate) use style::Style;
pub(crate) use table::Table;

/// When to use colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// Always, also into files and pipes
    Always,
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Never
    Never,
}

/// Both standard streams of this process.
pub(crate) struct Terminal {
    out: Output,
    error: Output,
    out_style: Style,
    error_style: Style,
    out_is_terminal: bool,
}

impl Terminal {
    pub(crate) fn new(color: Color) -> Self {
        let (out, error) = (io::stdout(), io::stderr());
        let (out_is_terminal, error_is_terminal) = (out.is_terminal(), error.is_terminal());
        Self {
            out_style: Style::of(color, out_is_terminal),
            error_style: Style::of(color, error_is_terminal),
            out_is_terminal,
            out: Output::new(io::BufWriter::new(out)),
            error: Output::new(error),
        }
    }

    /// Writes bytes to the standard output as they are.
    pub(crate) fn out(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.out.write_all(bytes).map_err(|error| no_output(&error))
    }

    /// Writes a line to the standard output.
    pub(crate) fn out_line(&mut self, line: &str) -> Result<(), Failure> {
        self.out(line.as_bytes())?;
        self.out(b"\n")
    }

    /// Writes what a peer or a file said. On a terminal, characters that control it are shown and have no effect.
    pub(crate) fn out_foreign(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if !self.out_is_terminal {
            return self.out(bytes);
        }
        let text = String::from_utf8_lossy(bytes);
        self.out(escape::keep_lines(&text).as_bytes())
    }

    /// Writes a JSON document and a line's end.
    pub(crate) fn out_json(&mut self, value: &serde_json::Value) -> Result<(), Failure> {
        // serde_json escapes control characters below U+0020 alone. The rest of them must not reach a terminal either, at once or by
        // a pager.
        self.out_line(&escape::json(&format!("{value:#}")))
    }

    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush().map_err(|error| no_output(&error))
    }

    /// Writes a line to the standard error. Nobody is left to hear of a failure.
    pub(crate) fn error_line(&mut self, line: &str) {
        let _ = self.out.flush();
        let _ = self.error.write_all(line.as_bytes());
        let _ = self.error.write_all(b"\n");
    }

    /// Says on the standard error why a command failed, unless the command has.
    pub(crate) fn explain(&mut self, failure: &Failure) {
        if failure.is_reported() {
            return;
        }
        let style = self.error_style;
        let label = style.bad(failure.outcome().word());
        self.error_line(&format!("atls: {label}: {}", Safe(&failure.reason())));
        if let Some(help) = failure.help() {
            self.error_line(&format!("  {} {}", style.dim("help:"), Safe(help)));
        }
    }

    pub(crate) fn out_style(&self) -> Style {
        self.out_style
    }

    pub(crate) fn error_style(&self) -> Style {
        self.error_style
    }
}

fn no_output(error: &io::Error) -> Failure {
    Failure::fault("cannot write to the standard output").because(error)
}
