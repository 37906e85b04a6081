//! The root of a crate is short: a reader sees it whole.

use crate::sources;

/// Names that a root shows at most: modules, types, traits and functions, declared there or exported again.
const MOST: usize = 40;

#[test]
fn no_root_shows_more_than_40_names() {
    let roots: Vec<_> = sources::all()
        .into_iter()
        .filter(|(path, _)| path.ends_with("src/lib.rs"))
        .map(|(path, text)| (path, names(&text)))
        .collect();
    assert!(roots.len() > 20, "all roots are found");
    let mut long: Vec<String> = roots
        .iter()
        .filter(|(_, names)| *names > MOST)
        .map(|(path, names)| format!("{}: {names}", path.display()))
        .collect();
    long.sort();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn names_are_counted_one_by_one() {
    let root = "mod a;\npub mod b;\npub use a::C;\n#[cfg(test)]\npub use a::D;\npub(crate) use a::E;\npub fn f() {}\n";
    assert_eq!(names(root), 4);
    assert_eq!(names("pub use a::{B, C as D};\n"), 2);
}

#[test]
#[should_panic(expected = "glob")]
fn a_glob_hides_how_many_names_there_are() {
    names("pub use a::*;\n");
}

/// The items of a root are not indented.
fn names(root: &str) -> usize {
    let items = root.lines().filter_map(|line| line.strip_prefix("pub "));
    items.map(names_of).sum()
}

/// One, but for `pub use` with a list.
fn names_of(item: &str) -> usize {
    assert!(!item.contains("::*"), "a glob: {item}");
    let list = item.split_once('{');
    match list {
        Some((path, list)) if path.starts_with("use ") => {
            assert!(list.ends_with("};"), "a list over several lines: {item}");
            list.split(',').count()
        }
        _ => 1,
    }
}
