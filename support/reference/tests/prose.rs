//! The files in the documentation are files that can be read.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use atls_reference::Digest;
use atls_reference::FieldProblem;
use atls_reference::Format;
use atls_reference::Table;
use atls_reference::from_text;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    debug: bool,
    image: Vec<Image>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Image {
    name: String,
    measurement: Digest<16>,
}

impl Table for Example {
    const NAME: &'static str = "example";

    fn check(&self) -> Result<(), FieldProblem> {
        Ok(())
    }
}

#[test]
fn files_in_the_documentation_are_read() {
    let prose = include_str!("../../../docs/platforms/reference-values.md");
    let crate_page = include_str!("../src/lib.rs")
        .replace("//! ", "")
        .replace("//!", "");
    for (text, language, format, count) in [
        (prose, "toml", Format::Toml, 1),
        (prose, "json", Format::Json, 1),
        (&*crate_page, "toml", Format::Toml, 1),
    ] {
        let blocks = blocks(text, language);
        assert_eq!(blocks.len(), count, "{language}");
        for block in blocks {
            let example: Example = from_text(block, format).unwrap();
            assert!(!example.debug);
            for image in example.image {
                assert!(image.name.starts_with("payments"));
                assert!(!image.measurement.is_zero());
            }
        }
    }
}

fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.filter_map(|rest| rest.split("```").next()).collect()
}
