//! Signature input, MAC and binder (docs/protocol.md §4 and §5), out of a live connection.

use std::io;

use atls_core::session::Session;
use atls_core::session::Side;
use rustls::Tls13CipherSuite;
use rustls::crypto::tls13::OkmBlock;

/// What both messages of an authenticator are made with.
#[allow(missing_debug_implementations, reason = "it holds secrets")]
pub struct Schedule {
    suite: &'static Tls13CipherSuite,
    handshake_context: Vec<u8>,
    finished_key: OkmBlock,
}

impl Schedule {
    /// By the labels of this sender.
    ///
    /// # Errors
    /// Where the connection cannot export.
    pub fn of(session: &dyn Session, sender: Side) -> io::Result<Self> {
        let suite = session.handshake().suite();
        let length = suite.common.hash_provider.output_len();
        let export = |what: &str| {
            let label = format!("EXPORTER-{sender} authenticator {what}");
            let mut out = vec![0; length];
            let exported = session.export(label.as_bytes(), b"", &mut out);
            exported.map_err(io::Error::other).map(|()| out)
        };
        Ok(Self {
            suite,
            handshake_context: export("handshake context")?,
            finished_key: OkmBlock::new(&export("finished key")?),
        })
    }

    pub fn to_be_signed(&self, request: &[u8], certificate: &[u8]) -> Vec<u8> {
        let hash = self.hash(&[request, certificate]);
        [&[0x20; 64][..], b"Exported Authenticator\0", &hash].concat()
    }

    pub fn mac(&self, request: &[u8], certificate: &[u8], verify: &[u8]) -> Vec<u8> {
        let hash = self.hash(&[request, certificate, verify]);
        let hkdf = self.suite.hkdf_provider;
        hkdf.hmac_sign(&self.finished_key, &hash).as_ref().to_vec()
    }

    fn hash(&self, messages: &[&[u8]]) -> Vec<u8> {
        let mut hash = self.suite.common.hash_provider.start();
        hash.update(&self.handshake_context);
        for message in messages {
            hash.update(message);
        }
        hash.finish().as_ref().to_vec()
    }
}

/// The value that Evidence must carry, 32 or 48 bytes.
///
/// # Errors
/// Where the connection cannot export.
pub fn binder(session: &dyn Session, context: &[u8], spki: &[u8]) -> io::Result<Vec<u8>> {
    let mut exported = [0; 32];
    let label = super::PROFILE.exporter_label();
    session
        .export(label.as_bytes(), context, &mut exported)
        .map_err(io::Error::other)?;
    let mut hash = session.handshake().suite().common.hash_provider.start();
    hash.update(spki);
    hash.update(&exported);
    Ok(hash.finish().as_ref().to_vec())
}
