//! The RATS Conceptual Message Wrapper, RFC 9999: Evidence, Attestation Results and their like with a media type.
//!
//! ```text
//! record     = [ type, value, ? ind ]             type: media type, or (CBOR) CoAP Content-Format
//! tag        = #6.<TN>( bytes )                   CBOR only; TN from the Content-Format, RFC 9277
//! collection = { ? "__cmwc_t": uri, + label => record / tag / collection }
//! ```
//!
//! Read in CBOR or JSON, told apart by the first byte. Written in deterministic CBOR (RFC 8949 §4.2.1) by
//! [`Cmw::encode`], which is what this protocol sends, or in JSON by [`Cmw::to_json`].
//!
//! What is *not* checked: whether a value is of the type that its peer-chosen label names; that is the verifier's.

mod cbor;
mod error;
mod form;
mod item;
mod items;
mod json;
mod label;
mod wrapper;

pub use error::CmwError;
pub use item::Indicator;
pub use item::Item;
pub use item::Type;
pub use label::Label;
pub use wrapper::Cmw;

#[cfg(test)]
mod tests;
