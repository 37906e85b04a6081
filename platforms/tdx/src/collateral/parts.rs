//! The pieces of collateral before they are read, and the error of reading them.

/// The pieces, each as Intel's service gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "collateral has each of these")]
pub struct CollateralParts {
    /// The JSON object that is signed, byte for byte: the value of `tcbInfo` in Intel's answer.
    pub tcb_info: String,
    /// `signature` beside it: `r ‖ s`, 64 bytes.
    pub tcb_info_signature: Vec<u8>,
    /// Signer and root, in DER: header `TCB-Info-Issuer-Chain`.
    pub tcb_info_issuer_chain: Vec<Vec<u8>>,
    /// The JSON object that is signed, byte for byte: the value of `enclaveIdentity` in Intel's answer.
    pub qe_identity: String,
    /// `signature` beside it: `r ‖ s`, 64 bytes.
    pub qe_identity_signature: Vec<u8>,
    /// Signer and root, in DER: header `SGX-Enclave-Identity-Issuer-Chain`.
    pub qe_identity_issuer_chain: Vec<Vec<u8>>,
    /// The list of the issuer of the PCK certificate, in DER.
    pub pck_crl: Vec<u8>,
    /// The list of the root, in DER.
    pub root_ca_crl: Vec<u8>,
}

/// Collateral that does not parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CollateralFormError {
    /// A certificate chain is not of the form that Intel writes.
    #[error("certificate chain of the collateral is malformed")]
    Chain,
    /// A revocation list is malformed, has no `nextUpdate`, or is from another issuer than Intel's two.
    #[error("revocation list of the collateral is malformed")]
    Crl,
    /// The whole is not of its form.
    #[error("collateral is malformed")]
    Form,
    /// The QE Identity is malformed.
    #[error("QE identity is malformed")]
    QeIdentity,
    /// The TCB Info is malformed, or about neither SGX nor TDX.
    #[error("TCB info is malformed")]
    TcbInfo,
}
