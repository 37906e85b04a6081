//! The names of errors in the files.

use atls_core::AppraisalError;
use atls_core::Bound;
use atls_core::ProtocolError;
use atls_core::cmw::Cmw;
use atls_core::cmw::CmwError;
use atls_core::exchange::batch::ProofError;

pub(crate) fn of_protocol(error: &ProtocolError) -> &'static str {
    match error {
        ProtocolError::BadFinished => "bad-finished",
        ProtocolError::BadSignature => "bad-signature",
        ProtocolError::Cmw(error) => of_cmw(error),
        ProtocolError::ContextMismatch => "context-mismatch",
        ProtocolError::ContextSpent => "context-spent",
        ProtocolError::Declined => "declined",
        ProtocolError::DuplicateExtension(_) => "duplicate-extension",
        ProtocolError::KeyMismatch => "key-mismatch",
        ProtocolError::Malformed => "malformed",
        ProtocolError::NoAttestation => "no-attestation",
        ProtocolError::OtherProfile { .. } => "other-profile",
        ProtocolError::Proof(error) => of_proof(error),
        ProtocolError::SchemeNotOffered(_) => "scheme-not-offered",
        ProtocolError::TooLarge => "too-large",
        ProtocolError::UnknownEvidence => "unknown-evidence",
        ProtocolError::UnsolicitedExtension(_) => "unsolicited-extension",
        ProtocolError::UnsupportedParameters => "unsupported-parameters",
        other => panic!("no vector has this error: {other:?}"),
    }
}

pub(crate) fn of_cmw(error: &CmwError) -> &'static str {
    match error {
        CmwError::CollectionType => "cmw-collection-type",
        CmwError::Empty => "cmw-empty",
        CmwError::Indicator => "cmw-indicator",
        CmwError::LongLabel => "cmw-long-label",
        CmwError::Malformed => "cmw-malformed",
        CmwError::MediaType => "cmw-media-type",
        CmwError::RepeatedLabel => "cmw-repeated-label",
        CmwError::TagNumber => "cmw-tag-number",
        CmwError::TooDeep => "cmw-too-deep",
        CmwError::TooMany => "cmw-too-many",
        other => panic!("no vector has this error: {other:?}"),
    }
}

pub(crate) fn of_proof(error: &ProofError) -> &'static str {
    match error {
        ProofError::Index => "proof-index",
        ProofError::Malformed => "proof-malformed",
        ProofError::NotOfBatch => "proof-not-of-batch",
        ProofError::PathLength => "proof-path-length",
        ProofError::Size => "proof-size",
        ProofError::Unexpected => "proof-unexpected",
        other => panic!("no vector has this error: {other:?}"),
    }
}

/// What a verifier says of the vectors' Evidence, which is the value itself.
pub(crate) fn of_evidence(cmw: &Cmw, bound: &Bound) -> &'static str {
    let items = cmw.items();
    match bound.verbatim().compare(items[0].value()) {
        Ok(_) => "accepted",
        Err(AppraisalError::NotBound) => "not-bound",
        Err(other) => panic!("{other:?}"),
    }
}
