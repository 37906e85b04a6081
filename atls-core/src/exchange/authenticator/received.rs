//! The answering end: a request that arrived becomes one authenticator.

use std::fmt;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::sign::CertifiedKey;

use super::extension;
use super::extension::Extension;
use super::extension::SERVER_NAME;
use super::extension::SIGNATURE_ALGORITHMS;
use super::message;
use super::message::Request;
use super::schedule::Schedule;
use super::scheme;
use crate::error::ProtocolError;
use crate::error::SendError;
use crate::limits::MAX_CHAIN;
use crate::limits::MAX_FRAME;
use crate::session::Session;
use crate::session::Side;

/// An authenticator request of the peer. It is answered once.
pub struct ReceivedRequest {
    bytes: Vec<u8>,
    context: Vec<u8>,
    extensions: Vec<Extension>,
    schemes: Vec<SignatureScheme>,
    identity: Option<Arc<CertifiedKey>>,
    schedule: Schedule,
}

impl ReceivedRequest {
    /// Parses the peer's request and spends its context.
    ///
    /// # Errors
    /// [`ProtocolError::Malformed`] for a message other than the request that the peer's side may send, and for a request without
    /// `signature_algorithms`. [`ProtocolError::UnsolicitedExtension`] for `server_name` from a server.
    /// [`ProtocolError::ContextSpent`] for a context that either end used on this connection.
    pub fn receive(session: &dyn Session, request: &[u8]) -> Result<Self, ProtocolError> {
        let handshake = session.handshake();
        let sender = handshake.side().peer();
        let Request {
            context,
            extensions,
        } = Request::decode(request, sender)?;
        handshake.spent().spend(context)?;
        if sender == Side::Server && extension::find(&extensions, SERVER_NAME).is_some() {
            return Err(ProtocolError::UnsolicitedExtension(SERVER_NAME));
        }
        let schemes = extension::find(&extensions, SIGNATURE_ALGORITHMS);
        let schemes = scheme::decode(schemes.ok_or(ProtocolError::Malformed)?)?;
        let context = context.to_vec();
        let schedule = Schedule::of(session, handshake.side())?;
        let identity = handshake.identity().cloned();
        Ok(Self {
            bytes: request.to_vec(),
            context,
            extensions,
            schemes,
            identity,
            schedule,
        })
    }

    /// `certificate_request_context`, 0 to 255 bytes.
    pub fn context(&self) -> &[u8] {
        &self.context
    }

    /// The data of an extension of the request. Unknown extensions are kept and ignored.
    pub fn extension(&self, code: u16) -> Option<&[u8]> {
        extension::find(&self.extensions, code)
    }

    /// The certified key that will answer. It is that of the TLS handshake if this end sent a certificate there.
    pub fn identity(&self) -> Option<&CertifiedKey> {
        self.identity.as_deref()
    }

    /// Answers with certificate chain, signature and MAC: "authenticate" of RFC 9261 §6.3. The first entry gets `extensions`.
    ///
    /// # Errors
    /// [`ProtocolError::NoCommonScheme`] where the request offers no scheme of this end's key. [`ProtocolError::NoIdentity`]
    /// without a certified key. [`SendError`] for an answer that every peer must refuse: an extension that the request did not
    /// offer, a chain of more than 8 certificates, a key without a scheme of TLS 1.3, parts that do not fit.
    pub fn authenticate(self, extensions: &[Extension]) -> Result<Vec<u8>, ProtocolError> {
        let unsolicited = extensions
            .iter()
            .find(|own| self.extension(own.code).is_none());
        if let Some(extension) = unsolicited {
            return Err(SendError::Extension(extension.code).into());
        }
        let identity = self.identity.as_deref();
        let identity = identity
            .filter(|identity| !identity.cert.is_empty())
            .ok_or(ProtocolError::NoIdentity)?;
        if identity.cert.len() > MAX_CHAIN {
            return Err(SendError::Chain.into());
        }
        let allowed: Vec<_> = self
            .schemes
            .iter()
            .copied()
            .filter(|offered| scheme::TLS13.contains(offered))
            .collect();
        let signer = identity.key.choose_scheme(&allowed).ok_or_else(|| {
            match identity.key.choose_scheme(&scheme::TLS13) {
                Some(_) => ProtocolError::NoCommonScheme,
                None => SendError::Key.into(),
            }
        })?;

        let carried = extension::encoded_length(extensions);
        let mut authenticator = Vec::with_capacity(USUAL_AUTHENTICATOR.saturating_add(carried));
        message::put_certificate(
            &mut authenticator,
            &self.context,
            &identity.cert,
            extensions,
        )?;
        let transcript = self.schedule.transcript(&self.bytes, &authenticator);
        let signature = signer
            .sign(&transcript.to_be_signed())
            .map_err(|_| ProtocolError::Sign)?;
        let certificate = authenticator.len();
        message::put_certificate_verify(&mut authenticator, signer.scheme(), &signature)?;
        let verify = authenticator
            .get(certificate..)
            .ok_or(SendError::TooLarge)?;
        let mac = transcript.finished(verify);
        message::put_finished(&mut authenticator, mac.as_ref())?;
        if authenticator.len() > MAX_FRAME {
            return Err(SendError::TooLarge.into());
        }
        Ok(authenticator)
    }

    /// Answers with the empty authenticator, an authentic refusal (RFC 9261 §5.2, last paragraphs). Its Certificate without
    /// entries stands in the transcript and is not sent.
    ///
    /// # Errors
    /// None in practice; the context always fits.
    pub fn decline(self) -> Result<Vec<u8>, ProtocolError> {
        let absent = message::absent_certificate(&self.context)?;
        let transcript = self.schedule.transcript(&self.bytes, &absent);
        let mac = transcript.finished(&[]);
        let mut authenticator = Vec::new();
        message::put_finished(&mut authenticator, mac.as_ref())?;
        Ok(authenticator)
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("schemes", &self.schemes)
            .field("extensions", &self.extensions.len())
            .finish_non_exhaustive()
    }
}

/// Bytes that are reserved for an authenticator beside its extensions: a small chain and a signature.
const USUAL_AUTHENTICATOR: usize = 2048;
