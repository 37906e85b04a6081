//! Test vectors of the protocol, computed from docs/protocol.md with nothing of the project.
//!
//! The program writes `docs/vectors`. Its tests give the files to the project's own code. So two readings of one page meet, and the
//! one who made the other has no say.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    missing_debug_implementations,
    unnameable_types,
    clippy::arithmetic_side_effects,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::type_complexity,
    clippy::unwrap_used,
    reason = "it has no input but its own, a vector that cannot be made fails by panicking, and cases are tables"
)]

pub mod authenticators;
pub mod batch;
pub mod binder;
mod cbor;
mod certificate;
pub mod cmw;
mod der;
pub mod exporter;
mod hex;
pub mod intra_handshake;
pub mod keys;
mod message;
pub mod parameters;
pub mod pre_handshake;
pub mod requests;
pub mod scenario;
pub mod tls;
pub mod verdicts;

use std::path::Path;
use std::path::PathBuf;

use serde::Serialize;

pub use hex::Hex;

/// The files of `docs/vectors`, each with its text. Signatures of randomised schemes are those that were recorded, where they still
/// verify.
pub fn files(keys: &mut keys::Keys) -> Vec<(&'static str, String)> {
    vec![
        ("keys.json", text(&keys::page(keys))),
        ("exporter.json", text(&exporter::page())),
        ("binder.json", text(&binder::page(keys))),
        ("requests.json", text(&requests::page())),
        ("parameters.json", text(&parameters::page())),
        ("authenticators.json", text(&authenticators::page(keys))),
        ("cmw.json", text(&cmw::page())),
        ("batch.json", text(&batch::page(keys))),
        ("verdicts.json", text(&verdicts::page())),
        ("pre-handshake.json", text(&pre_handshake::page(keys))),
        ("intra-handshake.json", text(&intra_handshake::page(keys))),
    ]
}

/// `docs/vectors`.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors")
}

fn text(page: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(page).unwrap();
    text.push('\n');
    text
}
