//! A Nitro document and its content: neither reader panics.
#![no_main]

use atls_formats::nitro::Document;
use atls_formats::nitro::SignedDocument;

atls_fuzz::target!(|bytes: &[u8]| {
    let _ = SignedDocument::decode(bytes);
    let _ = Document::decode(bytes);
});
