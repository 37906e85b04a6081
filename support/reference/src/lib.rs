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
#![forbid(unsafe_code)]

pub mod corim;

mod composition;
mod error;
mod file;
mod format;
mod instances;
mod live;
mod position;
mod problem;
mod syntax;
mod table;

pub use atls_formats::Digest;
pub use composition::CompositionItem;
pub use composition::CompositionTable;
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
