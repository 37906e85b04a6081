//! The frames on the TLS stream before HTTP.
//!
//! ```text
//! struct { uint8 type; uint32 length; opaque payload[length]; } Frame;
//! ```
//!
//! | type | payload |
//! |---|---|
//! | 1 | authenticator request |
//! | 2 | authenticator, possibly empty |
//! | 3 | verdict |
//!
//! No HTTP/1.1 request line and no HTTP/2 preface begins with these bytes, so the first byte tells a server whether the
//! client attests or speaks HTTP. Frames 1 and 2 are those of the one other deployed implementation. A frame that is too
//! large, of another type or cut short is an error that ends the connection.

use std::io;
use std::io::IoSlice;

use atls_core::ProtocolError;
use atls_core::exchange::SendError;
use atls_core::limits::MAX_FRAME;
use atls_core::session::Side;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;

use crate::error::Error;

/// One message before HTTP.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: FrameType,
    pub(crate) payload: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameType {
    Authenticator,
    Request,
    Verdict,
}

impl FrameType {
    pub(crate) fn of(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Request),
            2 => Some(Self::Authenticator),
            3 => Some(Self::Verdict),
            _ => None,
        }
    }

    fn byte(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Authenticator => 2,
            Self::Verdict => 3,
        }
    }
}

/// Reads one frame and not a byte more: the next byte may be HTTP and cannot be put back.
pub(crate) async fn read<IO>(io: &mut IO, sender: Side) -> Result<Frame, Error>
where
    IO: AsyncRead + Unpin,
{
    let first = io.read_u8().await.map_err(Error::reading)?;
    match FrameType::of(first) {
        Some(kind) => read_after(io, kind).await,
        None => Err(Error::not_a_frame(sender, first)),
    }
}

/// Reads the rest of a frame whose type byte was already taken.
pub(crate) async fn read_after<IO>(io: &mut IO, kind: FrameType) -> Result<Frame, Error>
where
    IO: AsyncRead + Unpin,
{
    let length = io.read_u32().await.map_err(Error::reading)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_FRAME {
        return Err(ProtocolError::TooLarge.into());
    }
    // Beyond a usual authenticator the buffer grows with the bytes that arrive: a claimed length alone costs little memory.
    let mut payload = Vec::with_capacity(length.min(USUAL).saturating_add(PROBE));
    let limit = u64::try_from(length).unwrap_or(u64::MAX);
    io.take(limit)
        .read_to_end(&mut payload)
        .await
        .map_err(Error::reading)?;
    if payload.len() < length {
        return Err(Error::closed());
    }
    Ok(Frame { kind, payload })
}

pub(crate) async fn write<IO>(link: &mut IO, kind: FrameType, payload: &[u8]) -> Result<(), Error>
where
    IO: AsyncWrite + Unpin,
{
    if !link.is_write_vectored() {
        // Header and payload apart would be two records, or even two packets.
        let frame = encode(kind, payload)?;
        return link.write_all(&frame).await.map_err(Error::writing);
    }
    let header = header(kind, payload)?;
    let parts = [IoSlice::new(&header), IoSlice::new(payload)];
    let written = link.write_vectored(&parts).await.map_err(Error::writing)?;
    if written == 0 {
        return Err(Error::writing(io::ErrorKind::WriteZero.into()));
    }
    for part in [
        header.get(written..),
        payload.get(written.saturating_sub(HEADER)..),
    ] {
        let part = part.unwrap_or_default();
        link.write_all(part).await.map_err(Error::writing)?;
    }
    Ok(())
}

pub(crate) fn encode(kind: FrameType, payload: &[u8]) -> Result<Vec<u8>, Error> {
    let mut frame = Vec::with_capacity(payload.len().saturating_add(HEADER));
    frame.extend_from_slice(&header(kind, payload)?);
    frame.extend_from_slice(payload);
    Ok(frame)
}

fn header(kind: FrameType, payload: &[u8]) -> Result<[u8; HEADER], Error> {
    let length = u32::try_from(payload.len());
    let length = length.ok().filter(|_| payload.len() <= MAX_FRAME);
    let length = length.ok_or(ProtocolError::Sending(SendError::TooLarge))?;
    let [a, b, c, d] = length.to_be_bytes();
    Ok([kind.byte(), a, b, c, d])
}

