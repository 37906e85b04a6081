//! Fields in their order, little-endian.

use super::error::CutShort;

#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], CutShort> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(CutShort)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], CutShort> {
        self.reference().copied()
    }

    pub(super) fn reference<const N: usize>(&mut self) -> Result<&'a [u8; N], CutShort> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(CutShort)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn u16(&mut self) -> Result<u16, CutShort> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, CutShort> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, CutShort> {
        self.array().map(u64::from_le_bytes)
    }

    /// A length of 32 bits.
    pub(super) fn length(&mut self) -> Result<usize, CutShort> {
        usize::try_from(self.u32()?).map_err(|_| CutShort)
    }

    /// The part of `whole` that was read, where this reader began with `whole`.
    pub(super) fn read_of(&self, whole: &'a [u8]) -> Result<&'a [u8], CutShort> {
        let length = whole.len().checked_sub(self.rest.len());
        length
            .and_then(|length| whole.get(..length))
            .ok_or(CutShort)
    }
}
