//! Runs the attacks, prints the table, and writes `docs/attacks.md`: where every cell is as expected, and otherwise fails.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the terminal"
)]

use std::io;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<ExitCode> {
    let rows = attacks::run().await;
    println!("{}", attacks::table(&rows));
    let unexpected = attacks::unexpected(&rows);
    if !unexpected.is_empty() {
        eprintln!("{}", unexpected.join("\n"));
        return Ok(ExitCode::FAILURE);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/attacks.md");
    std::fs::write(path, attacks::page(&rows))?;
    Ok(ExitCode::SUCCESS)
}
