//! Reference Values and appraisal policy for Evidence (RFC 9334 §4.1): one readable format for all platforms.
//!
//! The text of a file goes in, or a CoRIM ([`corim`]), and a checked table comes out. On failure there is a [`ReferenceError`]
//! with line and field, and no table.
//!
//! A file holds one table per platform. Each platform's crate defines its own [`Table`] and knows no other. This crate finds
//! the table in the file and reloads it while the application runs ([`Live`]).
//!
//! ```toml
//! version = 1
//!
//! [example]
//! debug = false
//!
//! [[example.image]]
//! name = "payments 1.4.2"
//! measurement = "000102030405060708090a0b0c0d0e0f"
//! ```
//!
//! A platform's crate says what its table holds:
//!
//! ```
//! use atls_reference::{Digest, FieldProblem, Format, Live, Table};
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Example {
//!     debug: bool,
//!     image: Vec<Image>,
//! }
//!
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Image {
//!     name: String,
//!     measurement: Digest<16>,
//! }
//!
//! impl Table for Example {
//!     const NAME: &'static str = "example";
//!
//!     fn check(&self) -> Result<(), FieldProblem> {
//!         match self.image.is_empty() {
//!             true => Err(FieldProblem::new("image", "no image is accepted; add one")),
//!             false => Ok(()),
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let text = "version = 1\n[example]\ndebug = false\n[[example.image]]\nname = \"payments 1.4.2\"
//! # measurement = \"000102030405060708090a0b0c0d0e0f\"\n";
//! // `Live::open` reads a file, and reads it again when it has changed.
//! let live = Live::<Example>::of_text("policy.toml", text, Format::Toml)?;
//! // A verifier takes `live.valid_at(now)`, which looks at the end of a CoRIM too.
//! let policy = live.current();
//! assert!(!policy.debug && policy.image[0].name == "payments 1.4.2");
//! assert_eq!(policy.image[0].measurement.as_bytes()[15], 0x0f);
//! # Ok(())
//! # }
//! ```
//!
//! [The format] of the file, in whole.
//!
#![doc = concat!("[The format]: ", env!("CARGO_PKG_REPOSITORY"), "/blob/v", env!("CARGO_PKG_VERSION"), "/docs/platforms/reference-values.md")]
#![forbid(unsafe_code)]

pub mod corim;

mod ambiguity;
mod composition;
mod cut_short;
mod ends;
mod error;
mod file;
mod format;
mod instances;
mod lines;
mod live;
mod one_table;
mod places;
mod position;
mod problem;
mod shown;
mod sourced;
mod stamp;
mod syntax;
mod table;

pub use atls_formats::Digest;
pub use composition::CompositionItem;
pub use composition::CompositionTable;
pub use cut_short::is_cut_short;
pub use ends::Ends;
pub use error::ReferenceError;
pub use file::MAX_FILE;
pub use file::MAX_TOML_MARKS;
pub use file::expect_tables;
pub use file::from_json;
pub use file::from_text;
pub use file::from_toml;
pub use file::tables;
pub use format::Format;
pub use instances::Instances;
pub use live::Live;
pub use problem::FieldProblem;
pub use sourced::Sourced;
pub use syntax::SyntaxError;
pub use table::Table;

/// The prose, compiled.
#[cfg(doctest)]
mod prose {
    #[doc = include_str!("../../../docs/instances.md")]
    struct Instances;

    #[doc = include_str!("../../../docs/platforms/reference-values.md")]
    struct ReferenceValues;
}
