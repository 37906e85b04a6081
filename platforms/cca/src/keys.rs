//! The attestation keys that are trusted.

use atls_formats::psa::SIMULATED_IMPLEMENTATION_ID;
use atls_reference::Digest;
use atls_reference::FieldProblem;
use atls_reference::Table;
use atls_reference::corim::AttestKey;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;
use atls_reference::corim::Id;
use serde::Deserialize;
use serde::Serialize;

use crate::policy::CCA_PLATFORM_PROFILE;
use crate::policy::PSA_PROFILE;
use crate::policy::implementation_of;
use crate::public_key::PublicKey;

/// The table `[cca-keys]`: the platforms whose tokens are looked at, each by its CCA platform attestation key (CPAK).
///
/// ```toml
/// version = 1
///
/// [[cca-keys.cpak]]
/// name = "rack 7"
/// implementation-id = "7f45…"   # 64 hexadecimal digits
/// instance-id = "0107…"         # 66 hexadecimal digits
/// public = "-----BEGIN PUBLIC KEY-----…"
/// software = true               # the key is of no hardware: results are simulated
/// ```
///
/// [`Sourced::of_corim`](atls_reference::Sourced::of_corim) makes it of a CoRIM of the profile `tag:arm.com,2025:cca_platform#1.0.0`, and
/// [`Sourced::adding`](atls_reference::Sourced::adding) adds one to it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct CcaKeys {
    /// The keys, at least one.
    #[serde(rename = "cpak")]
    pub keys: Vec<TrustedKey>,
}

/// The table `[psa-keys]`: the devices whose tokens are looked at, each by its initial attestation key (IAK).
///
/// As [`CcaKeys`], under `[[psa-keys.iak]]`; CoRIMs of the profile `tag:arm.com,2025:psa#1.0.0`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct PsaKeys {
    /// The keys, at least one.
    #[serde(rename = "iak")]
    pub keys: Vec<TrustedKey>,
}

/// One trusted attestation key, of one instance of one implementation.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct TrustedKey {
    /// For people, and for `key` of the claims: usually the name of the machine.
    pub name: String,
    /// The implementation ID, 32 bytes.
    pub implementation_id: Digest<32>,
    /// The instance ID: 0x01 and 32 bytes.
    pub instance_id: Digest<33>,
    /// The key.
    pub public: PublicKey,
    /// Software holds the private key, so its tokens are anybody's: results are [simulated](atls_core::Origin::Simulated).
    #[serde(default, skip_serializing_if = "is_false")]
    pub software: bool,
}

impl CcaKeys {
    /// Trusts these keys.
    pub fn new(keys: Vec<TrustedKey>) -> Self {
        Self { keys }
    }
}

impl PsaKeys {
    /// Trusts these keys.
    pub fn new(keys: Vec<TrustedKey>) -> Self {
        Self { keys }
    }
}

impl TrustedKey {
    /// The key of a platform or device.
    pub fn new(
        name: impl Into<String>,
        implementation_id: [u8; 32],
        instance_id: [u8; 33],
        public: PublicKey,
    ) -> Self {
        Self {
            name: name.into(),
            implementation_id: implementation_id.into(),
            instance_id: instance_id.into(),
            public,
            software: false,
        }
    }

    /// The key is held by software.
    #[must_use]
    pub fn in_software(mut self) -> Self {
        self.software = true;
        self
    }

