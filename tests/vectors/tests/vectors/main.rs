//! `docs/vectors` against the project's own code: everything that is valid is accepted and, where it can be, made again byte by byte;
//! everything else is refused for the reason that stands beside it.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod authenticators;
mod batch;
mod certificates;
mod cmw;
mod ends;
mod exporter;
mod parameters;
mod reason;
mod requests;
mod verdicts;

use serde::de::DeserializeOwned;
use vectors::keys::Keys;

/// A file of `docs/vectors`.
fn load<T: DeserializeOwned>(name: &str) -> T {
    let text = std::fs::read_to_string(vectors::folder().join(name)).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_files_are_what_the_program_makes() {
    for (name, made) in vectors::files(&mut Keys::load()) {
        let committed = std::fs::read_to_string(vectors::folder().join(name)).unwrap();
        assert!(
            made == committed,
            "docs/vectors/{name}: cargo run -p vectors"
        );
    }
}
