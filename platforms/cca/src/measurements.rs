//! Values out of Evidence, before anybody verified it.

use atls_core::AppraisalError;
use atls_formats::psa::CcaPlatform;
use atls_formats::psa::CcaRealm;
use atls_formats::psa::CcaToken;

/// What a policy could pin of a CCA token, by the names of the policy file, in hexadecimal: for an operator who writes a policy on a
/// platform that is known. **Nothing is verified**, so whoever made the Evidence chose them. A component is named by its kind.
///
/// # Errors
/// [`AppraisalError::Malformed`]
pub fn dangerous_unverified_measurements(
    evidence: &[u8],
) -> Result<Vec<(String, String)>, AppraisalError> {
    let token = CcaToken::decode(evidence)?;
    let platform = CcaPlatform::of(token.platform())?;
    let realm = CcaRealm::of(token.realm())?;
    let mut found = vec![
        named("implementation-id", &platform.implementation_id),
        named("instance-id", &platform.instance_id),
        named("configuration", &platform.configuration),
    ];
    found.extend(platform.components.iter().map(|component| {
        let kind = component.kind.as_deref().unwrap_or("unnamed");
        let name = format!("component {}", kind.escape_debug());
        named(&name, &component.measurement)
    }));
    found.push(named("initial-measurement", &realm.initial_measurement));
    found.push(named("personalization-value", &realm.personalization_value));
    let names = ["rem0", "rem1", "rem2", "rem3"];
    let extensible = names.iter().zip(&realm.extensible_measurements);
    found.extend(extensible.map(|(name, value)| named(name, value)));
    Ok(found)
}

fn named(name: &str, value: &[u8]) -> (String, String) {
    let value = value.iter().map(|byte| format!("{byte:02x}")).collect();
    (name.to_owned(), value)
}
