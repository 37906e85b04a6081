//! Any text as a media type. One that was read is written, and read again as the same.
#![no_main]

use atls_core::MediaType;

atls_fuzz::target!(|text: &str| {
    if let Ok(media_type) = MediaType::parse(text) {
        assert_eq!(MediaType::parse(&media_type.to_string()), Ok(media_type));
    }
    if let Ok(collection) = MediaType::of_collection(text) {
        assert_eq!(MediaType::parse(&collection.to_string()), Ok(collection));
    }
});
