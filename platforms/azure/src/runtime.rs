//! The appraisal of runtime data, which the processor's report vouches for.

use atls_core::Origin;
use atls_core::RecordedAppraisal;
use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Ear;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerifierId;
use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_core::pki_types::UnixTime;
use atls_formats::azure::RuntimeData;
use atls_reference::Live;

use crate::claims::AzureClaims;
use crate::policy::AzurePolicy;

/// The table in the crate's README, row by row. The origin is that of the report that vouches for the data: a chain sets it.
pub(crate) fn appraise(
    data: &RuntimeData,
    policy: &Live<AzurePolicy>,
    now: UnixTime,
) -> RecordedAppraisal {
    let (live, policy) = (policy, policy.current());
    let claims = AzureClaims::of(data);
    let secure_boot = match (claims.secure_boot, policy.allow_insecure_boot) {
        (true, _) => 2,
        (false, true) => 32,
        (false, false) => 96,
    };
    // A quote of a TPM that the VM does not have.
    let configuration = if claims.tpm_enabled { secure_boot } else { 96 };
    let vm = policy.vm_unique_ids.as_ref().map(|known| {
        let mut known = known.iter();
        known.any(|id| id.eq_ignore_ascii_case(&claims.vm_unique_id))
    });
    let user_data = policy
        .user_data
        .map(|expected| claims.user_data == Some(expected));
    let identity = match (vm, user_data) {
        (Some(false), _) | (_, Some(false)) => 96,
        (Some(true), _) => 2,
        (None, _) => 0,
    };
    let vector = TrustVector::new()
        .with(Category::Configuration, TrustClaim::new(configuration))
        .with(Category::InstanceIdentity, TrustClaim::new(identity));
    let verifier = VerifierId::new("atls-azure", env!("CARGO_PKG_VERSION"));
    let ear = Ear::local(verifier, now, "azure", Appraisal::new(vector));

    let mut findings = vec![
        Finding::new("azure.secure-boot", outcome(secure_boot)).with_seen(claims.secure_boot),
        Finding::new("azure.tpm-enabled", passed(claims.tpm_enabled)).with_seen(claims.tpm_enabled),
    ];
    findings.extend(vm.map(|known| {
        Finding::new("azure.vm-unique-id", passed(known))
            .with_note("the VM is one of those that the policy names, or else none of them")
    }));
    findings.extend(user_data.map(|equal| Finding::new("azure.user-data", passed(equal))));
    RecordedAppraisal::new(ear, Origin::Device, data.report_data())
        .with_instances(claims.instances())
        .with_claims(claims)
        .with_findings(live.located(&policy, findings))
}

fn outcome(configuration: i8) -> Outcome {
    match configuration {
        2 => Outcome::Passed,
        32 => Outcome::Warning,
        _ => Outcome::Failed,
    }
}

fn passed(is_so: bool) -> Outcome {
    match is_so {
        true => Outcome::Passed,
        false => Outcome::Failed,
    }
}
