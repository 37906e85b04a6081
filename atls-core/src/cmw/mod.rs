//! The RATS Conceptual Message Wrapper, RFC 9999. It carries Evidence, Attestation Results and the like with their media types.
//!
//! ```text
//! record     = [ type, value, ? ind ]             type: media type, or (CBOR) CoAP Content-Format
//! tag        = #6.<TN>( bytes )                   CBOR only; TN from the Content-Format, RFC 9277
//! collection = { ? "__cmwc_t": uri, + label => record / tag / collection }
//! ```
//!
//! [`Cmw::decode`] reads CBOR and JSON, which differ in the first byte, within the limits of [`limits`](crate::limits). Other bytes
//! give a [`CmwError`]. [`Cmw::encode`] writes deterministic CBOR (RFC 8949 §4.2.1), which the protocol sends. [`Cmw::to_json`]
//! writes JSON.
//!
//! It is **not** checked that a value is of the media type that the peer gives it. The verifier does that.

mod batched;
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
