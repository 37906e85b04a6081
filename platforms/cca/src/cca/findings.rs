//! Findings for operators: one for each check of the policy, with the value in the token, the allowed values, and the cure.
//!
//! Measurements and configurations are public. The key identifies a machine, so a finding about it has the outcome alone.

use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_formats::psa::CcaRealm;

use super::authentic::Authentic;
use super::trust_vector::Decided;
use crate::policy::CcaPolicy;
use crate::policy::CcaRealmImage;
use crate::policy::Configuration;
use crate::policy::KnownComponent;
use crate::psa::findings::components;
use crate::psa::findings::key;
use crate::psa::findings::lifecycle;

/// The findings about a verified token.
pub(crate) fn of(policy: &CcaPolicy, token: &Authentic<'_>, decided: &Decided<'_>) -> Vec<Finding> {
    let platform = &token.platform;
    let mut findings = vec![
        key("cca.key", token.key),
        lifecycle("cca.lifecycle", platform.lifecycle),
    ];
    let about = policy
        .platforms
        .iter()
        .filter(|known| known.is_about(platform));
    let known: Vec<(&str, &[KnownComponent])> = about
        .map(|known| (known.name.as_str(), known.components.as_slice()))
        .collect();
    let named = decided.firmware.map(|firmware| firmware.name.as_str());
    findings.extend(components("cca", named, &known, &platform.components));
    findings.push(configuration(policy, token, decided));
    findings.extend(realm(policy, &token.realm, decided.image));
    findings
}

fn configuration(policy: &CcaPolicy, token: &Authentic<'_>, decided: &Decided<'_>) -> Finding {
    let name = "cca.configuration";
    let finding = match decided.configuration {
        Configuration::Known => Finding::passed(name),
        Configuration::NotStated => Finding::passed(name).with_note("the policy says nothing of it"),
        Configuration::Other => Finding::failed(name).with_note(
            "the platform is set up in another way than the policy says; its operator can change that",
        ),
    };
    let finding = finding.with_seen_bytes(&token.platform.configuration);
    let about = policy
        .platforms
        .iter()
        .filter(|known| known.is_about(&token.platform));
    about.fold(finding, |finding, known| match &known.configuration {
        Some(configuration) => finding.with_allowed_bytes(&known.name, configuration),
        None => finding,
    })
}

fn realm(policy: &CcaPolicy, realm: &CcaRealm, image: Option<&CcaRealmImage>) -> Vec<Finding> {
    let name = "cca.realm";
    let finding = match image {
        Some(image) => Finding::passed(name).with_note(format_args!("it is {}", image.name)),
        None => Finding::failed(name).with_note(unlike(policy, realm)),
    };
    let finding = finding.with_seen_bytes(&realm.initial_measurement);
    let finding = policy.realms.iter().fold(finding, |finding, known| {
        finding.with_allowed_bytes(&known.name, known.initial_measurement.as_bytes())
    });
    let mut findings = vec![finding];
    findings.extend(extensible(policy, realm, image));
    findings
}

/// Why no image matches. A realm with a known initial measurement may differ in other fields.
fn unlike(policy: &CcaPolicy, realm: &CcaRealm) -> String {
    let is_measured =
        |known: &&CcaRealmImage| known.initial_measurement.as_bytes() == realm.initial_measurement;
    match policy.realms.iter().find(is_measured) {
        Some(known) => format!(
            "it measures as {}, and differs in {}",
            known.name,
            known.differences(realm).join(", ")
        ),
        None => "add the initial measurement of this build to the policy, or deploy a known build"
            .to_owned(),
    }
}

/// Each extensible measurement that an image states.
fn extensible(policy: &CcaPolicy, realm: &CcaRealm, image: Option<&CcaRealmImage>) -> Vec<Finding> {
    let candidates = || {
        let matching = image.into_iter();
        let others = policy.realms.iter().filter(|_| image.is_none());
        matching.chain(others)
    };
    let found = realm.extensible_measurements.iter().enumerate();
    let finding = |(number, found): (usize, &Vec<u8>)| {
        let stated = candidates().filter_map(|known| {
            let (name, stated) = *known.stated().get(number)?;
            Some((known, name, stated?))
        });
        let stated: Vec<_> = stated.collect();
        let (_, name, _) = *stated.first()?;
        let is_allowed = stated.iter().any(|(_, _, value)| value.as_bytes() == found);
        let outcome = match is_allowed {
            true => Outcome::Passed,
            false => Outcome::Failed,
        };
        let finding = Finding::new(format_args!("cca.{name}"), outcome).with_seen_bytes(found);
        Some(
            stated
                .into_iter()
                .fold(finding, |finding, (known, _, value)| {
                    finding.with_allowed_bytes(&known.name, value.as_bytes())
                }),
        )
    };
    found.filter_map(finding).collect()
}
