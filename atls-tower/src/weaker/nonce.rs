//! Where a handshake of stock TLS 1.3 has room for a nonce.
//!
//! Toward the server it is the `client_random` of the ClientHello, which the server reads off the wire and the client
//! learns from rustls' key log. Toward the client it is the name of a certificate authority in the CertificateRequest: one
//! organisation, [`ORGANISATION`], whose common name is the nonce in hexadecimal digits.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::task::Context;
use std::task::Poll;

use rustls::DistinguishedName;
use rustls::KeyLog;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;

use super::dangerous_any_client_told;

/// The organisation of the name that carries a nonce.
const ORGANISATION: &[u8] = b"atls intra-handshake nonce";

/// The transport below TLS. Where told to, it keeps the first octets that are read, up to the `client_random`.
#[derive(Debug)]
pub(crate) struct Recorded<IO> {
    io: IO,
    head: Vec<u8>,
    wanted: usize,
}

impl<IO> Recorded<IO> {
    /// Keeps nothing.
    pub(crate) fn passing(io: IO) -> Self {
        Self {
            io,
            head: Vec::new(),
            wanted: 0,
        }
    }

    pub(crate) fn recording(io: IO) -> Self {
        Self {
            io,
            head: Vec::with_capacity(HEAD),
            wanted: HEAD,
        }
    }

    /// The `client_random`, if the first record is of a ClientHello and holds all of it up to there.
    pub(crate) fn client_random(&self) -> Option<[u8; 32]> {
        // Record header of 5 octets: handshake, and its length. Handshake header of 4: ClientHello. legacy_version of 2.
        match &self.head[..] {
            [0x16, _, _, high, low, 1, _, _, _, _, _, random @ ..]
                if usize::from(u16::from_be_bytes([*high, *low])) >= HEAD - RECORD_HEADER =>
            {
                random.try_into().ok()
            }
            _ => None,
        }
    }

    pub(crate) fn get_ref(&self) -> &IO {
        &self.io
    }
}

const RECORD_HEADER: usize = 5;
const HEAD: usize = RECORD_HEADER + 4 + 2 + 32;

impl<IO: AsyncRead + Unpin> AsyncRead for Recorded<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.io).poll_read(cx, buffer);
        let wanted = this.wanted.saturating_sub(this.head.len());
        let fresh = buffer.filled().iter().skip(before).take(wanted);
        this.head.extend(fresh);
        polled
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Recorded<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write(cx, data)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().io).poll_write_vectored(cx, data)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

/// Learns the `client_random` of one connection, beside the application's own key log.
#[derive(Debug)]
pub(crate) struct Random {
    inner: Arc<dyn KeyLog>,
    seen: Mutex<Option<[u8; 32]>>,
}

impl Random {
    pub(crate) fn beside(inner: Arc<dyn KeyLog>) -> Self {
        Self {
            inner,
            seen: Mutex::new(None),
        }
    }

    pub(crate) fn take(&self) -> Option<[u8; 32]> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl KeyLog for Random {
    fn will_log(&self, label: &str) -> bool {
        label == LABEL || self.inner.will_log(label)
    }

    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        if label == LABEL {
            // The secret itself is none of our business.
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) =
                client_random.try_into().ok();
        }
        if self.inner.will_log(label) {
            self.inner.log(label, client_random, secret);
        }
    }
}

/// RFC 9850 §2.1; the last secret of a handshake.
const LABEL: &str = "EXPORTER_SECRET";

/// Asks clients for any certificate, whose Evidence must answer this nonce.
pub(crate) fn asking(provider: &CryptoProvider, nonce: &[u8; 32]) -> Arc<dyn ClientCertVerifier> {
    let name = DistinguishedName::from(name(nonce));
    dangerous_any_client_told(provider, vec![name])
}

/// The nonce among the names of certificate authorities, if exactly one is there.
pub(super) fn in_hints(hints: &[&[u8]]) -> Option<[u8; 32]> {
    let mut nonces = hints.iter().filter_map(|name| nonce_of(name));
    match (nonces.next(), nonces.next()) {
        (Some(nonce), None) => Some(nonce),
        _ => None,
    }
}

/// `O = ORGANISATION, CN = nonce`, in DER.
fn name(nonce: &[u8; 32]) -> Vec<u8> {
    let digits: String = nonce.iter().map(|octet| format!("{octet:02x}")).collect();
    let organisation = attribute(OID_ORGANISATION, ORGANISATION);
    let common_name = attribute(OID_COMMON_NAME, digits.as_bytes());
    der(0x30, &[organisation, common_name].concat())
}

fn nonce_of(hint: &[u8]) -> Option<[u8; 32]> {
    let digits = hint.get(hint.len().checked_sub(64)?..)?;
    let mut nonce = [0; 32];
    for (octet, pair) in nonce.iter_mut().zip(digits.chunks_exact(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    // Whatever else it may be that ends in digits: it is ours only if we would have written it.
    (name(&nonce) == hint).then_some(nonce)
}

fn attribute(oid: &[u8], value: &[u8]) -> Vec<u8> {
    let pair = [der(0x06, oid), der(0x0c, value)].concat();
    der(0x31, &der(0x30, &pair))
}

/// Lengths here are below 256.
fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u8::try_from(contents.len()).unwrap_or(u8::MAX);
    let head = if length < 0x80 {
        vec![tag, length]
    } else {
        vec![tag, 0x81, length]
    };
    [&head, contents].concat()
}

const OID_COMMON_NAME: &[u8] = &[0x55, 4, 3];
const OID_ORGANISATION: &[u8] = &[0x55, 4, 10];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_survives_its_name() {
        let nonce = [0xa7; 32];
        let ours = name(&nonce);
        assert_eq!(in_hints(&[b"another authority", &ours]), Some(nonce));
    }

    #[test]
    fn two_nonces_or_none_are_none() {
        let (one, two) = (name(&[1; 32]), name(&[2; 32]));
        assert_eq!(in_hints(&[&one, &two]), None);
        assert_eq!(in_hints(&[]), None);
        assert_eq!(in_hints(&[&[b'a'; 64]]), None);
        let mut upper = one;
        let last = upper.len() - 1;
        upper[last] = b'A';
        assert_eq!(in_hints(&[&upper]), None);
    }
}
