//! The contents of a CoRIM.

use atls_core::pki_types::UnixTime;

use super::problem::CorimProblem;
use super::types::AttestKey;
use super::types::Reference;

/// The reference values of a CoRIM.
#[derive(Clone, Debug, PartialEq)]
pub struct Corim {
    pub(super) id: String,
    pub(super) profile: Option<String>,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) references: Vec<Reference>,
    pub(super) attest_keys: Vec<AttestKey>,
    pub(super) left_out: Vec<String>,
}

impl Corim {
    /// The identifier: text, or a UUID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The profile: a URI, or `oid:` and hexadecimal. A profile defines the measured elements and may change the meaning of
    /// fields, so a platform makes a table of known profiles only.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The earliest end of validity of document and signature, where there is one. The reader has compared it with the time. A table
    /// that is put in force as a [`Sourced`](crate::Sourced) ends with it; any other must be replaced in time.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }

    /// The reference triples in their order. There is at least one of these or one of [`attest_keys`](Self::attest_keys).
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Checks the profile: it must be this one, or absent where `known` is `None`.
    ///
    /// # Errors
    /// [`CorimProblem`]: the document has another profile, or lacks the known one.
    pub fn check_profile(&self, known: Option<&str>) -> Result<(), CorimProblem> {
        if self.profile() == known {
            return Ok(());
        }
        let found = self
            .profile()
            .map(|found| format!("profile {}", found.escape_debug()));
        let found = found.as_deref().unwrap_or("no profile");
        let known = known.unwrap_or("none");
        Err(format!("CoRIM has {found}; known here is {known}").into())
    }

    /// The attest-key triples in their order: attestation keys of devices, for platforms without a root that vouches for them.
    pub fn attest_keys(&self) -> &[AttestKey] {
        &self.attest_keys
    }

    /// Makes a value of each reference triple, in their order.
    ///
    /// # Errors
    /// The first problem, with the place of its triple; a document without one.
    pub fn each_reference<T>(
        &self,
        mut read: impl FnMut(&Reference) -> Result<T, CorimProblem>,
    ) -> Result<Vec<T>, CorimProblem> {
        if self.references.is_empty() {
            return Err("CoRIM holds no reference values".into());
        }
        let references = self.references.iter();
        references
            .map(|reference| read(reference).map_err(|problem| problem.at(reference.place)))
            .collect()
    }

    /// Makes a value of each attest-key triple, in their order.
    ///
    /// # Errors
    /// The first problem, with the place of its triple; a document without one.
    pub fn each_attest_key<T>(
        &self,
        mut read: impl FnMut(&AttestKey) -> Result<T, CorimProblem>,
    ) -> Result<Vec<T>, CorimProblem> {
        if self.attest_keys.is_empty() {
            return Err("CoRIM holds no attestation keys".into());
        }
        let keys = self.attest_keys.iter();
        keys.map(|key| {
            let value = key.check().and_then(|()| read(key));
            value.map_err(|problem| key.problem(&problem))
        })
        .collect()
    }

    /// The parts of the document beside the reference triples, for a log. Attest-key triples are among them: tables of keys alone read
    /// those.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }
}
