//! Enclaves: the checks of their reports, and the claims that follow.

use atls_core::ear::TrustVector;
use atls_core::pki_types::UnixTime;
use atls_formats::dcap::Event;
use atls_formats::dcap::Report;
use atls_formats::dcap::SGX_QUOTE;
use atls_formats::dcap::SgxReport;
use atls_formats::dcap::Tee;

use crate::attributes;
use crate::claims::PlatformClaims;
use crate::claims::SgxClaims;
use crate::findings;
use crate::hardware::hardware;
use crate::hardware::identity;
use crate::policy::PlatformDemands;
use crate::policy::SgxEnclave;
use crate::policy::SgxPolicy;
use crate::technology::Checked;
use crate::technology::Technology;
use crate::vector::APPROVED;
use crate::vector::APPROVED_RUNTIME;
use crate::vector::CONTRAINDICATED;
use crate::vector::UNRECOGNISED_EXECUTABLES;
use crate::vector::UNSAFE;
use crate::vector::Values;
use crate::vector::runtime_opaque;
use crate::vector::vector;

impl Technology for SgxPolicy {
    const INSTANCE: &'static str = "sgx.ppid";
    type Report = SgxReport;
    type Claims = SgxClaims;

    const TEE: Tee = Tee::Sgx;
    const MEDIA_TYPES: &'static [&'static str] = &[SGX_QUOTE];

    fn demands(&self) -> PlatformDemands<'_> {
        self.demands()
    }

    fn report(report: &Report) -> Option<&SgxReport> {
        report.as_sgx()
    }

    fn check_report(
        &self,
        report: &SgxReport,
        platform: &PlatformClaims,
        now: UnixTime,
    ) -> Checked {
        let (vector, enclave) = claims(report, platform, self, now);
        Checked {
            vector,
            known_as: enclave.map(|enclave| enclave.name.clone()),
            findings: findings::enclave(report, self, enclave),
        }
    }

    /// Enclaves have no event log.
    fn claims(
        report: &SgxReport,
        known_as: Option<String>,
        platform: PlatformClaims,
        _events: Vec<Event>,
    ) -> SgxClaims {
        SgxClaims {
            enclave: known_as,
            report: report.clone(),
            platform,
        }
    }
}

/// The claims about an enclave, and the enclave of the policy that it is.
fn claims<'a>(
    report: &SgxReport,
    platform: &PlatformClaims,
    policy: &'a SgxPolicy,
    now: UnixTime,
) -> (TrustVector, Option<&'a SgxEnclave>) {
    let measured = policy
        .enclaves
        .iter()
        .filter(|enclave| is_known_as(enclave, report));
    let enclave = measured
        .clone()
        .find(|enclave| enclave.config_id.accepts(&report.config_id))
        .or_else(|| measured.clone().next());
    let debug = report.flags & attributes::SGX_DEBUG != 0;
    let configured = enclave.is_none_or(|enclave| enclave.config_id.accepts(&report.config_id));
    let configuration = if !configured || !enclave_is_safe(report, policy) {
        CONTRAINDICATED
    } else if debug {
        UNSAFE
    } else {
        APPROVED
    };
    let executables = if enclave.is_some() {
        APPROVED_RUNTIME
    } else {
        UNRECOGNISED_EXECUTABLES
    };
    let vector = vector(&Values {
        identity: identity(platform, &policy.demands()),
        configuration,
        executables,
        hardware: hardware(platform, &policy.demands(), now),
        runtime: runtime_opaque(debug, policy.allow_debug),
    });
    (vector, enclave)
}

fn is_known_as(enclave: &SgxEnclave, report: &SgxReport) -> bool {
    let is = |expected: Option<_>, value| expected.is_none_or(|expected| expected == value);
    let product = enclave
        .isv_prod_id
        .is_none_or(|id| id == report.isv_prod_id);
    let version = enclave
        .min_isv_svn
        .is_none_or(|least| report.isv_svn >= least);
    // A table that was not checked may name nothing at all.
    let named = enclave.mrenclave.is_some() || enclave.mrsigner.is_some();
    named
        && is(enclave.mrenclave, report.mrenclave)
        && is(enclave.mrsigner, report.mrsigner)
        && product
        && version
}

fn enclave_is_safe(report: &SgxReport, policy: &SgxPolicy) -> bool {
    report.flags & !policy.allowed_flags() == 0 && report.flags & attributes::SGX_INIT != 0
}
