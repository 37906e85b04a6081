//! Evidence that a peer presented in the certificate of the TLS handshake.

use atls_core::ProtocolError;
use atls_core::exchange::Credential;
use atls_core::session::Handshake;

use super::mode::Mode;
use crate::deadline::Deadline;
use crate::driver::Accepted;
use crate::driver::Appraiser;
use crate::error::Error;

/// When peers make the Evidence of their certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    BeforeHandshake,
    DuringHandshake,
}

impl Made {
    /// `None` for a mode without Evidence in the certificate.
    pub(super) fn of(mode: Mode) -> Option<Self> {
        match mode {
            Mode::AfterHandshake => None,
            Mode::InCertificate => Some(Self::BeforeHandshake),
            Mode::InHandshake => Some(Self::DuringHandshake),
        }
    }
}

/// Appraises the Evidence in the peer's certificate. `nonce` is that of this handshake, where it has one.
///
/// # Errors
/// [`ProtocolError::NoAttestation`] for a certificate without Evidence and for a peer without certificate, and the
/// refusals of the relying party.
pub(super) async fn appraise(
    handshake: &Handshake,
    made: Made,
    nonce: Option<[u8; 32]>,
    appraiser: &Appraiser,
    deadline: Deadline,
) -> Result<Accepted, Error> {
    let credential = match (made, nonce) {
        (Made::BeforeHandshake, _) => Credential::in_certificate(handshake)?,
        (Made::DuringHandshake, Some(nonce)) => Credential::in_handshake(handshake, &nonce)?,
        (Made::DuringHandshake, None) => return Err(ProtocolError::Random.into()),
    };
    appraiser.appraise(credential, deadline).await
}
