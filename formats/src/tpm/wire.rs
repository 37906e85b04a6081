//! Writing of `TPM2B`: a size of 16 bits, and as many bytes.

use super::error::TpmFormatError;

pub(super) fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), TpmFormatError> {
    let size = u16::try_from(bytes.len()).map_err(|_| TpmFormatError::TooLong)?;
    out.extend(size.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}
