//! The presentation language of TLS (RFC 9846 §3): a reader that cannot overrun and writers that
//! cannot truncate.

use crate::error::ProtocolError;
use crate::error::SendError;

/// Reads big-endian integers and length-prefixed vectors out of a peer's bytes.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], ProtocolError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(ProtocolError::Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, ProtocolError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(crate) fn u16(&mut self) -> Result<u16, ProtocolError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ProtocolError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// `opaque x<0..2^8-1>`
    pub(crate) fn vec8(&mut self) -> Result<&'a [u8], ProtocolError> {
        let length = self.u8()?;
        self.take(usize::from(length))
    }

    /// `opaque x<0..2^16-1>`
    pub(crate) fn vec16(&mut self) -> Result<&'a [u8], ProtocolError> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// `opaque x<0..2^24-1>`
    pub(crate) fn vec24(&mut self) -> Result<&'a [u8], ProtocolError> {
        let [a, b, c] = self.array()?;
        let length = u32::from_be_bytes([0, a, b, c]);
        self.take(usize::try_from(length).map_err(|_| ProtocolError::Malformed)?)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The number of bytes that are left.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Refuses bytes after the message.
    pub(crate) fn finish(self) -> Result<(), ProtocolError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(ProtocolError::Malformed)
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ProtocolError> {
        self.take(N)?
            .try_into()
            .map_err(|_| ProtocolError::Malformed)
    }
}

pub(crate) fn put_vec8(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), SendError> {
    let length = u8::try_from(bytes.len()).map_err(|_| SendError::TooLarge)?;
    out.push(length);
    out.extend_from_slice(bytes);
    Ok(())
}

pub(crate) fn put_vec16(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), SendError> {
    let length = u16::try_from(bytes.len()).map_err(|_| SendError::TooLarge)?;
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}

pub(crate) fn put_vec24(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), SendError> {
    put_within24(out, |out| {
        out.extend_from_slice(bytes);
        Ok(())
    })
}

/// Puts a vector of at most 2^16-1 bytes that `write` writes in place, so that nested vectors need no copies.
pub(crate) fn put_within16(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), SendError>,
) -> Result<(), SendError> {
    let length = put_within(out, 2, write)?;
    let length = u16::try_from(length).map_err(|_| SendError::TooLarge)?;
    fill_in(out, usize::from(length), &length.to_be_bytes())
}

/// Puts a vector of at most 2^24-1 bytes in the same way.
pub(crate) fn put_within24(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), SendError>,
) -> Result<(), SendError> {
    let length = put_within(out, 3, write)?;
    let [0, prefix @ ..] = u32::try_from(length)
        .map_err(|_| SendError::TooLarge)?
        .to_be_bytes()
    else {
        return Err(SendError::TooLarge);
    };
    fill_in(out, length, &prefix)
}

/// Leaves room for a length, writes, and returns the number of written bytes.
fn put_within(
    out: &mut Vec<u8>,
    room: usize,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), SendError>,
) -> Result<usize, SendError> {
    let start = out.len().checked_add(room).ok_or(SendError::TooLarge)?;
    out.resize(start, 0);
    write(out)?;
    out.len().checked_sub(start).ok_or(SendError::TooLarge)
}

/// Writes the length before the last `length` bytes.
fn fill_in(out: &mut [u8], length: usize, prefix: &[u8]) -> Result<(), SendError> {
    let end = out.len().checked_sub(length);
    let start = end.and_then(|end| end.checked_sub(prefix.len()));
    let room = start
        .zip(end)
        .and_then(|(start, end)| out.get_mut(start..end));
    room.ok_or(SendError::TooLarge)?.copy_from_slice(prefix);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote() {
        let mut out = Vec::new();
        put_vec8(&mut out, b"a").unwrap();
        put_vec16(&mut out, b"bc").unwrap();
        put_vec24(&mut out, &[7; 70_000]).unwrap();
        let mut reader = Reader::new(&out);
        assert_eq!(reader.vec8().unwrap(), b"a");
        assert_eq!(reader.vec16().unwrap(), b"bc");
        assert_eq!(reader.vec24().unwrap().len(), 70_000);
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn vectors_nest() {
        let mut out = vec![9];
        put_within24(&mut out, |out| {
            put_within16(out, |out| put_vec8(out, b"a"))?;
            put_vec16(out, b"")
        })
        .unwrap();
        assert_eq!(out, [9, 0, 0, 6, 0, 2, 1, b'a', 0, 0]);
    }

    #[test]
    fn refuses_a_length_beyond_the_end() {
        assert_eq!(Reader::new(&[2, 0]).vec8(), Err(ProtocolError::Malformed));
        assert_eq!(
            Reader::new(&[0xff; 5]).vec24(),
            Err(ProtocolError::Malformed)
        );
        assert_eq!(Reader::new(&[0]).u16(), Err(ProtocolError::Malformed));
    }

    #[test]
    fn refuses_to_write_a_length_that_does_not_fit() {
        assert_eq!(
            put_vec8(&mut Vec::new(), &[0; 256]),
            Err(SendError::TooLarge)
        );
        assert_eq!(
            put_vec16(&mut Vec::new(), &[0; 65_536]),
            Err(SendError::TooLarge)
        );
        assert_eq!(
            put_vec24(&mut Vec::new(), &vec![0; 1 << 24]),
            Err(SendError::TooLarge)
        );
        assert_eq!(
            put_within16(&mut Vec::new(), |out| {
                out.resize(out.len() + 65_536, 0);
                Ok(())
            }),
            Err(SendError::TooLarge)
        );
    }
}
