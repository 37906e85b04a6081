//! Attested TLS, the protocol without the sockets.
#![forbid(unsafe_code)]

pub mod cmw;
pub mod ear;
mod media_type;

pub use media_type::{MediaType, MediaTypeError};
