//! Each program that a page runs by `cargo -p` is a package of this workspace.

use std::collections::BTreeSet;

use crate::sources;

#[test]
fn each_package_that_a_page_names_exists() {
    let manifests = sources::named("Cargo.toml");
    let names = manifests.iter().filter_map(|(_, text)| {
        let line = text.lines().find(|line| line.starts_with("name = "))?;
        line.split('"').nth(1)
    });
    let names: BTreeSet<_> = names.collect();
    let pages = sources::named(".md");
    let commands = pages.iter().flat_map(|(path, text)| {
        let commands = text.split("cargo ").skip(1);
        commands.map(move |command| (path, command))
    });
    let named: Vec<_> = commands
        .filter_map(|(path, command)| {
            let line = command.split(['\n', '`']).next()?;
            let (_, package) = line.split_once(" -p ")?;
            let is_part = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
            let end = package.find(|sign| !is_part(sign));
            Some((path, package.get(..end.unwrap_or(package.len()))?))
        })
        .collect();
    assert!(named.len() > 20, "{}", named.len());
    // In the place of a name.
    let is_placeholder = |name: &str| name.chars().all(|sign| sign.is_ascii_uppercase());
    let absent = named
        .iter()
        .filter(|(_, name)| !names.contains(name) && !is_placeholder(name));
    assert_eq!(absent.collect::<Vec<_>>(), Vec::<&(_, _)>::new());
}
