//! Genuine samples.
#![allow(
    clippy::print_stdout,
    unreachable_pub,
    reason = "a skipped test says so"
)]

use std::path::PathBuf;

/// The folder that they lie in, beside the project.
pub fn vectors() -> Option<PathBuf> {
    let named = std::env::var_os("ATLS_VECTORS").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors");
    let folder = named.unwrap_or(beside);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("ATLS_REQUIRE_VECTORS").is_some();
    assert!(!required, "no vectors at {}", folder.display());
    println!("skipped: no vectors at {}", folder.display());
    None
}
