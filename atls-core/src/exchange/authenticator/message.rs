//! The five messages of RFC 9261, each in a TLS handshake header:
//!
//! ```text
//! struct { HandshakeType msg_type; uint24 length; opaque body[length]; }
//! ```
//!
//! Messages are parsed to the last byte. A message that is cut, too long or out of order is refused.

use pki_types::CertificateDer;
use rustls::SignatureScheme;

use super::extension;
use super::extension::Extension;
use crate::codec::Reader;
use crate::codec::put_vec8;
use crate::codec::put_vec16;
use crate::codec::put_vec24;
use crate::codec::put_within24;
use crate::error::ProtocolError;
use crate::error::SendError;
use crate::limits::MAX_CHAIN;
use crate::limits::MAX_FRAME;
use crate::session::Side;

/// The `certificate_request_context` of a request or of an authenticator; an empty authenticator names none.
///
/// This is "get context" of RFC 9261 §6.2. An application finds the request that an authenticator answers by it. It proves
/// nothing.
///
/// # Errors
/// [`ProtocolError::Malformed`] for bytes that do not begin with such a message.
pub fn context(message: &[u8]) -> Result<Option<&[u8]>, ProtocolError> {
    let (kind, body, _) = next(message)?;
    match kind {
        CERTIFICATE | CERTIFICATE_REQUEST | CLIENT_CERTIFICATE_REQUEST => {
            Reader::new(body).vec8().map(Some)
        }
        FINISHED => Ok(None),
        _ => Err(ProtocolError::Malformed),
    }
}

/// A request's two fields.
pub(crate) struct Request<'a> {
    pub(crate) context: &'a [u8],
    pub(crate) extensions: Vec<Extension>,
}

impl<'a> Request<'a> {
    /// ```text
    /// struct {
    ///     opaque certificate_request_context<0..2^8-1>;
    ///     Extension extensions<2..2^16-1>;
    /// } CertificateRequest, ClientCertificateRequest;
    /// ```
    pub(crate) fn decode(bytes: &'a [u8], sender: Side) -> Result<Self, ProtocolError> {
        if bytes.len() > MAX_FRAME {
            return Err(ProtocolError::TooLarge);
        }
        let (kind, body, rest) = next(bytes)?;
        if kind != request_type(sender) || !rest.is_empty() {
            return Err(ProtocolError::Malformed);
        }
        let mut reader = Reader::new(body);
        let context = reader.vec8()?;
        let extensions = extension::decode(reader.vec16()?)?;
        reader.finish()?;
        Ok(Self {
            context,
            extensions,
        })
    }

    /// The context stands at [`REQUEST_CONTEXT`].
    pub(crate) fn encode(&self, sender: Side) -> Result<Vec<u8>, SendError> {
        let mut out = Vec::with_capacity(USUAL_REQUEST);
        put(&mut out, request_type(sender), |body| {
            put_vec8(body, self.context)?;
            extension::put(body, &self.extensions)
        })?;
        Ok(out)
    }
}

/// One certificate with its extensions.
#[derive(Clone)]
pub(crate) struct CertificateEntry {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) extensions: Vec<Extension>,
}

/// An authenticator, taken apart; `certificate` and `certificate_verify` are whole messages for the transcript.
pub(crate) enum Authenticator<'a> {
    Empty {
        finished: &'a [u8],
    },
    Full {
        context: &'a [u8],
        entries: Vec<CertificateEntry>,
        certificate: &'a [u8],
        scheme: SignatureScheme,
        signature: &'a [u8],
        certificate_verify: &'a [u8],
        finished: &'a [u8],
    },
}

impl<'a> Authenticator<'a> {
    /// `Certificate || CertificateVerify || Finished`, or `Finished` alone.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, ProtocolError> {
        if bytes.len() > MAX_FRAME {
            return Err(ProtocolError::TooLarge);
        }
        let (kind, first, rest) = next(bytes)?;
        if kind == FINISHED && rest.is_empty() {
            return Ok(Self::Empty { finished: first });
        }
        if kind != CERTIFICATE {
            return Err(ProtocolError::Malformed);
        }
        let certificate = prefix(bytes, rest)?;
        let (context, entries) = certificate_body(first)?;

        let (kind, verify, after) = next(rest)?;
        if kind != CERTIFICATE_VERIFY {
            return Err(ProtocolError::Malformed);
        }
        let certificate_verify = prefix(rest, after)?;
        let mut reader = Reader::new(verify);
        let scheme = SignatureScheme::from(reader.u16()?);
        let signature = reader.vec16()?;
        reader.finish()?;

        let (kind, finished, rest) = next(after)?;
        if kind != FINISHED || !rest.is_empty() {
            return Err(ProtocolError::Malformed);
        }
        Ok(Self::Full {
            context,
            entries,
            certificate,
            scheme,
            signature,
            certificate_verify,
            finished,
        })
    }
}

