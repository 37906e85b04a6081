//! EAT Attestation Results (draft-ietf-rats-ear) with the trustworthiness vector of AR4SI (draft-ietf-rats-ar4si).
//!
//! A verifier in this process makes an [`Ear`] by [`Ear::local`]; one that asks a service gets a signed token and reads
//! it with [`jwt::decode`] or [`cwt::decode`], under pinned [`VerificationKeys`]. Two dialects are deployed and told
//! apart by `eat_profile` alone, never mixed. Where a profile says *always*, a result without is refused, unless one
//! [of any session](ExpectedNonce::DangerousOfAnySession) is expected; where it says *never*, one with it is, whatever is expected:
//!
//! | `eat_profile` | names | `eat_nonce` of the result |
//! |---|---|---|
//! | `tag:github.com,2023:veraison/ear` | `ear.status` … | always |
//! | `tag:github.com,2024:confidential-containers/Trustee` | `ear.status` … | never |
//! | `tag:ietf.org,2026:rats/ear#03`, `#04` | `ear_status` …, in a CWT their numbers | always |
//!
//! **An echoed nonce is not proof.** Several deployed verifiers return the nonce of their caller beside an affirming
//! result for replayed Evidence. What binds a connection is the value *inside* the Evidence; the nonce of a
//! result only says that the result is not an old one.

mod algorithm;
mod binary_text;
mod certificate;
mod claims;
pub mod cwt;
mod ear_error;
mod json;
pub mod jwt;
mod key_error;
mod key_set;
mod keys;
mod meaning;
mod merge;
mod profile;
mod result;
mod signature;
mod source;
mod tier;

pub use algorithm::Algorithm;
pub use binary_text::BinaryText;
pub use claims::Check;
pub use claims::ExpectedNonce;
pub use ear_error::EarError;
pub use key_error::KeyError;
pub use keys::VerificationKeys;
pub use result::Appraisal;
pub use result::Ear;
pub use result::VerifierId;
pub use source::KeySource;
pub use source::verify_with;
pub use tier::Category;
pub use tier::Tier;
pub use tier::TrustClaim;
pub use tier::TrustVector;

/// Bytes of a token, encoded.
pub const MAX_TOKEN: usize = 64 * 1024;
