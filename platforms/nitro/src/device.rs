//! A Nitro Security Module, as the attester sees it.

use std::io;

/// A Nitro Security Module: one request in CBOR goes in, one response in CBOR comes out.
pub trait NsmDevice: Send {
    /// Takes a request of up to 4096 bytes and gives a response of up to 12288 bytes.
    ///
    /// # Errors
    /// The device gave no response. A response that names an error counts as a response.
    fn process(&mut self, request: &[u8]) -> io::Result<Vec<u8>>;
}
