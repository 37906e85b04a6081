//! The front page of a crate: the comment at the top of its root.

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

#[cfg(test)]
mod tests {
    use super::*;

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
