//! The README of a package: what a stranger sees of it at crates.io.

use std::path::Path;

/// How each ends. Someone who comes from a search finds out here what the package belongs to.
pub(crate) struct Closing<'a> {
    pub(crate) name: &'a str,
    pub(crate) is_library: bool,
    pub(crate) rust_version: &'a str,
    pub(crate) license: &'a str,
    /// From the package's folder to the workspace's: `../../`.
    pub(crate) up: &'a str,
}

impl Closing<'_> {
    pub(crate) fn text(&self) -> String {
        let Self {
            name,
            rust_version,
            license,
            up,
            ..
        } = self;
        let documentation = match self.is_library {
            true => format!(" [Documentation](https://docs.rs/{name}) with an example."),
            false => String::new(),
        };
        format!(
            "\n\nA part of [atls]({up}README.md), attested TLS for Rust web services; young, and [not audited]({up}README.md#status).\
             {documentation}\nRust {rust_version} or later. {license}.\n"
        )
    }
}

/// Relative links that lead to no file or folder. crates.io resolves them in the repository, from the folder of the package.
pub(crate) fn broken_links<'a>(text: &'a str, folder: &Path) -> Vec<&'a str> {
    let targets = text.split("](").skip(1);
    targets
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .filter(|target| {
            let file = target.split('#').next().unwrap_or_default();
            !folder.join(file).exists()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_nothing_is_found() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = "[a](src/readme.rs#top) [b](https://docs.rs/b) [c](#c) [`d`](../no-such-file.md) [e](../../README.md)";
        assert_eq!(broken_links(text, folder), ["../no-such-file.md"]);
    }

    #[test]
    fn only_a_library_has_documentation() {
        let closing = |is_library| Closing {
            name: "a",
            is_library,
            rust_version: "1.0",
            license: "MIT",
            up: "../",
        };
        assert!(closing(true).text().contains("(https://docs.rs/a)"));
        assert!(!closing(false).text().contains("docs.rs"));
    }
}
