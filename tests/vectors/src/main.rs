//! Writes `docs/vectors`.
#![forbid(unsafe_code)]
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "it is run by hand, and tells what it wrote"
)]

use vectors::keys::Keys;

fn main() {
    let mut keys = Keys::load();
    let folder = vectors::folder();
    for (name, text) in vectors::files(&mut keys) {
        std::fs::write(folder.join(name), text).unwrap();
        println!("docs/vectors/{name}");
    }
    keys.save();
}
