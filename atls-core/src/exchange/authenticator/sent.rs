//! The asking end: a request that was sent, and its one answer.

use std::fmt;
use std::sync::Arc;

use pki_types::CertificateDer;
use rustls::SignatureScheme;
use subtle::ConstantTimeEq;

use super::answer_rules::AnswerRules;
use super::extension;
use super::message;
use super::message::Authenticator;
use super::message::CertificateEntry;
use super::schedule::Schedule;
use super::schedule::Transcript;
use super::scheme;
use crate::error::ProtocolError;
use crate::limits::CONTEXT_LENGTH;

/// An authenticator request of this end that waits for its one answer.
pub struct SentRequest {
    pub(super) rules: Arc<AnswerRules>,
    pub(super) bytes: Vec<u8>,
    pub(super) context: [u8; CONTEXT_LENGTH],
    pub(super) schedule: Schedule,
}

impl SentRequest {
    /// The message to send.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// `certificate_request_context`, 32 bytes.
    pub fn context(&self) -> &[u8] {
        &self.context
    }

    /// Verifies the answer: "validate" of RFC 9261 §6.4. It proves that the sender holds the end-entity key and answers this very
    /// request on this very connection. It does not say that the certificate is trusted.
    ///
    /// # Errors
    /// [`ProtocolError`] for each reject rule of RFC 9261 §5 and §6 except that of the certificate chain, and
    /// [`ProtocolError::Declined`] for a valid empty authenticator.
    pub fn verify(self, authenticator: &[u8]) -> Result<VerifiedAuthenticator, ProtocolError> {
        match Authenticator::decode(authenticator)? {
            Authenticator::Empty { finished } => {
                let absent = message::absent_certificate(&self.context)?;
                let transcript = self.schedule.transcript(&self.bytes, &absent);
                check_finished(transcript, &[], finished)?;
                Err(ProtocolError::Declined)
            }
            Authenticator::Full {
                context,
                entries,
                certificate,
                scheme,
                signature,
                certificate_verify,
                finished,
            } => {
                if context != self.context {
                    return Err(ProtocolError::ContextMismatch);
                }
                let transcript = self.schedule.transcript(&self.bytes, certificate);
                let signed = transcript.to_be_signed();
                // The MAC is cheap, and unforgeable without the connection. So it is checked before everything else.
                check_finished(transcript, certificate_verify, finished)?;
                self.check_extensions(&entries)?;
                let leaf = entries.first().ok_or(ProtocolError::Malformed)?;
                let leaf = webpki::EndEntityCert::try_from(&leaf.certificate)
                    .map_err(|_| ProtocolError::Malformed)?;
                self.check_signature(&leaf, &signed, scheme, signature)?;
                let spki = leaf.subject_public_key_info().as_ref().to_vec();
                Ok(VerifiedAuthenticator {
                    entries,
                    spki,
                    scheme,
                })
            }
        }
    }

    fn check_extensions(&self, entries: &[CertificateEntry]) -> Result<(), ProtocolError> {
        let sent = entries.iter().flat_map(|entry| &entry.extensions);
        match sent
            .into_iter()
            .find(|extension| !self.rules.extensions.contains(&extension.code))
        {
            Some(extension) => Err(ProtocolError::UnsolicitedExtension(extension.code)),
            None => Ok(()),
        }
    }

    fn check_signature(
        &self,
        leaf: &webpki::EndEntityCert<'_>,
        signed: &[u8],
        scheme: SignatureScheme,
        signature: &[u8],
    ) -> Result<(), ProtocolError> {
        let refused = ProtocolError::SchemeNotOffered(scheme.into());
        if !self.rules.schemes.contains(&scheme) {
            return Err(refused);
        }
        let algorithm =
            scheme::algorithm(&self.rules.algorithms, scheme).ok_or_else(|| refused.clone())?;
        leaf.verify_signature(algorithm, signed, signature)
            .map_err(|error| match error {
                webpki::Error::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => refused,
                _ => ProtocolError::BadSignature,
            })
    }
}

impl fmt::Debug for SentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentRequest")
            .field("schemes", &self.rules.schemes)
            .finish_non_exhaustive()
    }
}

/// A certificate chain whose end-entity key is proven on this connection. The chain itself is not checked.
#[derive(Clone)]
pub struct VerifiedAuthenticator {
    entries: Vec<CertificateEntry>,
    spki: Vec<u8>,
    scheme: SignatureScheme,
}

impl VerifiedAuthenticator {
    /// The end-entity certificate.
    pub fn end_entity(&self) -> Option<&CertificateDer<'static>> {
        self.entries.first().map(|entry| &entry.certificate)
    }

    /// All certificates as sent, end-entity first.
    pub fn chain(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.entries.iter().map(|entry| &entry.certificate)
    }

    /// DER SubjectPublicKeyInfo of the end-entity certificate, as carried in it.
    pub fn public_key(&self) -> &[u8] {
        &self.spki
    }

    /// The scheme by which that key signed.
    pub fn scheme(&self) -> SignatureScheme {
        self.scheme
    }

    /// An extension of the end-entity certificate's entry.
    pub fn extension(&self, code: u16) -> Option<&[u8]> {
        extension::find(&self.entries.first()?.extensions, code)
    }

    /// Tells whether an entry other than the first carries the extension.
    pub(crate) fn has_later_extension(&self, code: u16) -> bool {
        self.entries
            .iter()
            .skip(1)
            .any(|entry| extension::find(&entry.extensions, code).is_some())
    }
}

impl fmt::Debug for VerifiedAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedAuthenticator")
            .field("certificates", &self.entries.len())
            .finish_non_exhaustive()
    }
}

/// DER SubjectPublicKeyInfo of a certificate, bytes as carried.
pub(crate) fn spki(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, ProtocolError> {
    let certificate =
        webpki::EndEntityCert::try_from(certificate).map_err(|_| ProtocolError::Malformed)?;
    Ok(certificate.subject_public_key_info().as_ref().to_vec())
}

fn check_finished(
    transcript: Transcript<'_>,
    certificate_verify: &[u8],
    finished: &[u8],
) -> Result<(), ProtocolError> {
    let expected = transcript.finished(certificate_verify);
    // Slices of unequal length compare unequal: a truncated MAC is a wrong one.
    if bool::from(expected.as_ref().ct_eq(finished)) {
        Ok(())
    } else {
        Err(ProtocolError::BadFinished)
    }
}
