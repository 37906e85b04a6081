//! DCAP quotes and their report data.

use sha2::Digest;
use sha2::Sha256;

use crate::cmw::Cmw;
use crate::error::ProtocolError;
use crate::media_type::MediaType;

/// Intel's DCAP quote, whose header tells SGX from TDX: version, and from 4 on the TEE type at octet 4.
pub(super) fn quote_record(quote: &[u8]) -> Result<Cmw, ProtocolError> {
    let text = match quote {
        [3, 0, ..] => "application/vnd.atls.sgx-quote",
        [4 | 5, 0, _, _, 0, 0, 0, 0, ..] => "application/vnd.atls.sgx-quote",
        [4 | 5, 0, _, _, 0x81, 0, 0, 0, ..] => "application/vnd.atls.tdx-quote",
        _ => return Err(ProtocolError::Malformed),
    };
    let media_type = MediaType::parse(text).map_err(|_| ProtocolError::Malformed)?;
    Ok(Cmw::evidence(media_type, quote.to_vec()))
}

/// SHA-256 in the first 32 of 64 octets, zeros in the rest.
pub(super) fn padded(preimage: &[u8]) -> [u8; 64] {
    let mut report_data = [0; 64];
    for (octet, hashed) in report_data.iter_mut().zip(Sha256::digest(preimage)) {
        *octet = hashed;
    }
    report_data
}
