//! The findings for operators, one for each check: the registers that were seen, and the images that the policy names.
//!
//! Every check is reported, whatever the outcome of the others. Findings hold public values only: PCR3 and PCR4 identify a machine, so
//! their finding has an outcome and no value.

use std::collections::BTreeSet;

use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_reference::Digest;

use crate::claims;
use crate::image::NitroImage;
use crate::policy::NitroPolicy;
use crate::trust_vector::RegisterAppraisal;
use crate::trust_vector::Software;

/// The findings about the registers of a verified document.
pub(crate) fn of(
    policy: &NitroPolicy,
    pcrs: &[(u8, Digest<48>)],
    appraisal: &RegisterAppraisal<'_>,
) -> Vec<Finding> {
    let mut findings = vec![
        image(policy, pcrs, appraisal),
        instance(policy, pcrs, appraisal),
        debug_mode(policy, pcrs),
    ];
    let named = policy.images.iter().flat_map(NitroImage::software);
    let named: BTreeSet<_> = named.map(|(index, _)| index).collect();
    let registers = named.into_iter();
    findings.extend(registers.map(|index| register(policy, pcrs, appraisal, index)));
    findings
}

fn image(
    policy: &NitroPolicy,
    pcrs: &[(u8, Digest<48>)],
    appraisal: &RegisterAppraisal<'_>,
) -> Finding {
    let name = "nitro.image";
    let finding = match appraisal.software {
        Software::Known => Finding::passed(name),
        Software::Unmeasured => {
            Finding::warning(name).with_note("an enclave in debug mode measures nothing")
        }
        Software::Unknown => Finding::failed(name).with_note(unlike(policy, pcrs)),
    };
    let finding = match appraisal.image {
        Some(image) => finding.with_seen(&image.name),
        None => finding,
    };
    let names = policy.images.iter();
    names.fold(finding, |finding, image| {
        finding.with_allowed(&image.name, "")
    })
}

/// The registers in which the enclave differs from the most similar image.
fn unlike(policy: &NitroPolicy, pcrs: &[(u8, Digest<48>)]) -> String {
    let differing = |image: &NitroImage| -> Vec<u8> {
        let differs =
            |(index, value): &(u8, Digest<48>)| claims::register(pcrs, *index) != Some(value);
        let differing = image.software().filter(differs);
        differing.map(|(index, _)| index).collect()
    };
    let partly = policy.images.iter().filter_map(|image| {
        let differing = differing(image);
        let matches_some = differing.len() < image.software().count();
        matches_some.then_some((image, differing))
    });
    match partly.min_by_key(|(_, differing)| differing.len()) {
        Some((image, differing)) => {
            let names: Vec<_> = differing
                .iter()
                .map(|index| format!("pcr{index}"))
                .collect();
            format!(
                "most like {}, and differs from it in {}",
                image.name,
                names.join(", ")
            )
        }
        None => "add the measurements that nitro-cli printed for this build to the policy, or deploy a known build"
            .to_owned(),
    }
}

fn instance(
    policy: &NitroPolicy,
    pcrs: &[(u8, Digest<48>)],
    appraisal: &RegisterAppraisal<'_>,
) -> Finding {
    let name = "nitro.instance";
    if appraisal.image.is_some() || appraisal.software != Software::Known {
        return Finding::passed(name);
    }
    let recognised = |image: &&NitroImage| {
        let holds = |(index, value)| claims::register(pcrs, index) == Some(&value);
        image.software().all(holds)
    };
    let finding = Finding::failed(name)
        .with_note("a known image with another role (pcr3) or on another instance (pcr4) than the policy names");
    let known = policy.images.iter().filter(recognised);
    known.fold(finding, |finding, image| {
        finding.with_allowed(&image.name, "")
    })
}

fn debug_mode(policy: &NitroPolicy, pcrs: &[(u8, Digest<48>)]) -> Finding {
    let name = "nitro.debug";
    match (claims::is_debug(pcrs), policy.allow_debug) {
        (false, _) => Finding::passed(name).with_seen("off"),
        (true, true) => Finding::warning(name).with_seen("on").with_note(
            "the parent instance reads the enclave's console, and the policy accepts that",
        ),
        (true, false) => Finding::failed(name)
            .with_seen("on")
            .with_note("run the enclave without --debug-mode"),
    }
}

