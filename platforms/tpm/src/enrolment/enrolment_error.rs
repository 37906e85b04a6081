//! Why a machine is not enrolled.

use crate::attestation_key::AttestationKeyError;

/// Why a machine is not enrolled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnrolmentError {
    /// The certificate does not chain to one of the makers' roots, or not at this time. Give the [`Enroller`](super::Enroller) the maker's root and its
    /// intermediate certificates.
    #[error("certificate of the endorsement key does not chain to a configured root")]
    Chain,
    /// The certificate is not of a key that credentials are made for: RSA with 2048 bits, or ECC with P-256.
    #[error("certificate is not of an endorsement key of RSA with 2048 bits or ECC with P-256")]
    EndorsementKey,
    /// The secret came too late. Ask for a new credential.
    #[error("secret came too late")]
    Expired,
    /// The attestation key is none whose quotes can be trusted.
    #[error("attestation key is not one to trust")]
    Key(#[from] AttestationKeyError),
    /// This end has no random numbers, or no such root. The text gives the reason.
    #[error("this end cannot enrol: {0}")]
    Local(&'static str),
    /// The certificate of an attestation key is of another key than the one that was given.
    #[error("certificate is of another key")]
    OtherKey,
    /// The maker revoked the certificate.
    #[error("certificate of the endorsement key is revoked")]
    Revoked,
    /// There are revocation lists, and none of the certificate's issuer, or an outdated one. Give the [`Enroller`](super::Enroller) its current list.
    #[error("no current revocation list of the issuer of the certificate")]
    RevocationUnknown,
    /// The secret is another: the attestation key is not in the TPM that the certificate is of.
    #[error("secret is another; the attestation key is not in the TPM of the certificate")]
    WrongSecret,
}
