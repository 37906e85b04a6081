//! A configuration of which no verifier can be made.

use atls_core::MediaTypeError;

/// No verifier of passports can be made of this configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PassportSetupError {
    /// The issuers of this part are known to affirm replayed Evidence. It says nothing about a connection: remove the scheme.
    #[error("results about {0} do not tell fresh evidence from replayed; remove the scheme")]
    Replayable(String),
    /// A media type of a dialect does not parse, which is not expected.
    #[error("media type of a dialect does not parse")]
    MediaType(#[from] MediaTypeError),
    /// No issuer is trusted, so no passport could be accepted. Trust one.
    #[error("no issuer is trusted, so no passport could be accepted; trust one")]
    NoIssuer,
    /// An issuer has no scheme, so all its passports would be refused. Add one.
    #[error("an issuer is trusted under no scheme; add one")]
    NoScheme,
    /// Trustee's results have no `eat_nonce`, so one of its schemes must compare the value that the result reports: add
    /// [`Scheme::trustee`](crate::Scheme::trustee) or [`Scheme::trustee_azure`](crate::Scheme::trustee_azure).
    #[error(
        "results of an issuer have no nonce and no scheme compares another value; add `Scheme::trustee` or `Scheme::trustee_azure`"
    )]
    NothingCompared,
    /// The claims about debugging in results about this TEE are not known here. Use Evidence, or another TEE.
    #[error(
        "claims about debugging in results about the TEE {0:?} are not known; use its Evidence, or another TEE"
    )]
    UnknownTee(String),
}
