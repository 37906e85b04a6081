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
mod certificate;
mod claims;
pub mod cwt;
mod json;
pub mod jwt;
mod key_set;
mod keys;
mod meaning;
mod merge;
mod octets;
mod signature;
mod source;
mod tier;

use std::collections::BTreeMap;
use std::fmt;

use pki_types::UnixTime;
use serde_json::Value;

pub use algorithm::Algorithm;
pub use claims::Check;
pub use claims::ExpectedNonce;
pub use keys::KeyError;
pub use keys::VerificationKeys;
pub use octets::OctetText;
pub use source::KeySource;
pub use source::verify_with;
pub use tier::Category;
pub use tier::Tier;
pub use tier::TrustClaim;
pub use tier::TrustVector;

use crate::error::AppraisalError;

/// An Attestation Result: who appraised, when, and how good each part of the attester is.
#[derive(Clone, PartialEq)]
pub struct Ear {
    profile: String,
    status: Option<Tier>,
    issued_at: UnixTime,
    expires_at: Option<UnixTime>,
    verifier: VerifierId,
    issuer: Option<String>,
    nonce: Option<Vec<u8>>,
    /// Boxed, since few have one and there are as many results as connections.
    confirmation: Option<Box<Value>>,
    /// By name; one or two, and as many results as connections, for which a tree would be wasteful.
    submods: Vec<(String, Appraisal)>,
}

impl Ear {
    /// The result of a verifier in this process, about one part of the attester.
    pub fn local(
        verifier: VerifierId,
        issued_at: UnixTime,
        name: &str,
        appraisal: Appraisal,
    ) -> Self {
        Self {
            profile: claims::CURRENT_PROFILE.to_owned(),
            status: None,
            issued_at,
            expires_at: None,
            verifier,
            issuer: None,
            nonce: None,
            confirmation: None,
            submods: vec![(name.to_owned(), appraisal)],
        }
    }

    /// Adds another part; one of the same name is replaced by the worse of the two.
    #[must_use]
    pub fn with_submod(mut self, name: &str, mut appraisal: Appraisal) -> Self {
        if let Some(known) = self.submod(name) {
            appraisal = appraisal.with_status(known.status());
        }
        self.submods.retain(|(known, _)| known != name);
        self.submods.push((name.to_owned(), appraisal));
        self.submods.sort_by(|(a, _), (b, _)| a.cmp(b));
        self
    }

    /// Ends to be valid then, such as when the collateral that it rests on does.
    #[must_use]
    pub fn with_expiry(mut self, expires_at: UnixTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// The worst status of all parts, and of the whole where the verifier states one.
    pub fn status(&self) -> Tier {
        let parts = self.submods.iter().map(|(_, part)| part.status());
        let stated = self.status.into_iter();
        parts
            .chain(stated)
            .reduce(Tier::worst)
            .unwrap_or(Tier::None)
    }

    /// `eat_profile`: which dialect it was written in.
    pub fn profile(&self) -> &str {
        &self.profile
    }

    /// `iat`.
    pub fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// `exp`, which several verifiers do not state.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }

    /// Who appraised.
    pub fn verifier(&self) -> &VerifierId {
        &self.verifier
    }

    /// `iss`.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// `eat_nonce` of the result itself, decoded. See the module on what it does not prove.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// `cnf` of the result itself (RFC 7800, RFC 8747): which key its holder must prove to have, as the token spells it.
    /// A CWT's integer labels are decimal, its octet strings base64url.
    pub fn confirmation(&self) -> Option<&Value> {
        self.confirmation.as_deref()
    }

    /// The parts of the attester by name, at least one.
    pub fn submods(&self) -> impl Iterator<Item = (&str, &Appraisal)> {
        self.submods
            .iter()
            .map(|(name, appraisal)| (&**name, appraisal))
    }

    /// One part.
    pub fn submod(&self, name: &str) -> Option<&Appraisal> {
        let mut submods = self.submods.iter();
        submods
            .find(|(known, _)| known == name)
            .map(|(_, part)| part)
    }
}

/// Without nonce: it may be the value of a connection.
impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear")
            .field("profile", &self.profile)
            .field("status", &self.status())
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .field("verifier", &self.verifier)
            .field("issuer", &self.issuer)
            .field("submods", &self.submods)
            .finish_non_exhaustive()
    }
}

