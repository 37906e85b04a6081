//! The common part of the requests of all connections, encoded once.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::crypto::SecureRandom;

use super::answer_rules::AnswerRules;
use super::extension::Extension;
use super::extension::SERVER_NAME;
use super::extension::SIGNATURE_ALGORITHMS;
use super::message::REQUEST_CONTEXT;
use super::message::Request;
use super::prepared::PreparedRequest;
use super::scheme;
use super::sent::SentRequest;
use crate::error::ProtocolError;
use crate::error::SendError;
use crate::limits::CONTEXT_LENGTH;
use crate::session::Session;
use crate::session::Side;

/// Asks the peer of this connection for an authenticator: "request" of RFC 9261 §6.1.
///
/// # Errors
/// Those of [`RequestTemplate::new`], [`RequestTemplate::prepare`] and [`PreparedRequest::on`].
pub fn request(
    session: &dyn Session,
    provider: &CryptoProvider,
    extensions: Vec<Extension>,
) -> Result<SentRequest, ProtocolError> {
    let side = session.handshake().side();
    RequestTemplate::new(side, provider, extensions)?
        .prepare()?
        .on(session)
}

/// Makes authenticator requests that differ in their context only.
#[derive(Clone)]
pub struct RequestTemplate {
    random: &'static dyn SecureRandom,
    rules: Arc<AnswerRules>,
    /// The message, with a context of zeros.
    bytes: Arc<[u8]>,
}

impl RequestTemplate {
    /// A maker of CertificateRequests for a server, or of ClientCertificateRequests for a client. The provider gives
    /// `signature_algorithms`, and the caller gives further extensions.
    ///
    /// # Errors
    /// [`SendError`] for a request that every peer must refuse: it has no scheme of TLS 1.3 that the provider verifies,
    /// `server_name` on a server, a repeated extension, or extensions that are too many or too large.
    pub fn new(
        side: Side,
        provider: &CryptoProvider,
        extensions: Vec<Extension>,
    ) -> Result<Self, SendError> {
        let algorithms = provider.signature_verification_algorithms;
        let schemes = scheme::offered(&algorithms);
        if schemes.is_empty() {
            return Err(SendError::NoSchemes);
        }
        let names_server = extensions.iter().any(|own| own.code == SERVER_NAME);
        if side == Side::Server && names_server {
            return Err(SendError::Extension(SERVER_NAME));
        }
        let mut all = vec![Extension {
            code: SIGNATURE_ALGORITHMS,
            data: scheme::encode(&schemes)?,
        }];
        all.extend(extensions);
        let extensions = all.iter().map(|extension| extension.code).collect();
        let bytes = Request {
            context: &[0; CONTEXT_LENGTH],
            extensions: all,
        }
        .encode(side)?;
        Ok(Self {
            random: provider.secure_random,
            rules: Arc::new(AnswerRules {
                side,
                extensions,
                schemes,
                algorithms,
            }),
            bytes: bytes.into(),
        })
    }

    /// A request with a fresh random context of 32 bytes.
    ///
    /// # Errors
    /// [`ProtocolError::Random`] where the provider has no randomness.
    pub fn prepare(&self) -> Result<PreparedRequest, ProtocolError> {
        let mut context = [0; CONTEXT_LENGTH];
        self.random
            .fill(&mut context)
            .map_err(|_| ProtocolError::Random)?;
        let mut bytes = self.bytes.to_vec();
        bytes
            .get_mut(REQUEST_CONTEXT..)
            .and_then(|rest| rest.first_chunk_mut())
            .map(|room| *room = context)
            .ok_or(SendError::TooLarge)?;
        Ok(PreparedRequest {
            rules: self.rules.clone(),
            bytes,
            context,
        })
    }
}

impl fmt::Debug for RequestTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestTemplate")
            .field("side", &self.rules.side)
            .field("schemes", &self.rules.schemes)
            .finish_non_exhaustive()
    }
}