/// One register, beside its value in each image that names it.
fn register(
    policy: &NitroPolicy,
    pcrs: &[(u8, Digest<48>)],
    appraisal: &RegisterAppraisal<'_>,
    index: u8,
) -> Finding {
    let named = |image: &NitroImage| image.software().find(|(known, _)| *known == index);
    let seen = claims::register(pcrs, index);
    let as_named = |image: &NitroImage| named(image).is_some_and(|(_, value)| Some(&value) == seen);
    let decided = match appraisal.software {
        // The other images do not matter.
        Software::Known => true,
        Software::Unknown | Software::Unmeasured => policy.images.iter().any(as_named),
    };
    let outcome = match (decided, appraisal.software) {
        (true, _) => Outcome::Passed,
        (false, Software::Unmeasured) => Outcome::Warning,
        (false, _) => Outcome::Failed,
    };
    let finding = Finding::new(format_args!("nitro.pcr{index}"), outcome);
    let finding = match seen {
        Some(value) => finding.with_seen_bytes(value.as_bytes()),
        None => finding.with_seen("absent"),
    };
    policy
        .images
        .iter()
        .fold(finding, |finding, image| match named(image) {
            Some((_, value)) => finding.with_allowed_bytes(&image.name, value.as_bytes()),
            None => finding,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust_vector::appraise_registers;

    #[test]
    fn an_unknown_enclave_says_which_registers_were_seen_and_which_are_allowed() {
        let policy = NitroPolicy::new(vec![image("payments 1.4", 1), image("payments 1.5", 2)]);
        let pcrs = registers(3);
        let findings = findings(&policy, &pcrs);
        for index in 0..3 {
            let found = finding(&findings, &format!("nitro.pcr{index}"));
            assert_eq!(found.outcome(), Outcome::Failed);
            assert_eq!(found.seen(), Some(&*"03".repeat(48)));
            let allowed: Vec<_> = found
                .allowed()
                .iter()
                .map(|it| (it.name(), it.value()))
                .collect();
            let (one, two) = ("01".repeat(48), "02".repeat(48));
            assert_eq!(allowed, [("payments 1.4", &*one), ("payments 1.5", &*two)]);
        }
        assert_eq!(finding(&findings, "nitro.image").outcome(), Outcome::Failed);
        assert_eq!(finding(&findings, "nitro.debug").outcome(), Outcome::Passed);
    }

    #[test]
    fn a_nearly_known_enclave_is_reported_with_the_registers_that_differ() {
        let policy = NitroPolicy::new(vec![image("payments", 1)]);
        let mut pcrs = registers(1);
        pcrs[2].1 = Digest::from([9; 48]);
        let findings = findings(&policy, &pcrs);
        let note = finding(&findings, "nitro.image").note().unwrap();
        assert_eq!(note, "most like payments, and differs from it in pcr2");
        assert_eq!(finding(&findings, "nitro.pcr0").outcome(), Outcome::Passed);
        assert_eq!(finding(&findings, "nitro.pcr2").outcome(), Outcome::Failed);
    }

    #[test]
    fn a_known_enclave_passes_every_check() {
        let policy = NitroPolicy::new(vec![image("one", 1), image("two", 2)]);
        let findings = findings(&policy, &registers(2));
        assert!(
            findings.iter().all(|it| it.outcome() == Outcome::Passed),
            "{findings:?}"
        );
        assert_eq!(finding(&findings, "nitro.image").seen(), Some("two"));
    }

    #[test]
    fn a_known_image_in_another_place_is_reported_without_the_place() {
        let mut here = image("payments", 1);
        here.pcr4 = Some(Digest::from([4; 48]));
        let findings = findings(&NitroPolicy::new(vec![here]), &registers(1));
        let found = finding(&findings, "nitro.instance");
        assert_eq!(found.outcome(), Outcome::Failed);
        assert!(findings.iter().all(|it| !it.to_string().contains("0404")));
    }

    #[test]
    fn debug_mode_fails_and_where_it_is_allowed_warns() {
        let mut policy = NitroPolicy::new(vec![image("payments", 1)]);
        let pcrs = registers(0);
        assert_eq!(
            finding(&findings(&policy, &pcrs), "nitro.debug").outcome(),
            Outcome::Failed
        );
        policy.allow_debug = true;
        for check in ["nitro.debug", "nitro.image", "nitro.pcr0"] {
            assert_eq!(
                finding(&findings(&policy, &pcrs), check).outcome(),
                Outcome::Warning
            );
        }
    }

    fn findings(policy: &NitroPolicy, pcrs: &[(u8, Digest<48>)]) -> Vec<Finding> {
        of(policy, pcrs, &appraise_registers(policy, pcrs))
    }

    fn finding<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
        findings.iter().find(|it| it.check() == check).unwrap()
    }

    fn image(name: &str, value: u8) -> NitroImage {
        let value = Digest::from([value; 48]);
        NitroImage::measured(name, value, value, value)
    }

    fn registers(value: u8) -> Vec<(u8, Digest<48>)> {
        (0..16)
            .map(|index| (index, Digest::from([value; 48])))
            .collect()
    }
}
