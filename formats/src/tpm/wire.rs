//! Fields in their order, read and written. A field that is cut short is `None`.

use super::error::TpmFormatError;

/// The bytes that are left to read.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Reader<'a> {
    /// The bytes that were not read yet.
    pub rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins with all of these bytes.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Reads all of the bytes: `None` where `read` leaves any.
    pub fn whole<T>(bytes: &'a [u8], read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut reader = Self::of(bytes);
        let value = read(&mut reader)?;
        reader.rest.is_empty().then_some(value)
    }

    /// As many bytes as that.
    pub fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// An array.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    /// A byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// 16 bits, big-endian.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// 32 bits, big-endian.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// 64 bits, big-endian.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// `TPM2B`: a size of 16 bits, and as many bytes.
    pub fn sized(&mut self) -> Option<&'a [u8]> {
        let size = self.u16()?;
        self.take(usize::from(size))
    }

    /// 16 bits, little-endian.
    pub fn u16_le(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// 32 bits, little-endian.
    pub fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// A size of 32 bits, little-endian, and as many bytes.
    pub fn sized_le(&mut self) -> Option<&'a [u8]> {
        let size = usize::try_from(self.u32_le()?).ok()?;
        self.take(size)
    }
}

/// Writes a `TPM2B`: a size of 16 bits, and as many bytes.
///
/// # Errors
/// [`TpmFormatError::TooLong`] for 64 KiB or more.
pub fn put_sized(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), TpmFormatError> {
    let size = u16::try_from(bytes.len()).map_err(|_| TpmFormatError::TooLong)?;
    out.extend(size.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}
