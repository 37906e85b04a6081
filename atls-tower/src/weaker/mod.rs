//! The two weaker modes, for peers that speak nothing better.
//!
//! | mode | Evidence is made | bound to | open to |
//! |---|---|---|---|
//! | [`Mode::InHandshake`] | during the handshake, over a nonce of the other end | nonce and key | relay with a leaked key, diversion |
//! | [`Mode::InCertificate`] | earlier: RA-TLS | the key | replay, relay with a leaked key, diversion |
//!
//! Both carry Evidence in the certificate of the TLS handshake, which is appraised after the handshake and before HTTP, by
//! the same relying party as in the default mode. Its standard policy refuses both; an application opts in there
//! ([`dangerous_accept_binding`](atls_core::StandardPolicy::dangerous_accept_binding)) *and* in the terms.
//!
//! RA-TLS presents its Evidence in one of two [formats](atls_core::exchange::certificate::Format), as the
//! [`CertificateProfile`] says. It reads both, and the older forms of deployed peers. The default, `id-pe-cmw`, is the published
//! standard and fits every platform; DICE tagged evidence, of interoperable RA-TLS, is for SGX and TDX toward peers that
//! read nothing else.
//!
//! Such certificates are self-signed as a rule, so PKIX has nothing to say about them. [`dangerous_any_server`] and
//! [`dangerous_any_client`] let them through TLS. The Evidence alone then identifies the peer, and any attested machine
//! with the same code passes, also that of an attacker: *diversion*.
//!
//! A peer without acceptable Evidence is refused before HTTP, as in the default mode.

mod any_certificate;
mod certificate_profile;
mod client_random;
mod evidence_certificate;
mod hello_recorder;
mod in_certificate;
mod in_handshake;
mod mode;
mod nonce_name;
mod presented;
mod weaker_client;
mod weaker_server;

pub use any_certificate::dangerous_any_client;
pub use any_certificate::dangerous_any_client_with_hints;
pub use any_certificate::dangerous_any_server;
pub use certificate_profile::CertificateProfile;
pub use in_certificate::InCertificate;
pub use in_handshake::InHandshake;
pub use mode::Mode;

pub(crate) use weaker_client::WeakerClient;
pub(crate) use weaker_server::WeakerServer;
