//! A result and its parts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use pki_types::UnixTime;
use serde_json::Value;

use super::profile::IETF;
use super::profile::Names;
use super::tier::Tier;
use super::tier::TrustVector;

/// An Attestation Result: the verifier, the time, and the appraisal of each part of the attester.
#[derive(Clone, PartialEq)]
pub struct Ear {
    pub(super) names: &'static Names,
    pub(super) issued_at: UnixTime,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) verifier: VerifierId,
    /// Boxed, since each connection holds a result, and that of a verifier in this process has none of it.
    pub(super) stated: Option<Box<Stated>>,
    /// By name. Each connection holds a result of one or two parts, for which a tree would be wasteful.
    pub(super) submods: Box<[(Box<str>, Appraisal)]>,
}

/// The claims of a signed result about the result itself.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Stated {
    pub(super) status: Option<Tier>,
    pub(super) issuer: Option<String>,
    pub(super) nonce: Option<Vec<u8>>,
    pub(super) confirmation: Option<Value>,
}

impl Stated {
    /// None where nothing is stated.
    pub(super) fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
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
            names: &IETF,
            issued_at,
            expires_at: None,
            verifier,
            stated: None,
            submods: Box::new([(name.into(), appraisal)]),
        }
    }

    /// Adds a part. If there is one of the same name, the worse of the two stands.
    #[must_use]
    pub fn with_submod(mut self, name: &str, mut appraisal: Appraisal) -> Self {
        if let Some(known) = self.submod(name) {
            appraisal = appraisal.with_status(known.status());
        }
        let mut submods = self.submods.into_vec();
        submods.retain(|(known, _)| **known != *name);
        submods.push((name.into(), appraisal));
        submods.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.submods = submods.into();
        self
    }

    /// Sets the time at which the result expires, such as that of the collateral behind it.
    #[must_use]
    pub fn with_expiry(mut self, expires_at: UnixTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// The worst status of all parts and of the whole, if the verifier states that.
    pub fn status(&self) -> Tier {
        let parts = self.submods.iter().map(|(_, part)| part.status());
        let stated = self.stated.iter().filter_map(|stated| stated.status);
        parts
            .chain(stated)
            .reduce(Tier::worst)
            .unwrap_or(Tier::None)
    }

    /// `eat_profile`, which names the dialect.
    pub fn profile(&self) -> &str {
        self.names.profile
    }

    /// `iat`.
    pub fn issued_at(&self) -> UnixTime {
        self.issued_at
    }

    /// `exp`, which several verifiers do not state.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }

    /// The software that appraised.
    pub fn verifier(&self) -> &VerifierId {
        &self.verifier
    }

    /// `iss`.
    pub fn issuer(&self) -> Option<&str> {
        self.stated.as_ref()?.issuer.as_deref()
    }

    /// `eat_nonce` of the result itself, decoded. The module says why it is not proof.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.stated.as_ref()?.nonce.as_deref()
    }

    /// `cnf` of the result itself (RFC 7800, RFC 8747), as in the token: the key that its holder must prove to have. Integer labels
    /// of a CWT are decimal here, and its byte strings are base64url.
    pub fn confirmation(&self) -> Option<&Value> {
        self.stated.as_ref()?.confirmation.as_ref()
    }

    /// The parts of the attester by name, at least one.
    pub fn submods(&self) -> impl Iterator<Item = (&str, &Appraisal)> {
        self.submods
            .iter()
            .map(|(name, appraisal)| (&**name, appraisal))
    }

    /// The part of this name.
    pub fn submod(&self, name: &str) -> Option<&Appraisal> {
        let mut submods = self.submods.iter();
        submods
            .find(|(known, _)| **known == *name)
            .map(|(_, part)| part)
    }
}

/// Prints all but nonce and confirmation. A nonce may be the value of a connection.
impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear")
            .field("profile", &self.profile())
            .field("status", &self.status())
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .field("verifier", &self.verifier)
            .field("issuer", &self.issuer())
            .field("submods", &self.submods)
            .finish_non_exhaustive()
    }
}

