//! The two weaker modes, for peers that speak nothing better.
//!
//! | mode | Evidence is made | bound to | open to |
//! |---|---|---|---|
//! | [`Mode::InHandshake`] | during the handshake, over a nonce of the other end | nonce and key | relay with a leaked key, diversion |
//! | [`Mode::InCertificate`] | earlier: RA-TLS | the key | replay, relay with a leaked key, diversion |
//!
//! Both carry Evidence in the certificate of the TLS handshake, which is appraised after the handshake and before HTTP, by
//! the same relying party as in the default mode. Its standard policy refuses both; whoever opts in says so there
//! ([`dangerous_accept_binding`](atls_core::StandardPolicy::dangerous_accept_binding)) *and* in the terms.
//!
//! RA-TLS presents its Evidence in one of two [formats](atls_core::certificate::Format), as the
//! [`CertificateProfile`] says, and reads both, and what deployed peers wrote before. The default, `id-pe-cmw`, is the published
//! standard and fits every platform; DICE tagged evidence, of interoperable RA-TLS, is for SGX and TDX toward peers that
//! read nothing else.
//!
//! Such certificates are self-signed as a rule, so PKIX has nothing to say about them. [`dangerous_any_server`] and
//! [`dangerous_any_client`] let them through TLS; with them the Evidence is all that identifies the peer, and any
//! attested machine of the same code, whoever runs it, passes: *diversion*.

mod any_certificate;
mod certificate_profile;
mod evidence_certificate;
mod in_certificate;
mod in_handshake;
mod nonce;

use atls_core::Binding;

pub use any_certificate::dangerous_any_client;
pub use any_certificate::dangerous_any_client_told;
pub use any_certificate::dangerous_any_server;
pub use certificate_profile::CertificateProfile;
pub use in_certificate::InCertificate;
pub use in_handshake::InHandshake;

pub(crate) use evidence_certificate::with_evidence;
pub(crate) use nonce::Random;
pub(crate) use nonce::Recorded;
pub(crate) use nonce::asking;

/// How the peer attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the three modes of attested TLS")]
pub enum Mode {
    /// After the handshake, in an exported authenticator: the default.
    AfterHandshake,
    /// In its certificate, made before this connection.
    InCertificate,
    /// In its certificate, made during this handshake.
    InHandshake,
}

impl Mode {
    /// What such an attestation is bound to.
    pub fn binding(self) -> Binding {
        match self {
            Self::AfterHandshake => Binding::Connection,
            Self::InCertificate => Binding::Key,
            Self::InHandshake => Binding::Handshake,
        }
    }
}
