//! TLS extensions.

use std::fmt;

use crate::codec::Reader;
use crate::codec::put_vec16;
use crate::codec::put_within16;
use crate::error::ProtocolError;
use crate::error::SendError;
use crate::limits::MAX_EXTENSIONS;

/// One TLS extension (RFC 9846 §4.2):
///
/// ```text
/// struct { ExtensionType extension_type; opaque extension_data<0..2^16-1>; } Extension;
/// ```
#[derive(Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "the wire format is fixed")]
pub struct Extension {
    /// `extension_type`
    pub code: u16,
    /// `extension_data`, at most 65,535 bytes.
    pub data: Vec<u8>,
}

/// Prints the size. `cmw_attestation` identifies devices, so its data is left out.
impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extension")
            .field("code", &format_args!("{:#06x}", self.code))
            .field("bytes", &self.data.len())
            .finish()
    }
}

/// `server_name`, allowed in a ClientCertificateRequest only (RFC 9261 §4).
pub(crate) const SERVER_NAME: u16 = 0;
/// `signature_algorithms`, mandatory in every request.
pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;

/// Bytes of `extension_type` and of the length before `extension_data`.
const HEADER: usize = 4;

/// `Extension extensions<0..2^16-1>`, with the length.
pub(crate) fn put(out: &mut Vec<u8>, extensions: &[Extension]) -> Result<(), SendError> {
    put_within16(out, |out| put_each(out, extensions))
}

fn put_each(out: &mut Vec<u8>, extensions: &[Extension]) -> Result<(), SendError> {
    if extensions.len() > MAX_EXTENSIONS {
        return Err(SendError::TooManyExtensions);
    }
    for (index, extension) in extensions.iter().enumerate() {
        let earlier = extensions.iter().take(index);
        if earlier
            .into_iter()
            .any(|known| known.code == extension.code)
        {
            return Err(SendError::DuplicateExtension(extension.code));
        }
        out.extend_from_slice(&extension.code.to_be_bytes());
        put_vec16(out, &extension.data)?;
    }
    Ok(())
}

/// The number of bytes that [`put`] writes after the length.
pub(crate) fn encoded_length(extensions: &[Extension]) -> usize {
    extensions.iter().fold(0, |sum: usize, extension| {
        sum.saturating_add(HEADER)
            .saturating_add(extension.data.len())
    })
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Extension>, ProtocolError> {
    let mut reader = Reader::new(bytes);
    let mut extensions: Vec<Extension> = Vec::new();
    while !reader.is_empty() {
        let code = reader.u16()?;
        let data = reader.vec16()?.to_vec();
        if extensions.iter().any(|known| known.code == code) {
            return Err(ProtocolError::DuplicateExtension(code));
        }
        if extensions.len() >= MAX_EXTENSIONS {
            return Err(ProtocolError::TooLarge);
        }
        extensions.push(Extension { code, data });
    }
    Ok(extensions)
}

pub(crate) fn find(extensions: &[Extension], code: u16) -> Option<&[u8]> {
    extensions
        .iter()
        .find(|known| known.code == code)
        .map(|known| known.data.as_slice())
}