/// The appraisal of one part of the attester.
#[derive(Clone, PartialEq)]
pub struct Appraisal {
    pub(super) status: Tier,
    pub(super) vector: TrustVector,
    /// Boxed, since each connection holds an appraisal, and many have none of it.
    pub(super) further: Option<Box<Further>>,
}

/// The claims of an appraisal beside its status and its vector.
#[derive(Clone, Default, PartialEq)]
pub(super) struct Further {
    pub(super) policy_ids: Vec<String>,
    pub(super) nonce: Option<Vec<u8>>,
    pub(super) extensions: BTreeMap<String, Value>,
}

impl Further {
    /// None where there is nothing.
    pub(super) fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }
}

impl Appraisal {
    /// An appraisal with the status of this vector.
    pub fn new(vector: TrustVector) -> Self {
        Self {
            status: vector.tier(),
            vector,
            further: None,
        }
    }

    /// Worsens the status, as an appraisal policy may. A better status changes nothing.
    #[must_use]
    pub fn with_status(mut self, status: Tier) -> Self {
        self.status = self.status.worst(status);
        self
    }

    /// Adds the name of a policy that was applied.
    #[must_use]
    pub fn with_policy_id(mut self, id: impl Into<String>) -> Self {
        self.further
            .get_or_insert_default()
            .policy_ids
            .push(id.into());
        self
    }

    /// Adds a claim of the platform.
    #[must_use]
    pub fn with_extension(mut self, name: impl Into<String>, value: Value) -> Self {
        let further = self.further.get_or_insert_default();
        further.extensions.insert(name.into(), value);
        self
    }

    /// Status, vector and policies alone: without the claims of the platform, which identify devices and have no bound, and without nonce.
    #[must_use]
    pub fn summary(&self) -> Self {
        let further = Further {
            policy_ids: self.policy_ids().to_vec(),
            ..Further::default()
        };
        Self {
            status: self.status,
            vector: self.vector.clone(),
            further: further.boxed(),
        }
    }

    /// The worse of the stated status and the status of the vector.
    pub fn status(&self) -> Tier {
        self.status
    }

    /// The trustworthiness vector. It has no claims if the verifier states none.
    pub fn vector(&self) -> &TrustVector {
        &self.vector
    }

    /// The policies that were applied.
    pub fn policy_ids(&self) -> &[String] {
        self.further
            .as_ref()
            .map_or(&[], |further| &further.policy_ids)
    }

    /// `eat_nonce` of the *Evidence*, as the verifier found it, decoded.
    pub fn nonce(&self) -> Option<&[u8]> {
        self.further.as_ref()?.nonce.as_deref()
    }

    /// The claims of the verifier or of the platform, by name, as [`extension`](Self::extension) gives them.
    pub fn extensions(&self) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.further.iter().flat_map(|further| &further.extensions);
        all.map(|(name, value)| (name.as_str(), value))
    }

    /// A claim of the verifier or of the platform, by its name in the token. Integer labels of a CWT are decimal here, and its byte
    /// strings are base64url.
    pub fn extension(&self, name: &str) -> Option<&Value> {
        self.further.as_ref()?.extensions.get(name)
    }
}

/// Prints further claims by their names only. Their values may identify devices.
impl fmt::Debug for Appraisal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extensions = self
            .further
            .as_ref()
            .map(|further| further.extensions.keys());
        f.debug_struct("Appraisal")
            .field("status", &self.status)
            .field("vector", &self.vector)
            .field("policy_ids", &self.policy_ids())
            .field("extensions", &extensions)
            .finish_non_exhaustive()
    }
}

/// The software that appraised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierId {
    pub(super) developer: Cow<'static, str>,
    pub(super) build: Cow<'static, str>,
}

impl VerifierId {
    /// Developer and version.
    pub fn new(
        developer: impl Into<Cow<'static, str>>,
        build: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            developer: developer.into(),
            build: build.into(),
        }
    }

    /// The developer.
    pub fn developer(&self) -> &str {
        &self.developer
    }

    /// The version.
    pub fn build(&self) -> &str {
        &self.build
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_summary_has_the_policies_and_no_claim_of_the_platform() {
        let part = Appraisal::new(TrustVector::new()).with_policy_id("policy");
        let whole = part.clone().with_extension("serial", json!("4711"));
        assert!(whole.summary() == part);
    }
}
