//! A forged TPM whose quotes are good, and the verifier that knows it.

use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_formats::tpm::TcgLogWriter;
use atls_formats::tpm::TpmEvidence;
use atls_formats::tpm::qualifying_data;
use atls_reference::Live;
use atls_tpm::Measurement;
use atls_tpm::TpmClaims;
use atls_tpm::TpmKeys;
use atls_tpm::TpmPolicy;
use atls_tpm::TpmVerifier;
use atls_tpm::TrustedKey;
use atls_tpm::testing::ForgedTpm;
use rustls::CipherSuite;
use test_support::Connection;
use test_support::ready;

use crate::support::at;
use crate::support::pcr;

pub(crate) struct Setting {
    pub(crate) connection: Connection,
    pub(crate) forged: ForgedTpm,
    pub(crate) trusted: TrustedKey,
    pub(crate) policy: TpmPolicy,
    /// Sent instead of the log that the registers follow from; none at all where it is empty.
    pub(crate) log: Option<Vec<u8>>,
}

impl Setting {
    pub(crate) fn new() -> Self {
        Self::of(CipherSuite::TLS13_AES_128_GCM_SHA256)
    }

    pub(crate) fn of(suite: CipherSuite) -> Self {
        let forged = ForgedTpm::new();
        Self {
            connection: Connection::with_suite(suite),
            trusted: forged.trusted("forged"),
            policy: TpmPolicy::new(vec![ForgedTpm::image()]),
            forged,
            log: None,
        }
    }

    pub(crate) fn pin_command_line(&mut self) {
        let value = Measurement::new(log_with_command_line().value(8)).unwrap();
        self.policy.images[0].pcr.insert(pcr(8), value);
    }

    pub(crate) fn keys(&self) -> Arc<Live<TpmKeys>> {
        Arc::new(Live::fixed(TpmKeys::new(vec![self.trusted.clone()])).unwrap())
    }

    pub(crate) fn verifier(&self) -> TpmVerifier {
        let policy = Arc::new(Live::fixed(self.policy.clone()).unwrap());
        TpmVerifier::dangerous_with_software_keys(self.keys(), policy, &provider())
    }

    pub(crate) fn expected(&self) -> Vec<u8> {
        qualifying_data(self.connection.to_attest().bound())
            .bytes()
            .clone()
    }

    pub(crate) fn evidence(&self) -> TpmEvidence {
        let mut evidence = self.forged.evidence(&self.expected());
        if let Some(log) = &self.log {
            evidence.tcg_log = (!log.is_empty()).then(|| log.clone());
        }
        evidence
    }

    pub(crate) fn appraise(&self, evidence: &TpmEvidence) -> Result<Appraised, AppraisalError> {
        let evidence = evidence.clone().encode().unwrap();
        self.connection.appraise(&self.verifier(), &evidence, at())
    }

    pub(crate) fn refusal(&self, evidence: &TpmEvidence) -> AppraisalError {
        self.appraise(evidence).map(drop).unwrap_err()
    }

    /// The status, and the claim about executables.
    pub(crate) fn appraised(&self) -> (Tier, i8) {
        let appraised = self.appraise(&self.evidence()).unwrap();
        (appraised.ear().status(), self.claim(Category::Executables))
    }

    pub(crate) fn claim(&self, category: Category) -> i8 {
        let appraised = self.appraise(&self.evidence()).unwrap();
        let (_, appraisal) = appraised.ear().submods().next().unwrap();
        appraisal.vector().get(category).value()
    }

    pub(crate) fn claims(&self) -> TpmClaims {
        let evidence = self.evidence().encode().unwrap();
        let recorded = ready(self.verifier().appraise_recorded(&evidence, at())).unwrap();
        recorded.claims::<TpmClaims>().unwrap().clone()
    }
}

pub(crate) fn provider() -> rustls::crypto::CryptoProvider {
    rustls::crypto::ring::default_provider()
}

pub(crate) const SUITES: [CipherSuite; 2] = [
    CipherSuite::TLS13_AES_128_GCM_SHA256,
    CipherSuite::TLS13_AES_256_GCM_SHA384,
];

pub(crate) fn log_with_command_line() -> TcgLogWriter {
    ForgedTpm::log().measured(8, 0x0d, b"kernel_cmdline: ima_policy=tcb")
}
