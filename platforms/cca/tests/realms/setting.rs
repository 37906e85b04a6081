//! A connection, a realm at its other end, and a verifier that knows it.

use atls_cca::CcaPolicy;
use atls_cca::CcaVerifier;
use atls_cca::testing::ForgedCca;
use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::ear::Tier;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_formats::psa::realm_challenge;
use test_support::Connection;

use crate::support::appraise;
use crate::support::provider;

// A change, and what becomes of it.
pub(crate) type Case<T, E> = (fn(&mut T), E);

/// A connection, a realm at its other end, and a verifier that knows it.
pub(crate) struct Setting {
    pub(crate) connection: Connection,
    pub(crate) forged: ForgedCca,
    pub(crate) verifier: CcaVerifier,
}

impl Setting {
    pub(crate) fn new() -> Self {
        Self::of(ForgedCca::new())
    }

    pub(crate) fn of(forged: ForgedCca) -> Self {
        Self::with(Connection::new(), forged)
    }

    pub(crate) fn by(forged: ForgedCca, policy: CcaPolicy) -> Self {
        Self {
            verifier: forged.verifier_with(policy, &provider()),
            ..Self::of(forged)
        }
    }

    pub(crate) fn with(connection: Connection, forged: ForgedCca) -> Self {
        Self {
            connection,
            verifier: forged.verifier(&provider()),
            forged,
        }
    }

    pub(crate) fn challenge(&self) -> [u8; 64] {
        *realm_challenge(self.connection.bound()).bytes()
    }

    /// By the real attester.
    pub(crate) fn token(&self) -> Vec<u8> {
        self.connection.evidence(&mut self.forged.attester())
    }

    pub(crate) fn appraise(&self, token: &[u8]) -> Result<Appraised, AppraisalError> {
        appraise(&self.connection, &self.verifier, token)
    }

    pub(crate) fn refusal(&self, token: &[u8]) -> AppraisalError {
        self.appraise(token).unwrap_err()
    }

    pub(crate) fn status(&self) -> Tier {
        self.appraise(&self.token()).unwrap().ear().status()
    }
}

pub(crate) fn failed(appraised: &Appraised) -> Vec<&str> {
    let findings = appraised.findings().iter();
    let failed = findings.filter(|finding| finding.outcome() == Outcome::Failed);
    failed.map(Finding::check).collect()
}