    /// The entry of an instance of an implementation.
    pub(crate) fn find<'a>(
        keys: &'a [Self],
        implementation_id: &[u8; 32],
        instance_id: &[u8; 33],
    ) -> Option<&'a Self> {
        keys.iter().find(|key| {
            key.implementation_id.as_bytes() == implementation_id
                && key.instance_id.as_bytes() == instance_id
        })
    }

    fn of_corim(key: &AttestKey, corim: &Corim) -> Result<Self, CorimProblem> {
        let implementation_id = implementation_of(&key.environment)?;
        let Some(Id::Ueid(instance_id)) = &key.environment.instance else {
            return Err("its environment has no instance-id that is a UEID (tag 550)".into());
        };
        let instance_id: [u8; 33] = instance_id.as_slice().try_into().map_err(|_| {
            CorimProblem::new(format!(
                "its instance-id has {} bytes in place of 33",
                instance_id.len()
            ))
        })?;
        let [pem] = key.keys.as_slice() else {
            return Err("it has not exactly one key".into());
        };
        let public = PublicKey::from_pem(pem).map_err(|error| error.to_string())?;
        let name = key.name(corim.id());
        Ok(Self::new(name, implementation_id, instance_id, public))
    }

    /// Checks the entries of a table, of which each stands under `field`.
    fn check_all(keys: &[Self], field: &str, table: &str) -> Result<(), FieldProblem> {
        if keys.is_empty() {
            let problem = format!("no key: nothing could be accepted; add [[{table}.{field}]]");
            return Err(FieldProblem::new(field, problem));
        }
        for (index, key) in keys.iter().enumerate() {
            let before = keys.get(..index).unwrap_or_default();
            let checked = key.check(before);
            checked.map_err(|found| found.within(&format!("{field}[{index}]")))?;
        }
        Ok(())
    }

    fn check(&self, before: &[Self]) -> Result<(), FieldProblem> {
        if self.name.trim().is_empty() {
            return Err(FieldProblem::new("name", "a key has no name"));
        }
        if self.instance_id.as_bytes().first() != Some(&1) {
            let problem = "an instance ID begins with 01 (RAND)";
            return Err(FieldProblem::new("instance-id", problem).about(&self.name));
        }
        if self.public.is_published() && !self.software {
            let problem = "the private half of this key is published with the reference firmware, so anybody signs by it: take the key \
                           of your platform, or say software = true";
            return Err(FieldProblem::new("public", problem).about(&self.name));
        }
        let simulated = self.implementation_id.as_bytes() == &SIMULATED_IMPLEMENTATION_ID;
        if simulated && !self.software {
            let problem = "this implementation ID is that of the simulator: say software = true";
            return Err(FieldProblem::new("implementation-id", problem).about(&self.name));
        }
        let is_same = |other: &&Self| {
            other.implementation_id == self.implementation_id
                && other.instance_id == self.instance_id
        };
        if let Some(other) = before.iter().find(is_same) {
            let problem = format!("\"{}\" is the same instance", other.name.escape_debug());
            return Err(FieldProblem::new("instance-id", problem).about(&self.name));
        }
        if before.iter().any(|other| other.name == self.name) {
            let problem = "another key has this name: results would not say which machine";
            return Err(FieldProblem::new("name", problem).about(&self.name));
        }
        Ok(())
    }
}

impl Table for CcaKeys {
    const NAME: &'static str = "cca-keys";

    fn check(&self) -> Result<(), FieldProblem> {
        TrustedKey::check_all(&self.keys, "cpak", Self::NAME)
    }

    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        keys_of(corim, CCA_PLATFORM_PROFILE).map(Self::new)
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        self.keys.extend(keys_of(corim, CCA_PLATFORM_PROFILE)?);
        Ok(())
    }
}

impl Table for PsaKeys {
    const NAME: &'static str = "psa-keys";

    fn check(&self) -> Result<(), FieldProblem> {
        TrustedKey::check_all(&self.keys, "iak", Self::NAME)
    }

    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        keys_of(corim, PSA_PROFILE).map(Self::new)
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        self.keys.extend(keys_of(corim, PSA_PROFILE)?);
        Ok(())
    }
}

fn keys_of(corim: &Corim, profile: &str) -> Result<Vec<TrustedKey>, CorimProblem> {
    corim.check_profile(Some(profile))?;
    corim.each_attest_key(|key| TrustedKey::of_corim(key, corim))
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}
