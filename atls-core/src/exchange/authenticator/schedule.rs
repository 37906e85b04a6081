//! Keys, transcript, signature input and MAC of an authenticator (RFC 9261 §5.1, §5.2).

use rustls::Tls13CipherSuite;
use rustls::crypto::hash;
use rustls::crypto::hmac;
use rustls::crypto::tls13::OkmBlock;
use zeroize::Zeroizing;

use crate::error::ProtocolError;
use crate::session::Session;
use crate::session::Side;

/// The Handshake Context and Finished MAC Key of one direction of one connection. Without `Debug` nothing can print it.
pub(crate) struct Schedule {
    suite: &'static Tls13CipherSuite,
    handshake_context: Zeroizing<Vec<u8>>,
    finished_key: OkmBlock,
}

impl Schedule {
    /// The labels name the *sender of the authenticator*. The exporter context is empty, and the length is that of the suite's
    /// hash. The MAC key is used as it is, without TLS 1.3's "finished" step.
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

    /// Begins the transcript that signature and MAC share (RFC 9261 §5.2.2, §5.2.3):
    ///
    /// ```text
    /// Handshake Context || authenticator request || Certificate
    /// ```
    pub(crate) fn transcript(&self, request: &[u8], certificate: &[u8]) -> Transcript<'_> {
        let mut hash = self.suite.common.hash_provider.start();
        for part in [&self.handshake_context, request, certificate] {
            hash.update(part);
        }
        Transcript {
            schedule: self,
            hash,
        }
    }
}

/// The messages of one authenticator so far, hashed once for both signature and MAC.
pub(crate) struct Transcript<'a> {
    schedule: &'a Schedule,
    hash: Box<dyn hash::Context>,
}

impl Transcript<'_> {
    /// Signature input of CertificateVerify (RFC 9261 §5.2.2):
    ///
    /// ```text
    /// 0x20 × 64 || "Exported Authenticator" || 0x00 || Hash(transcript)
    /// ```
    pub(crate) fn to_be_signed(&self) -> Vec<u8> {
        let mut input = vec![0x20; 64];
        input.extend_from_slice(b"Exported Authenticator\0");
        input.extend_from_slice(self.hash.fork_finish().as_ref());
        input
    }

    /// Finished (RFC 9261 §5.2.3). An empty authenticator has an empty CertificateVerify.
    ///
    /// ```text
    /// HMAC(Finished MAC Key, Hash(transcript || CertificateVerify))
    /// ```
    pub(crate) fn finished(mut self, certificate_verify: &[u8]) -> hmac::Tag {
        self.hash.update(certificate_verify);
        let suite = self.schedule.suite;
        suite
            .hkdf_provider
            .hmac_sign(&self.schedule.finished_key, self.hash.finish().as_ref())
    }
}
