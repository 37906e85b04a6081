//! HTTP/2 by hand, for peers that keep no rule of it but those that they like (RFC 9113).

use std::io;

use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt;

/// What a peer sent.
#[derive(Clone, Debug)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

/// The next frame.
pub async fn next(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Frame> {
    let mut head = [0; 9];
    from.read_exact(&mut head).await?;
    let [a, b, c, kind, flags, stream @ ..] = head;
    let length = u32::from_be_bytes([0, a, b, c]);
    let mut payload = vec![0; usize::try_from(length).unwrap()];
    from.read_exact(&mut payload).await?;
    let stream = u32::from_be_bytes(stream);
    Ok(Frame {
        kind,
        flags,
        stream,
        payload,
    })
}

/// The content of the answer on this stream. What else comes meanwhile is passed over.
pub async fn answer(from: &mut (impl AsyncRead + Unpin), stream: u32) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let frame = next(from).await?;
        if frame.stream != stream {
            continue;
        }
        match frame.kind {
            DATA => content.extend(frame.payload),
            RST_STREAM => return Err(io::ErrorKind::ConnectionReset.into()),
            _ => {}
        }
        if frame.flags & END_STREAM != 0 {
            return Ok(content);
        }
    }
}

/// Begins as a client.
pub async fn begin(to: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    say(to, &[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).await
}

/// Asks, and gives the content of the answer.
pub async fn ask<IO>(io: &mut IO, stream: u32, path: &str) -> io::Result<String>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let flags = END_STREAM | END_HEADERS;
    say(io, &frame(HEADERS, flags, stream, &head(GET, path))).await?;
    let content = answer(io, stream).await?;
    Ok(String::from_utf8(content).unwrap())
}

/// Writes and flushes.
pub async fn say(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    to.write_all(bytes).await?;
    to.flush().await
}

/// §4.1.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let [_, length @ ..] = length;
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// RFC 7541: method and scheme from the static table, path and authority as literals.
pub fn head(method: u8, path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    let path = [&[0x04, length], path.as_bytes()].concat();
    [&[method, 0x87][..], &path, b"\x01\x09localhost"].concat()
}

/// A field as a literal that is not indexed (RFC 7541 §6.2.2), whatever its name is.
pub fn field(name: &str, value: &str) -> Vec<u8> {
    let [name, value] = [name, value].map(|text| {
        let length = u16::try_from(text.len()).unwrap();
        // An integer with a prefix of 7 bits (§5.1).
        let mut coded = match length.checked_sub(127) {
            None => vec![u8::try_from(length).unwrap()],
            Some(rest) => {
                let low = u8::try_from(rest % 128).unwrap();
                vec![127, 128 | low, u8::try_from(rest / 128).unwrap()]
            }
        };
        coded.extend_from_slice(text.as_bytes());
        coded
    });
    [&[0][..], &name, &value].concat()
}

pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// `:method: CONNECT`, `:authority: elsewhere`.
pub const CONNECT: &[u8] = b"\x02\x07CONNECT\x01\x09elsewhere";

/// Types of frames.
pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;

/// Flags.
pub const ACK: u8 = 1;
pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// Methods in the static table.
pub const GET: u8 = 0x82;
pub const POST: u8 = 0x83;
