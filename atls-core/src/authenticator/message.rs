//! The five messages of RFC 9261, each in a TLS handshake header:
//!
//! ```text
//! struct { HandshakeType msg_type; uint24 length; opaque body[length]; }
//! ```
//!
//! Parsed to the last octet: what trails, what is missing and what stands in the wrong order is refused.

use pki_types::CertificateDer;
use rustls::SignatureScheme;

use super::extension;
use super::extension::Extension;
use crate::codec::Reader;
use crate::codec::put_vec8;
use crate::codec::put_vec16;
use crate::codec::put_vec24;
use crate::error::ProtocolError;
use crate::limits::MAX_CHAIN;
use crate::limits::MAX_FRAME;
use crate::session::Side;

/// The `certificate_request_context` of a request or of an authenticator; an empty authenticator names none.
///
/// RFC 9261 §6.2 "get context": lets an application find the request that an authenticator answers. It proves
/// nothing.
///
/// # Errors
/// [`ProtocolError::Malformed`] for what begins with no such message.
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

    pub(crate) fn encode(&self, sender: Side) -> Result<Vec<u8>, ProtocolError> {
        let mut body = Vec::new();
        put_vec8(&mut body, self.context)?;
        put_vec16(&mut body, &extension::encode(&self.extensions)?)?;
        message(request_type(sender), &body)
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
pub(crate) fn certificate(
    context: &[u8],
    entries: &[CertificateEntry],
) -> Result<Vec<u8>, ProtocolError> {
    let mut list = Vec::new();
    for entry in entries {
        put_vec24(&mut list, &entry.certificate)?;
        put_vec16(&mut list, &extension::encode(&entry.extensions)?)?;
    }
    let mut body = Vec::new();
    put_vec8(&mut body, context)?;
    put_vec24(&mut body, &list)?;
    message(CERTIFICATE, &body)
}

/// `struct { SignatureScheme algorithm; opaque signature<0..2^16-1>; } CertificateVerify;`
pub(crate) fn certificate_verify(
    scheme: SignatureScheme,
    signature: &[u8],
) -> Result<Vec<u8>, ProtocolError> {
    let mut body = u16::from(scheme).to_be_bytes().to_vec();
    put_vec16(&mut body, signature)?;
    message(CERTIFICATE_VERIFY, &body)
}

/// `struct { opaque verify_data[Hash.length]; } Finished;`
pub(crate) fn finished(verify_data: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    message(FINISHED, verify_data)
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
    // An empty list stands in transcripts only; who refuses sends Finished alone.
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

fn message(kind: u8, body: &[u8]) -> Result<Vec<u8>, ProtocolError> {
    let mut out = vec![kind];
    put_vec24(&mut out, body)?;
    Ok(out)
}

/// Type, body and what follows.
fn next(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), ProtocolError> {
    let mut reader = Reader::new(bytes);
    let kind = reader.u8()?;
    let body = reader.vec24()?;
    let rest = reader.take(reader.remaining())?;
    Ok((kind, body, rest))
}

/// What of `whole` stands before `rest`, its suffix.
fn prefix<'a>(whole: &'a [u8], rest: &[u8]) -> Result<&'a [u8], ProtocolError> {
    let length = whole
        .len()
        .checked_sub(rest.len())
        .ok_or(ProtocolError::Malformed)?;
    whole.get(..length).ok_or(ProtocolError::Malformed)
}

const CERTIFICATE: u8 = 11;
const CERTIFICATE_REQUEST: u8 = 13;
const CERTIFICATE_VERIFY: u8 = 15;
const CLIENT_CERTIFICATE_REQUEST: u8 = 17;
const FINISHED: u8 = 20;
