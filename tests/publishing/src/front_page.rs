//! The front page of a crate: the comment at the top of its root.

use std::path::Path;

/// Whether it has an example in Rust that is compiled as a test.
pub(crate) fn has_example(root: &str) -> bool {
    let page = root.lines().map_while(|line| line.strip_prefix("//!"));
    let mut in_block = false;
    let mut fences = page.filter_map(|line| line.trim().strip_prefix("```"));
    fences.any(|language| {
        in_block = !in_block;
        in_block && (language.is_empty() || language == "no_run")
    })
}

/// Whether it links to pages of the repository, all of which exist. The address of the repository, which the owner names, and the
/// tag stand before them, as [`LINK`].
pub(crate) fn links_to_guides(root: &str, workspace: &Path) -> bool {
    let links = root.lines().filter_map(|line| {
        let (_, page) = line.strip_prefix("#![doc = concat!(")?.split_once(LINK)?;
        page.strip_suffix("\")]")
    });
    let mut exist = links.map(|page| workspace.join(page).is_file()).peekable();
    exist.peek().is_some() && exist.all(|exists| exists)
}

/// Whether docs.rs shows which item needs which feature.
pub(crate) fn shows_features(root: &str) -> bool {
    root.lines()
        .any(|line| line == "#![cfg_attr(docsrs, feature(doc_cfg))]")
}

const LINK: &str =
    r#"]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_is_a_page_that_exists() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let link = |page| format!("//! [It].\n#![doc = concat!(\"\\n[It{LINK}{page}\")]\n");
        let guide = link("docs/getting-started.md");
        assert!(links_to_guides(&guide, &workspace), "{guide}");
        let both = guide + &link("docs/no-such-page.md");
        assert!(!links_to_guides(&both, &workspace), "{both}");
        assert!(!links_to_guides("//! [It](docs/pitfalls.md)\n", &workspace));
    }

    #[test]
    fn an_example_is_a_block_that_is_compiled() {
        for (page, expected) in [
            ("//! Reads.\n//!\n//! ```\n//! read();\n//! ```\n", true),
            ("//! ```no_run\n//! read();\n//! ```\n", true),
            (
                "//! ```text\n//! a\n//! ```\n//! ```\n//! read();\n//! ```\n",
                true,
            ),
            ("//! ```text\n//! a\n//! ```\n", false),
            ("//! ```ignore\n//! read();\n//! ```\n", false),
            ("//! Reads.\n", false),
            (
                "//! Reads.\n\nmod a;\n//! ```\n//! read();\n//! ```\n",
                false,
            ),
        ] {
            assert_eq!(has_example(page), expected, "{page}");
        }
    }
}
