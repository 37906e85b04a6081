//! The value that Evidence must carry: this connection, this key.

use std::fmt;

use rustls::Tls13CipherSuite;
use sha2::Digest;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::ProtocolError;
use crate::limits::NONCE_LENGTH;
use crate::session::Session;
use crate::session::Side;

/// What Evidence must carry to be about one connection and one key, 32 or 48 bytes.
///
/// draft-fossati-seat-expat-03, "Attestation Binder":
///
/// ```text
/// exported_value = TLS-Exporter("Attestation", certificate_request_context, 32)
/// binder         = Hash(public_key || exported_value)
/// ```
///
/// `public_key` is the DER SubjectPublicKeyInfo of the end-entity certificate as carried, `Hash` that of the
/// cipher suite. It is computed from the live connection and from nothing else: no constructor takes bytes, so
/// nobody can have a caller-chosen value attested through this type.
///
/// The two weaker modes have values of their own, which no binder can ever equal: its hashed bytes begin with the
/// `SEQUENCE` of a SubjectPublicKeyInfo, 0x30, as those of a handshake do not, and have 32 more after it, as those of a key do
/// not. Hence a key whose public half is anything but one SubjectPublicKeyInfo is refused.
///
/// ```text
/// bound to a key        SHA-256(public_key)
/// bound to a handshake  SHA-256("atls intra-handshake" || 0x00 || role || nonce || public_key)
/// ```
///
/// `role` is 0x63 (`c`) or 0x73 (`s`) for the side that attests, `nonce` 32 bytes that the other side chose. Without
/// that separation a peer could choose the exported value of another connection as its nonce, and have the binder of
/// that connection attested.
///
/// How a platform carries it is one of the forms of [`ExpectedValue`](crate::ExpectedValue), used by both its halves.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Bound {
    bytes: Vec<u8>,
}

impl Bound {
    /// For Evidence in a certificate: about the key alone.
    pub(crate) fn of_key(spki: &[u8]) -> Self {
        Self {
            bytes: Sha256::digest(spki).to_vec(),
        }
    }

    /// For Evidence made during the handshake: about a nonce and the key of the side that attests.
    pub(crate) fn of_handshake(attests: Side, nonce: &[u8; NONCE_LENGTH], spki: &[u8]) -> Self {
        let role = match attests {
            Side::Client => b"c",
            Side::Server => b"s",
        };
        let mut hash = Sha256::new();
        hash.update(b"atls intra-handshake\0");
        hash.update(role);
        hash.update(nonce);
        hash.update(spki);
        Self {
            bytes: hash.finalize().to_vec(),
        }
    }

    /// The bytes, 32 with a SHA-256 suite and 48 with a SHA-384 one. A verifier compares them by
    /// [`ExpectedValue::compare`](crate::ExpectedValue::compare).
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Bound {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Lower-case hexadecimal. The value is no secret: it is a hash, and the Evidence shows it.
impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bound({self})")
    }
}

/// `exported_value`, from which the binder follows once the end-entity key is known.
pub(crate) struct ExportedValue {
    suite: &'static Tls13CipherSuite,
    value: Zeroizing<[u8; 32]>,
}

impl ExportedValue {
    pub(crate) fn of(session: &dyn Session, context: &[u8]) -> Result<Self, ProtocolError> {
        let mut value = Zeroizing::new([0; 32]);
        session.export(EXPORTER_LABEL, context, value.as_mut_slice())?;
        Ok(Self {
            suite: session.handshake().suite(),
            value,
        })
    }

    pub(crate) fn bind(&self, spki: &[u8]) -> Bound {
        let mut hash = self.suite.common.hash_provider.start();
        hash.update(spki);
        hash.update(self.value.as_slice());
        Bound {
            bytes: hash.finish().as_ref().to_vec(),
        }
    }
}

impl fmt::Debug for ExportedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExportedValue(..)")
    }
}

/// The normative text of the draft; one other passage of it says "Attestation Binding".
const EXPORTER_LABEL: &[u8] = b"Attestation";
