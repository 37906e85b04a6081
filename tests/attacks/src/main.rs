//! Runs the attacks, prints the table, and writes `docs/attacks.md`.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::error::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let rows = attacks::run().await;
    println!("{}", attacks::table(&rows));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/attacks.md");
    std::fs::write(path, attacks::page(&rows))?;
    Ok(())
}
