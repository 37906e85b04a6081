//! The asking end, before its connection: a request made ahead.

use std::fmt;

use rustls::SignatureScheme;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;

use super::extension::Extension;
use super::extension::SERVER_NAME;
use super::extension::SIGNATURE_ALGORITHMS;
use super::message::Request;
use super::schedule::Schedule;
use super::scheme;
use super::sent::SentRequest;
use crate::error::ProtocolError;
use crate::limits::CONTEXT_LENGTH;
use crate::sending::SendError;
use crate::session::Session;
use crate::session::Side;

/// An authenticator request made before its connection is there, so that it can leave with the end of the handshake.
pub struct PreparedRequest {
    side: Side,
    pub(super) bytes: Vec<u8>,
    pub(super) context: [u8; CONTEXT_LENGTH],
    pub(super) offered: Vec<u16>,
    pub(super) schemes: Vec<SignatureScheme>,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl PreparedRequest {
    /// Makes a CertificateRequest (on a server) or ClientCertificateRequest (on a client) with a fresh random
    /// context of 32 octets. `signature_algorithms` comes from the provider; further extensions are the caller's.
    ///
    /// # Errors
    /// [`ProtocolError::Random`] where the provider has no randomness, and [`SendError`] for a request that every peer
    /// must refuse: without a scheme of TLS 1.3 that the provider verifies, with `server_name` on a server, with an
    /// extension that is repeated, with too many or too large ones.
    pub fn new(
        side: Side,
        provider: &CryptoProvider,
        extensions: Vec<Extension>,
    ) -> Result<Self, ProtocolError> {
        let mut context = [0; CONTEXT_LENGTH];
        provider
            .secure_random
            .fill(&mut context)
            .map_err(|_| ProtocolError::Random)?;

        let algorithms = provider.signature_verification_algorithms;
        let schemes = scheme::offered(&algorithms);
        if schemes.is_empty() {
            return Err(SendError::NoSchemes.into());
        }
        let names_server = extensions.iter().any(|own| own.code == SERVER_NAME);
        if side == Side::Server && names_server {
            return Err(SendError::Extension(SERVER_NAME).into());
        }
        let mut all = vec![Extension {
            code: SIGNATURE_ALGORITHMS,
            data: scheme::encode(&schemes)?,
        }];
        all.extend(extensions);
        let offered = all.iter().map(|extension| extension.code).collect();
        let bytes = Request {
            context: &context,
            extensions: all,
        }
        .encode(side)?;
        Ok(Self {
            side,
            bytes,
            context,
            offered,
            schemes,
            algorithms,
        })
    }

    /// The message to send.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The connection that it is sent on, and on no other: its context is spent hereby.
    ///
    /// # Errors
    /// [`ProtocolError`] where the exporter has none to give, the connection had its requests, is of the other side, or
    /// already saw this context: a peer that read the request may have sent it back.
    pub fn on(self, session: &dyn Session) -> Result<SentRequest, ProtocolError> {
        let handshake = session.handshake();
        if handshake.side() != self.side {
            return Err(ProtocolError::WrongSide);
        }
        handshake
            .spent()
            .spend(&self.context)
            .map_err(|error| match error {
                ProtocolError::TooManyRequests => SendError::TooManyRequests.into(),
                other => other,
            })?;
        let schedule = Schedule::of(session, self.side.peer())?;
        Ok(SentRequest::waiting(self, schedule))
    }
}

impl fmt::Debug for PreparedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedRequest")
            .field("side", &self.side)
            .field("schemes", &self.schemes)
            .finish_non_exhaustive()
    }
}
