//! The contents of a CoRIM.

use atls_core::pki_types::UnixTime;

use super::problem::CorimProblem;
use super::types::Reference;

/// What a CoRIM says of reference values.
#[derive(Clone, Debug, PartialEq)]
pub struct Corim {
    pub(super) id: String,
    pub(super) profile: Option<String>,
    pub(super) expires_at: Option<UnixTime>,
    pub(super) references: Vec<Reference>,
    pub(super) left_out: Vec<String>,
}

impl Corim {
    /// Its identifier: text, or a UUID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Which profile it is written to: a URI, or `oid:` and hexadecimal. A profile defines the measured elements, and may
    /// change what fields mean, so a platform makes a table only of those that it knows.
    pub fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The earliest end of its validity and that of its signature, where it has one. It was looked at when it was read; what
    /// was made of it does not end by itself. Replace it in time.
    pub fn expires_at(&self) -> Option<UnixTime> {
        self.expires_at
    }

    /// Its reference triples, at least one, in their order.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Checks its profile: this one, or none where `known` is `None`.
    ///
    /// # Errors
    /// [`CorimProblem`]: it has another profile, or none where one is needed.
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

    /// A value of each reference triple, in their order.
    ///
    /// # Errors
    /// The first problem, with the place of its triple.
    pub fn each_reference<T>(
        &self,
        mut read: impl FnMut(&Reference) -> Result<T, CorimProblem>,
    ) -> Result<Vec<T>, CorimProblem> {
        let references = self.references.iter();
        references
            .map(|reference| read(reference).map_err(|problem| problem.at(reference.place)))
            .collect()
    }

    /// What else it holds and nobody reads, for a log.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }
}
