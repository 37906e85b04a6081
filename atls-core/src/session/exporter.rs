//! The TLS 1.3 exporter over a secret of this process's key log.

use std::fmt;

use rustls::Tls13CipherSuite;
use rustls::crypto::tls13::OkmBlock;

use crate::error::ProtocolError;

/// An `exporter_secret` of RFC 9846 §7.1, wiped when dropped.
///
/// It serves an HTTP client that hides its TLS stream and takes a `rustls::ClientConfig`. The key log of that configuration
/// sees this secret.
pub struct ExporterSecret {
    suite: &'static Tls13CipherSuite,
    secret: OkmBlock,
}

impl ExporterSecret {
    /// Takes the secret out of a key log.
    ///
    /// # Errors
    /// [`ProtocolError::Export`] where the secret is not as long as the suite's hash, 32 or 48 bytes.
    pub fn new(suite: &'static Tls13CipherSuite, secret: &[u8]) -> Result<Self, ProtocolError> {
        if secret.len() != suite.common.hash_provider.output_len() {
            return Err(ProtocolError::Export);
        }
        Ok(Self {
            suite,
            secret: OkmBlock::new(secret),
        })
    }

    /// Fills `output` as RFC 9846 §7.5 says:
    ///
    /// ```text
    /// HKDF-Expand-Label(Derive-Secret(exporter_secret, label, ""), "exporter", Hash(context), length)
    /// ```
    ///
    /// # Errors
    /// [`ProtocolError::Export`] where a length does not fit its field.
    pub fn export(
        &self,
        label: &[u8],
        context: &[u8],
        output: &mut [u8],
    ) -> Result<(), ProtocolError> {
        let hash = self.suite.common.hash_provider;
        let mut derived = zeroize::Zeroizing::new(vec![0; hash.output_len()]);
        self.expand(&self.secret, label, hash.hash(b"").as_ref(), &mut derived)?;
        let derived = OkmBlock::new(&derived);
        self.expand(&derived, b"exporter", hash.hash(context).as_ref(), output)
    }

    /// `HKDF-Expand-Label` of RFC 9846 §7.1.
    fn expand(
        &self,
        secret: &OkmBlock,
        label: &[u8],
        context: &[u8],
        output: &mut [u8],
    ) -> Result<(), ProtocolError> {
        const PREFIX: &[u8] = b"tls13 ";
        let length = u16::try_from(output.len()).map_err(|_| ProtocolError::Export)?;
        let label_length = u8::try_from(PREFIX.len().saturating_add(label.len()))
            .map_err(|_| ProtocolError::Export)?;
        let context_length = u8::try_from(context.len()).map_err(|_| ProtocolError::Export)?;
        self.suite
            .hkdf_provider
            .expander_for_okm(secret)
            .expand_slice(
                &[
                    &length.to_be_bytes(),
                    &[label_length],
                    PREFIX,
                    label,
                    &[context_length],
                    context,
                ],
                output,
            )
            .map_err(|_| ProtocolError::Export)
    }
}

impl fmt::Debug for ExporterSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExporterSecret(..)")
    }
}
