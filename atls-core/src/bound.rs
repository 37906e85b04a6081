//! The value that Evidence must carry. It stands for one connection and one key.

use std::fmt;

use rustls::Tls13CipherSuite;
use sha2::Digest;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::ProtocolError;
use crate::limits::NONCE_LENGTH;
use crate::merkle::NodeHash;
use crate::session::Session;
use crate::session::Side;
use crate::wire_profile::BinderForm;
use crate::wire_profile::WireProfile;

/// The value, 32 or 48 bytes, that Evidence must carry to be about one connection and one key.
///
/// draft-fossati-seat-expat, "Attestation Binder", with the label of the [`WireProfile`]:
///
/// ```text
/// exported_value = TLS-Exporter(label, certificate_request_context, 32)
/// binder         = Hash(public_key || exported_value)
/// ```
///
/// `public_key` is the DER SubjectPublicKeyInfo of the end-entity certificate as carried. `Hash` is that of the cipher suite.
/// The binder is computed from the live connection. No constructor takes bytes, so nobody can have a caller-chosen value
/// attested through this type.
///
/// The two weaker modes have values of their own:
///
/// ```text
/// bound to a key        SHA-256(public_key)
/// bound to a handshake  SHA-256("atls intra-handshake" || 0x00 || role || nonce || public_key)
/// ```
///
/// `role` is 0x63 (`c`) or 0x73 (`s`) for the side that attests. `nonce` is 32 bytes that the other side chose.
///
/// Evidence of a [`Batch`](crate::exchange::batch::Batch) carries the root of a tree of binders, 32 bytes:
///
/// ```text
/// bound to a batch      SHA-256(0x01 || left || right)      left and right: 32 bytes each
/// ```
///
/// The preimages of the four values never coincide. That of a binder begins with 0x30, the `SEQUENCE` of a
/// SubjectPublicKeyInfo, and continues for 32 bytes after it. That of a handshake and that of a batch begin with other bytes. That
/// of a key ends with the SubjectPublicKeyInfo, and keys with anything after it are refused. Otherwise a peer could send the
/// exported value of another connection as its nonce, and have the binder of that connection attested.
///
/// A platform carries the value in one of the forms of [`ExpectedValue`](crate::expected::ExpectedValue). Its attester and its verifier use
/// the same form.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Bound {
    bytes: Vec<u8>,
}

impl Bound {
    /// The value for Evidence in a certificate. It stands for the key alone.
    pub(crate) fn of_key(spki: &[u8]) -> Self {
        Self {
            bytes: Sha256::digest(spki).to_vec(),
        }
    }

    /// The value for Evidence made during the handshake. It stands for a nonce and for the key of the side that attests.
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

    /// The value for Evidence that the connections of a batch share.
    pub(crate) fn of_batch(root: &NodeHash) -> Self {
        Self {
            bytes: root.as_bytes().to_vec(),
        }
    }

    /// The bytes: 32 with a SHA-256 suite, 48 with a SHA-384 suite. A verifier compares them by
    /// [`ExpectedValue::compare`](crate::expected::ExpectedValue::compare).
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Bound {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Prints lower-case hexadecimal. The value is a hash that the Evidence shows, and no secret.
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

/// The `exported_value` of one request. Together with the end-entity key it gives the binder.
pub(crate) struct ExportedValue {
    form: BinderForm,
    suite: &'static Tls13CipherSuite,
    value: Zeroizing<[u8; 32]>,
}

impl ExportedValue {
    pub(crate) fn of(
        profile: WireProfile,
        session: &dyn Session,
        context: &[u8],
    ) -> Result<Self, ProtocolError> {
        let mut value = Zeroizing::new([0; 32]);
        let label = profile.exporter_label().as_bytes();
        session.export(label, context, value.as_mut_slice())?;
        Ok(Self {
            form: profile.binder(),
            suite: session.handshake().suite(),
            value,
        })
    }

    pub(crate) fn bind(&self, spki: &[u8]) -> Bound {
        let mut hash = self.suite.common.hash_provider.start();
        match self.form {
            BinderForm::KeyThenExportedValue => {
                hash.update(spki);
                hash.update(self.value.as_slice());
            }
        }
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
