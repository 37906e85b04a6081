//! The values in Evidence that a policy does not look at.

mod arm;
mod named;
mod tpm;
mod values;

use atls_cca::CcaClaims;
use atls_cca::PsaClaims;
use atls_core::RecordedAppraisal;
use atls_nitro::NitroClaims;
use atls_tdx::TdxClaims;
use atls_tpm::TpmClaims;

use crate::appraise::Evidence;
use crate::appraise::Policy;
use crate::failure::Failure;

pub(super) use values::Unseen;

/// By the image that matched, or else by all images of the policy.
pub(super) fn of(
    item: &Evidence,
    appraised: &RecordedAppraisal,
    policy: &Policy,
) -> Result<Unseen, Failure> {
    if let Some(claims) = appraised.claims::<TpmClaims>() {
        return tpm::of(&item.bytes, claims, policy);
    }
    if let Some(claims) = appraised.claims::<CcaClaims>() {
        return Ok(arm::cca(claims, &policy.table()?));
    }
    if let Some(claims) = appraised.claims::<PsaClaims>() {
        return Ok(arm::psa(claims, &policy.table()?));
    }
    let mut unseen = named::of(item, appraised.image(), policy);
    if let Some(claims) = appraised.claims::<TdxClaims>() {
        named::add_events(&mut unseen, claims);
    }
    if let Some(claims) = appraised.claims::<NitroClaims>() {
        named::add_user_data(&mut unseen, claims);
    }
    Ok(unseen)
}
