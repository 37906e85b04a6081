//! The files of the workspace.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Each file of Rust below the root of the workspace, with its text.
pub(crate) fn all() -> Vec<(PathBuf, String)> {
    named(".rs")
}

/// Each file whose name ends so, with its text. Folders of builds and hidden folders are left out.
pub(crate) fn named(end: &str) -> Vec<(PathBuf, String)> {
    let root = root();
    let mut folders = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder that can be read") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                folders.push(path);
            } else if name.ends_with(end) {
                let text = fs::read_to_string(&path).expect("a text");
                let place = path.strip_prefix(&root).expect("inside of the workspace");
                found.push((place.to_owned(), text));
            }
        }
    }
    found
}

pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("the root of the workspace")
        .to_owned()
}
