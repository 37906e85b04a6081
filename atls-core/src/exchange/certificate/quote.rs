//! The report data of DCAP quotes.

use sha2::Digest;
use sha2::Sha256;

use crate::cmw::Cmw;
use crate::error::ProtocolError;
use crate::media_type::MediaType;

/// Intel's DCAP quote, as far as a certificate needs it. Nothing of it is verified.
///
/// ```text
/// quote = header(48) ‖ [ body type(2) ‖ body size(4) ] (version 5) ‖ body ‖ …
/// ```
///
/// The header tells SGX from TDX by its version and, from version 4 on, by the TEE type at byte 4. The 64 bytes of report data
/// are in the body, at 320 in that of an enclave (384 bytes) and at 520 in that of a TD (584 bytes and more).
pub(super) struct Quote<'a> {
    bytes: &'a [u8],
    media_type: &'static str,
    report_data_at: usize,
}

impl<'a> Quote<'a> {
    pub(super) fn recognise(bytes: &'a [u8]) -> Option<Self> {
        let (media_type, report_data_at) = match bytes {
            [3, 0, ..] | [4, 0, _, _, 0, 0, 0, 0, ..] => (SGX, HEADER + ENCLAVE),
            [5, 0, _, _, 0, 0, 0, 0, ..] => (SGX, HEADER_5 + ENCLAVE),
            [4, 0, _, _, 0x81, 0, 0, 0, ..] => (TDX, HEADER + TD),
            [5, 0, _, _, 0x81, 0, 0, 0, ..] => (TDX, HEADER_5 + TD),
            _ => return None,
        };
        Some(Self {
            bytes,
            media_type,
            report_data_at,
        })
    }

    pub(super) fn media_type(&self) -> Option<MediaType> {
        MediaType::parse(self.media_type).ok()
    }

    /// The report data. There is none in a quote that ends before it.
    pub(super) fn report_data(&self) -> Option<&'a [u8; 64]> {
        let (_, from_there) = self.bytes.split_at_checked(self.report_data_at)?;
        from_there.first_chunk()
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The quote as a CMW, for a verifier.
    pub(super) fn to_record(&self) -> Result<Cmw, ProtocolError> {
        let media_type = self.media_type().ok_or(ProtocolError::Malformed)?;
        Ok(Cmw::evidence(media_type, self.bytes.to_vec()))
    }
}

/// SHA-256 in the first 32 of 64 bytes, zeros in the rest.
pub(super) fn padded(preimage: &[u8]) -> [u8; 64] {
    let mut report_data = [0; 64];
    for (byte, hashed) in report_data.iter_mut().zip(Sha256::digest(preimage)) {
        *byte = hashed;
    }
    report_data
}

const SGX: &str = "application/vnd.atls.sgx-quote";
const TDX: &str = "application/vnd.atls.tdx-quote";

const HEADER: usize = 48;
/// The header of version 5, with type and size of the body.
const HEADER_5: usize = HEADER + 6;
const ENCLAVE: usize = 320;
const TD: usize = 520;
