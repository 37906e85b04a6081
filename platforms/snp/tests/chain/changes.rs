//! Changes to a forged platform, and the refusals that follow.

use atls_core::AppraisalError;
use atls_snp::CertTable;
use atls_snp::SnpEvidence;
use atls_snp::testing::ForgedSnp;

use crate::support::CHALLENGE;
use crate::support::appraise_with;
use crate::support::milan;

pub(crate) type Change = fn(&mut ForgedSnp);

/// Each change alone makes Evidence of Milan refused.
pub(crate) fn each_is_refused(expected: &AppraisalError, changes: &[Change]) {
    for (place, change) in changes.iter().enumerate() {
        let mut platform = milan();
        change(&mut platform);
        assert_eq!(refused(&platform), *expected, "change {place}");
    }
}

/// Under the root's key, whatever the Evidence says of it.
pub(crate) fn refused(platform: &ForgedSnp) -> AppraisalError {
    let root = ForgedSnp::new(platform.product).unwrap();
    let evidence = platform.evidence(&CHALLENGE);
    let collateral = platform.collateral().unwrap();
    let appraised = appraise_with(&root, &evidence, collateral, root.policy());
    appraised.map(drop).unwrap_err()
}

pub(crate) fn appraise_table(
    platform: &ForgedSnp,
    table: CertTable,
) -> Result<atls_core::RecordedAppraisal, AppraisalError> {
    appraise_evidence(
        platform,
        &SnpEvidence::new(platform.signed_report(&CHALLENGE), table),
    )
}

pub(crate) fn appraise_evidence(
    platform: &ForgedSnp,
    evidence: &SnpEvidence,
) -> Result<atls_core::RecordedAppraisal, AppraisalError> {
    let collateral = platform.collateral().unwrap();
    appraise_with(platform, evidence, collateral, platform.policy())
}
