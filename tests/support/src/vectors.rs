//! Genuine samples, which are no part of the project.

use std::path::PathBuf;

/// Their folder: the one that `ATLS_VECTORS` names, or one beside the project. `None`, with a line that says so, where it is
/// absent.
///
/// # Panics
/// The folder is absent and `ATLS_REQUIRE_VECTORS` is set: CI does not skip silently.
pub fn vectors() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vectors");
    let named = std::env::var_os("ATLS_VECTORS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from(beside));
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("ATLS_REQUIRE_VECTORS").is_some();
    assert!(!required, "no vectors at {}", folder.display());
    println!("skipped: no vectors at {}", folder.display());
    None
}
