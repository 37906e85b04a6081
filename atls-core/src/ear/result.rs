//! A result and its parts.

use std::collections::BTreeMap;
use std::fmt;

use pki_types::UnixTime;
use serde_json::Value;

use super::profile::CURRENT_PROFILE;
use super::tier::Tier;
use super::tier::TrustVector;

/// An Attestation Result: who appraised, when, and how good each part of the attester is.
#[derive(Clone, PartialEq)]
pub struct Ear {
    pub(super) profile: String,
    pub(super) status: Option<Tier>,
    pub(super) issued_at: UnixTime,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) verifier: VerifierId,
    pub(super) issuer: Option<String>,
    pub(super) nonce: Option<Vec<u8>>,
    /// Boxed, since few have one and there are as many results as connections.
    pub(super) confirmation: Option<Box<Value>>,
    /// By name; one or two, and as many results as connections, for which a tree would be wasteful.
    pub(super) submods: Vec<(String, Appraisal)>,
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
            profile: CURRENT_PROFILE.to_owned(),
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
    /// A CWT's integer labels are decimal, its byte strings base64url.
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
    pub(super) status: Tier,
    pub(super) vector: TrustVector,
    pub(super) policy_ids: Vec<String>,
    pub(super) nonce: Option<Vec<u8>>,
    pub(super) extensions: BTreeMap<String, Value>,
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
    /// its byte strings base64url.
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
    pub(super) developer: String,
    pub(super) build: String,
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
