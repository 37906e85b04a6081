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
/// tag stand before them, as [`LINK`]. An empty line has to come first, or the links are a part of the paragraph above.
pub(crate) fn links_to_guides(root: &str, workspace: &Path) -> bool {
    let mut found = false;
    let mut before = "";
    for line in root.lines() {
        if let Some(page) = linked(line) {
            let stands_alone = before == "//!" || linked(before).is_some();
            if !stands_alone || !workspace.join(page).is_file() {
                return false;
            }
            found = true;
        }
        before = line;
    }
    found
}

fn linked(line: &str) -> Option<&str> {
    let (_, page) = line
        .strip_prefix("#![doc = concat!(\"[")?
        .split_once(LINK)?;
    page.strip_suffix("\")]")
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
        let link = |page| format!("#![doc = concat!(\"[It{LINK}{page}\")]\n");
        let guide = "//! [It].\n//!\n".to_owned() + &link("docs/getting-started.md");
        assert!(links_to_guides(&guide, &workspace), "{guide}");
        let both = guide.clone() + &link("docs/pitfalls.md");
        assert!(links_to_guides(&both, &workspace), "{both}");
        let neither = guide + &link("docs/no-such-page.md");
        assert!(!links_to_guides(&neither, &workspace), "{neither}");
        let in_paragraph = "//! [It].\n".to_owned() + &link("docs/getting-started.md");
        assert!(
            !links_to_guides(&in_paragraph, &workspace),
            "{in_paragraph}"
        );
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
