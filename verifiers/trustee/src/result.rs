//! What a signed result must say before it is about this connection.

use atls_core::AppraisalError;
use atls_core::ear::Ear;
use atls_formats::ReportedClaims;

use crate::format::EvidenceFormat;

/// One part, of the TEE that was asked about, under the configured policy, with the report data of this connection, and
/// with an end.
pub(crate) fn check(
    ear: &Ear,
    format: &dyn EvidenceFormat,
    challenge: &[u8],
    policy: &str,
) -> Result<(), AppraisalError> {
    let appraisal = ear.submod(PART).ok_or(AppraisalError::BadResult)?;
    let reported = ReportedClaims::of(appraisal);
    let found = reported.bytes("report_data", format.report_data());
    let is_about_this = found.as_deref() == Some(challenge)
        && reported.is_about_tee(format.tee())
        && appraisal.policy_ids() == [policy]
        && ear.submods().count() == 1
        && ear.expires_at().is_some();
    if is_about_this {
        Ok(())
    } else {
        Err(AppraisalError::BadResult)
    }
}

/// The first device of the class `cpu`; one was asked about.
const PART: &str = "cpu0";