/// ```text
/// struct {
///     opaque certificate_request_context<0..2^8-1>;
///     CertificateEntry certificate_list<0..2^24-1>;
/// } Certificate;
/// struct { opaque cert_data<1..2^24-1>; Extension extensions<0..2^16-1>; } CertificateEntry;
/// ```
///
/// `extensions` are those of the first entry; others have none.
pub(crate) fn put_certificate(
    out: &mut Vec<u8>,
    context: &[u8],
    chain: &[CertificateDer<'_>],
    extensions: &[Extension],
) -> Result<(), SendError> {
    put(out, CERTIFICATE, |body| {
        put_vec8(body, context)?;
        put_within24(body, |list| {
            let mut extensions = Some(extensions);
            for certificate in chain {
                put_vec24(list, certificate)?;
                extension::put(list, extensions.take().unwrap_or_default())?;
            }
            Ok(())
        })
    })
}

/// The Certificate that an empty authenticator has in its transcript.
pub(crate) fn absent_certificate(context: &[u8]) -> Result<Vec<u8>, SendError> {
    let mut out = Vec::new();
    put_certificate(&mut out, context, &[], &[])?;
    Ok(out)
}

/// `struct { SignatureScheme algorithm; opaque signature<0..2^16-1>; } CertificateVerify;`
pub(crate) fn put_certificate_verify(
    out: &mut Vec<u8>,
    scheme: SignatureScheme,
    signature: &[u8],
) -> Result<(), SendError> {
    put(out, CERTIFICATE_VERIFY, |body| {
        body.extend_from_slice(&u16::from(scheme).to_be_bytes());
        put_vec16(body, signature)
    })
}

/// `struct { opaque verify_data[Hash.length]; } Finished;`
pub(crate) fn put_finished(out: &mut Vec<u8>, verify_data: &[u8]) -> Result<(), SendError> {
    put(out, FINISHED, |body| {
        body.extend_from_slice(verify_data);
        Ok(())
    })
}

fn certificate_body(body: &[u8]) -> Result<(&[u8], Vec<CertificateEntry>), ProtocolError> {
    let mut reader = Reader::new(body);
    let context = reader.vec8()?;
    let mut list = Reader::new(reader.vec24()?);
    reader.finish()?;
    let mut entries = Vec::new();
    while !list.is_empty() {
        if entries.len() >= MAX_CHAIN {
            return Err(ProtocolError::TooLarge);
        }
        let der = list.vec24()?;
        if der.is_empty() {
            return Err(ProtocolError::Malformed);
        }
        let certificate = CertificateDer::from(der.to_vec());
        let extensions = extension::decode(list.vec16()?)?;
        entries.push(CertificateEntry {
            certificate,
            extensions,
        });
    }
    // An empty list stands in transcripts only; a refusal sends Finished alone.
    if entries.is_empty() {
        Err(ProtocolError::Malformed)
    } else {
        Ok((context, entries))
    }
}

/// The ClientCertificateRequest of RFC 9261 has a type of its own, so that a request cannot be mirrored.
fn request_type(sender: Side) -> u8 {
    match sender {
        Side::Client => CLIENT_CERTIFICATE_REQUEST,
        Side::Server => CERTIFICATE_REQUEST,
    }
}

fn put(
    out: &mut Vec<u8>,
    kind: u8,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), SendError>,
) -> Result<(), SendError> {
    out.push(kind);
    put_within24(out, write)
}

/// Type, body and what follows.
fn next(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), ProtocolError> {
    let mut reader = Reader::new(bytes);
    let kind = reader.u8()?;
    let body = reader.vec24()?;
    let rest = reader.take(reader.remaining())?;
    Ok((kind, body, rest))
}

/// The part of `whole` before its suffix `rest`.
fn prefix<'a>(whole: &'a [u8], rest: &[u8]) -> Result<&'a [u8], ProtocolError> {
    let length = whole
        .len()
        .checked_sub(rest.len())
        .ok_or(ProtocolError::Malformed)?;
    whole.get(..length).ok_or(ProtocolError::Malformed)
}

/// The offset of the context in a request: after type and length of the message, and the context's own length.
pub(crate) const REQUEST_CONTEXT: usize = 5;

/// Bytes reserved for a request, which has three extensions as a rule.
const USUAL_REQUEST: usize = 256;

const CERTIFICATE: u8 = 11;
const CERTIFICATE_REQUEST: u8 = 13;
const CERTIFICATE_VERIFY: u8 = 15;
const CLIENT_CERTIFICATE_REQUEST: u8 = 17;
const FINISHED: u8 = 20;