/// Most bytes that a claimed length alone reserves: an authenticator with 5 kB of Evidence fits.
const USUAL: usize = 8 * 1024;

/// Room that tokio wants in a buffer in order to see that nothing follows.
const PROBE: usize = 32;

/// Bytes before the payload.
const HEADER: usize = 5;

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::Context;
    use std::task::Poll;

    use super::*;

    #[tokio::test]
    async fn the_largest_frame_is_read_and_a_larger_one_is_not() {
        let largest = encode(FrameType::Request, &vec![7; MAX_FRAME]).unwrap();
        let frame = read(&mut &largest[..], Side::Client).await.unwrap();
        assert_eq!(frame.payload.len(), MAX_FRAME);
        let mut larger = largest.clone();
        larger[1..HEADER].copy_from_slice(&u32::try_from(MAX_FRAME + 1).unwrap().to_be_bytes());
        larger.push(7);
        let refused = read(&mut &larger[..], Side::Client).await.err().unwrap();
        assert_eq!(refused.protocol(), Some(&ProtocolError::TooLarge));
        assert!(encode(FrameType::Request, &vec![7; MAX_FRAME + 1]).is_err());
    }

    #[tokio::test]
    async fn a_frame_that_is_cut_is_none() {
        let whole = encode(FrameType::Verdict, &[0; 5]).unwrap();
        for length in 0..whole.len() {
            let cut = read(&mut &whole[..length], Side::Client).await;
            assert!(cut.is_err(), "{length}");
        }
    }

    #[tokio::test]
    async fn a_frame_is_read_and_what_follows_is_left() {
        let bytes = [&encode(FrameType::Verdict, &[0; 5]).unwrap()[..], b"GET"].concat();
        let mut rest = &bytes[..];
        let frame = read(&mut rest, Side::Client).await.unwrap();
        assert_eq!((frame.payload.as_slice(), rest), (&[0; 5][..], &b"GET"[..]));
    }

    #[tokio::test]
    async fn a_frame_arrives_whole_however_little_is_taken_at_once() {
        let frame = encode(FrameType::Request, b"payload").unwrap();
        for vectored in [true, false] {
            for at_once in 1..=frame.len() {
                let mut link = Narrow::new(at_once, vectored);
                let written = write(&mut link, FrameType::Request, b"payload").await;
                assert!(written.is_ok());
                assert_eq!(link.taken, frame, "{vectored} {at_once}");
            }
        }
    }

    #[tokio::test]
    async fn header_and_payload_leave_in_one_write() {
        for vectored in [true, false] {
            let mut link = Narrow::new(100, vectored);
            let written = write(&mut link, FrameType::Request, b"payload").await;
            assert!(written.is_ok());
            assert_eq!(link.writes, 1);
        }
    }

    #[tokio::test]
    async fn a_link_that_takes_nothing_is_an_error() {
        for vectored in [true, false] {
            let mut link = Narrow::new(0, vectored);
            let written = write(&mut link, FrameType::Request, b"payload").await;
            assert!(written.is_err());
        }
    }

    /// Takes so many bytes of each write.
    struct Narrow {
        at_once: usize,
        vectored: bool,
        taken: Vec<u8>,
        writes: usize,
    }

    impl Narrow {
        fn new(at_once: usize, vectored: bool) -> Self {
            Self {
                at_once,
                vectored,
                taken: Vec::new(),
                writes: 0,
            }
        }

        fn take(&mut self, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let taken = bytes.len().min(self.at_once);
            self.taken.extend(&bytes[..taken]);
            self.writes = self.writes.saturating_add(1);
            Poll::Ready(Ok(taken))
        }
    }

    impl AsyncWrite for Narrow {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.take(bytes)
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            parts: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            // As tokio does for a link that is not vectored: the first part alone.
            let parts = if self.vectored { parts } else { &parts[..1] };
            let all: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
            self.take(&all)
        }

        fn is_write_vectored(&self) -> bool {
            self.vectored
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }
}
