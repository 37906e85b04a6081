//! Names as findings show them.

use atls_core::finding::Finding;

/// A name as findings have it: escaped, and cut where it is long.
pub(crate) fn as_shown(name: &str) -> String {
    let finding = Finding::passed("").with_allowed(name, "");
    let shown = finding.allowed().first();
    shown.map_or_else(String::new, |allowed| allowed.name().to_owned())
}
