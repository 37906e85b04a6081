//! Recorded genuine samples, which are not part of the project.

use std::path::PathBuf;

/// Their folder, or `None` with a line that says so.
///
/// # Panics
/// Where `ATLS_REQUIRE_VECTORS` is set and the folder is absent: CI does not skip silently.
#[allow(
    clippy::print_stdout,
    reason = "the one way to say that a test was skipped"
)]
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = match std::env::var_os("ATLS_VECTORS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/vectors"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("ATLS_REQUIRE_VECTORS").is_none(),
        "no vectors at {}",
        folder.display()
    );
    println!("skipped: no vectors at {}", folder.display());
    None
}