/// How good one part of the attester is.
#[derive(Clone, PartialEq)]
pub struct Appraisal {
    status: Tier,
    vector: TrustVector,
    policy_ids: Vec<String>,
    nonce: Option<Vec<u8>>,
    extensions: BTreeMap<String, Value>,
}

impl Appraisal {
    /// With the status that the vector gives.
    pub fn new(vector: TrustVector) -> Self {
        Self {
            status: vector.tier(),
            vector,
            policy_ids: Vec::new(),
            nonce: None,
            extensions: BTreeMap::new(),
        }
    }

    /// Worsens the status, as an appraisal policy may; a better one changes nothing.
    #[must_use]
    pub fn with_status(mut self, status: Tier) -> Self {
        self.status = self.status.worst(status);
        self
    }

    /// Names a policy that was applied.
    #[must_use]
    pub fn with_policy_id(mut self, id: impl Into<String>) -> Self {
        self.policy_ids.push(id.into());
        self
    }

    /// Adds a claim of the platform.
    #[must_use]
    pub fn with_extension(mut self, name: impl Into<String>, value: Value) -> Self {
        self.extensions.insert(name.into(), value);
        self
    }

    /// The worse of the verifier's word and of what the vector says.
    pub fn status(&self) -> Tier {
        self.status
    }

    /// The trustworthiness vector; without claims where the verifier states none.
    pub fn vector(&self) -> &TrustVector {
        &self.vector
    }

    /// The policies that were applied.
    pub fn policy_ids(&self) -> &[String] {
        &self.policy_ids
    }

    /// `eat_nonce` of the *Evidence*, as the verifier found it, decoded.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// A claim of the verifier's or platform's own, by its name in the token. A CWT's integer labels are decimal,
    /// its octet strings base64url.
    pub fn extension(&self, name: &str) -> Option<&Value> {
        self.extensions.get(name)
    }
}

/// The names of further claims without their values: annotated Evidence identifies devices.
impl fmt::Debug for Appraisal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appraisal")
            .field("status", &self.status)
            .field("vector", &self.vector)
            .field("policy_ids", &self.policy_ids)
            .field("extensions", &self.extensions.keys())
            .finish_non_exhaustive()
    }
}

/// The software that appraised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierId {
    developer: String,
    build: String,
}

impl VerifierId {
    /// Who made it, and which version.
    pub fn new(developer: impl Into<String>, build: impl Into<String>) -> Self {
        Self {
            developer: developer.into(),
            build: build.into(),
        }
    }

    /// Who made it.
    pub fn developer(&self) -> &str {
        &self.developer
    }

    /// Which version.
    pub fn build(&self) -> &str {
        &self.build
    }
}

/// A token that is no acceptable result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EarError {
    /// An algorithm that is not allowed (`none`, symmetric), or a header that demands an unknown feature.
    #[error("result is signed in a way that is not allowed")]
    Algorithm,
    /// The signature does not verify under the pinned key.
    #[error("signature of the result does not verify")]
    BadSignature,
    /// Older than the maximum age, or after its `exp`.
    #[error("result has expired")]
    Expired,
    /// `iat` or `nbf` lies more than 60 seconds in the future.
    #[error("result is from the future")]
    Future,
    /// `iss` is not the expected one.
    #[error("result is from another issuer")]
    Issuer,
    /// Not a token, or a claim is missing or of the wrong kind.
    #[error("result is malformed")]
    Malformed,
    /// A submodule that was expected is missing: a part of the attester was not appraised.
    #[error("result lacks an expected submodule")]
    MissingSubmod,
    /// The keys of the issuer cannot be had at the moment.
    #[error("keys of the issuer are not available")]
    NoKeys,
    /// `eat_nonce` is absent where it is due, or another one, or not of 8 to 64 octets.
    #[error("result answers another request")]
    Nonce,
    /// An `eat_profile` that is not in the module's table.
    #[error("profile of the result is unknown")]
    Profile,
    /// More than 64 KiB, more than 64 values in its header, or more than 4,096 in its claims.
    #[error("result is larger than 64 KiB or has too many values")]
    TooLarge,
    /// No pinned key fits the token's algorithm and key identifier.
    #[error("result is signed by an unknown key")]
    UnknownKey,
}

impl From<EarError> for AppraisalError {
    fn from(error: EarError) -> Self {
        match error {
            EarError::Expired | EarError::Future => Self::ResultExpired,
            EarError::NoKeys => Self::Unreachable,
            _ => Self::BadResult,
        }
    }
}

/// Octets of a token, encoded.
pub const MAX_TOKEN: usize = 64 * 1024;
