//! EAT Attestation Results (draft-ietf-rats-ear) with the trustworthiness vector of AR4SI (draft-ietf-rats-ar4si).
//!
//! A verifier in this process makes an [`Ear`] by [`Ear::local`]. A verifier that asks a service gets a signed token and reads it by
//! [`jwt::decode`] or [`cwt::decode`] under pinned [`VerificationKeys`]. A token that fails a check gives an [`EarError`] and no result.
//!
//! Two dialects are deployed. `eat_profile` tells them apart, and they are never mixed:
//!
//! | `eat_profile` | names | `eat_nonce` of the result |
//! |---|---|---|
//! | `tag:github.com,2023:veraison/ear` | `ear.status` … | always |
//! | `tag:github.com,2024:confidential-containers/Trustee` | `ear.status` … | never |
//! | `tag:ietf.org,2026:rats/ear#03`, `#04` | `ear_status` …, in a CWT their numbers | always |
//!
//! If a profile always has a nonce, a result without one is refused, unless a result
//! [of any session](ExpectedNonce::DangerousOfAnySession) is expected. If a profile never has one, a result with a nonce is refused.
//!
//! **An echoed nonce is not proof.** Several deployed verifiers return the nonce of their caller beside an affirming result for
//! replayed Evidence. The value *inside* the Evidence binds the connection. The nonce of a result only shows that the result is new.
//!
//! ```
//! use atls_core::ear::{Appraisal, Category, Ear, Tier, TrustClaim, TrustVector, VerifierId};
//! use atls_core::pki_types::UnixTime;
//!
//! let genuine = TrustVector::new().with(Category::Hardware, TrustClaim::new(2));
//! let unknown_software = genuine.clone().with(Category::Executables, TrustClaim::new(33));
//! let ear = Ear::local(
//!     VerifierId::new("example.com", "1.0"),
//!     UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_790_000_000)),
//!     "platform",
//!     Appraisal::new(unknown_software),
//! );
//! // A result is as good as its worst claim.
//! assert_eq!(ear.status(), Tier::Warning);
//! assert_eq!(Appraisal::new(genuine).status(), Tier::Affirming);
//! ```

mod algorithm;
mod binary_text;
mod certificate;
mod claims;
pub mod cwt;
pub mod der;
mod ear_error;
mod encode_error;
mod issuer;
mod json;
pub mod jwt;
mod key_error;
mod key_set;
mod keys;
mod labelled;
mod labels;
mod meaning;
mod merge;
mod profile;
mod result;
mod signature;
mod signer;
mod source;
mod statement;
mod tier;

pub use algorithm::Algorithm;
pub use binary_text::BinaryText;
pub use claims::Check;
pub use claims::ExpectedNonce;
pub use ear_error::EarError;
pub use encode_error::EncodeError;
pub use issuer::Issuer;
pub use key_error::KeyError;
pub use keys::VerificationKeys;
pub use result::Appraisal;
pub use result::Ear;
pub use result::VerifierId;
pub use signer::EarSigner;
pub use source::KeySource;
pub use source::verify_with;
pub use statement::Statement;
pub use tier::Category;
pub use tier::Tier;
pub use tier::TrustClaim;
pub use tier::TrustVector;

/// Most bytes of an encoded token.
pub const MAX_TOKEN: usize = 64 * 1024;
