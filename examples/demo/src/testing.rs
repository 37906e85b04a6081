//! Claims about the examples, for their tests.

use std::process::Command;
use std::process::Output;

/// Whether the program teaches with `--help` and exit code 0, and refuses `unknown` words with exit code 2.
///
/// # Errors
/// The first claim that does not hold.
pub fn teaches_and_refuses(program: &str, unknown: &[&[&str]]) -> Result<(), String> {
    for help in ["--help", "-h"] {
        let output = run(program, &[help])?;
        let text = String::from_utf8_lossy(&output.stdout);
        let teaches = text.starts_with("usage: cargo run -p ") && output.stderr.is_empty();
        if output.status.code() != Some(0) || !teaches {
            return Err(format!("{help}: {output:?}"));
        }
    }
    for words in unknown {
        let output = run(program, words)?;
        let text = String::from_utf8_lossy(&output.stderr);
        let teaches = text.contains("usage: cargo run -p ") && output.stdout.is_empty();
        if output.status.code() != Some(2) || !teaches {
            return Err(format!("{words:?}: {output:?}"));
        }
    }
    Ok(())
}

fn run(program: &str, arguments: &[&str]) -> Result<Output, String> {
    let mut command = Command::new(program);
    let output = command.args(arguments).output();
    output.map_err(|error| format!("{program}: {error}"))
}
