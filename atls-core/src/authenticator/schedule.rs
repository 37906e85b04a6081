//! Keys, transcript, signature input and MAC of an authenticator (RFC 9261 §5.1, §5.2).

use std::fmt;

use rustls::Tls13CipherSuite;
use rustls::crypto::hash;
use rustls::crypto::hmac;
use rustls::crypto::tls13::OkmBlock;
use zeroize::Zeroizing;

use crate::error::ProtocolError;
use crate::session::Session;
use crate::session::Side;

/// The Handshake Context and Finished MAC Key of one direction of one connection.
pub(crate) struct Schedule {
    suite: &'static Tls13CipherSuite,
    handshake_context: Zeroizing<Vec<u8>>,
    finished_key: OkmBlock,
}

impl Schedule {
    /// The labels name the *sender of the authenticator*, whoever asked; the exporter context is empty and the
    /// length is that of the suite's hash. The MAC key is used as it is, without TLS 1.3's "finished" step.
    pub(crate) fn of(session: &dyn Session, sender: Side) -> Result<Self, ProtocolError> {
        let (context_label, key_label): (&[u8], &[u8]) = match sender {
            Side::Client => (
                b"EXPORTER-client authenticator handshake context",
                b"EXPORTER-client authenticator finished key",
            ),
            Side::Server => (
                b"EXPORTER-server authenticator handshake context",
                b"EXPORTER-server authenticator finished key",
            ),
        };
        let suite = session.handshake().suite();
        let length = suite.common.hash_provider.output_len();
        let mut handshake_context = Zeroizing::new(vec![0; length]);
        session.export(context_label, b"", &mut handshake_context)?;
        let mut key = Zeroizing::new(vec![0; length]);
        session.export(key_label, b"", &mut key)?;
        Ok(Self {
            suite,
            handshake_context,
            finished_key: OkmBlock::new(&key),
        })
    }

    /// Signature input of CertificateVerify (RFC 9261 §5.2.2):
    ///
    /// ```text
    /// 0x20 × 64 || "Exported Authenticator" || 0x00
    ///   || Hash(Handshake Context || authenticator request || Certificate)
    /// ```
    pub(crate) fn to_be_signed(&self, request: &[u8], certificate: &[u8]) -> Vec<u8> {
        let transcript = self.transcript(&[request, certificate]);
        let mut input = vec![0x20; 64];
        input.extend_from_slice(b"Exported Authenticator\0");
        input.extend_from_slice(transcript.as_ref());
        input
    }

    /// Finished (RFC 9261 §5.2.3):
    ///
    /// ```text
    /// HMAC(Finished MAC Key,
    ///      Hash(Handshake Context || authenticator request || Certificate || CertificateVerify))
    /// ```
    pub(crate) fn finished(&self, messages: &[&[u8]]) -> hmac::Tag {
        let transcript = self.transcript(messages);
        self.suite
            .hkdf_provider
            .hmac_sign(&self.finished_key, transcript.as_ref())
    }

    fn transcript(&self, messages: &[&[u8]]) -> hash::Output {
        let mut hash = self.suite.common.hash_provider.start();
        hash.update(&self.handshake_context);
        for message in messages {
            hash.update(message);
        }
        hash.finish()
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Schedule(..)")
    }
}
