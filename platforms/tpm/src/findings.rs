//! The findings of an appraisal, check by check, for operators.
//!
//! Registers and events are public values. The key identifies a machine, so a finding about it has the outcome alone.

use atls_core::finding::Finding;
use atls_core::finding::Outcome;

use crate::counters::Counters;
use crate::policy::TpmImage;
use crate::policy::TpmPolicy;
use crate::policy::is_unmeasured;
use crate::quoted::Quoted;
use crate::trust_vector::Firmware;
use crate::trust_vector::Missing;
use crate::trust_vector::PolicyOutcome;
use crate::trust_vector::SecureBoot;

/// The findings about a verified quote and its appraisal.
pub(crate) fn of(
    policy: &TpmPolicy,
    quoted: &Quoted<'_>,
    decided: &PolicyOutcome<'_>,
) -> Vec<Finding> {
    let mut findings = vec![key(quoted), image(policy, decided)];
    findings.extend(firmware(policy, quoted, decided.firmware));
    findings.extend(secure_boot(decided.secure_boot));
    findings.extend(counters(quoted, decided.counters));
    findings.extend(registers(policy, quoted, decided));
    findings
}

fn key(quoted: &Quoted<'_>) -> Finding {
    let finding = Finding::passed("tpm.key");
    if quoted.key.software {
        return finding.with_note("of a TPM in software, whose holder can read it");
    }
    match (quoted.key.ek_certificate, quoted.key.ak_certificate) {
        (Some(_), _) => finding.with_note("enrolled by a certified endorsement key"),
        (None, Some(_)) => finding.with_note("certified by a cloud, for a virtual TPM"),
        (None, None) => {
            finding.with_note("provided; nobody but the file of keys says that it is of a TPM")
        }
    }
}

fn image(policy: &TpmPolicy, decided: &PolicyOutcome<'_>) -> Finding {
    let name = "tpm.image";
    let finding = match decided.image {
        Some(image) => Finding::passed(name).with_seen(&image.name),
        None => Finding::failed(name).with_note(unlike(policy, decided)),
    };
    let images = policy.images.iter();
    images.fold(finding, |finding, image| {
        finding.with_allowed(&image.name, "")
    })
}

/// The differences between the machine and the image that it is most like.
fn unlike(policy: &TpmPolicy, decided: &PolicyOutcome<'_>) -> String {
    let images = policy.images.iter().zip(&decided.missing);
    let Some((image, missing)) = images.min_by_key(|(_, missing)| missing.len()) else {
        return String::new();
    };
    let missing: Vec<_> = missing.iter().map(told).collect();
    format!("most like {}, but {}", image.name, missing.join(", "))
}

fn told(missing: &Missing) -> String {
    match missing {
        Missing::Value(pcr) => format!("pcr{pcr} has another value or is not quoted"),
        Missing::Measured(pcr) => {
            format!("pcr{pcr} is not quoted, or something was measured into it")
        }
        Missing::Log(pcr) => format!("no log explains pcr{pcr}"),
        Missing::OtherEvent(pcr) => format!("pcr{pcr} has an event that is not listed"),
        Missing::Event(pcr, name) => format!("pcr{pcr} lacks {name}"),
        Missing::Outside(pcr) => {
            format!(
                "pcr{pcr} is not quoted, or something from outside of the unified kernel image is in it"
            )
        }
        Missing::Section(name) => {
            format!("pcr11 has no or another section {}", name.escape_debug())
        }
        Missing::Files => "no list of IMA with a file explains pcr10".to_owned(),
        Missing::File => "a file was used that is not allowed".to_owned(),
    }
}

fn firmware(policy: &TpmPolicy, quoted: &Quoted<'_>, firmware: Firmware) -> Option<Finding> {
    let name = "tpm.firmware";
    let finding = match firmware {
        Firmware::NotAsked => return None,
        Firmware::Enough => Finding::passed(name),
        Firmware::TooOld => Finding::failed(name).with_note("update the firmware of the TPM"),
        Firmware::Obfuscated => Finding::failed(name).with_note(
            "the version is obfuscated: enrol a primary key of the endorsement hierarchy, or leave min-firmware out",
        ),
    };
    let finding = finding.with_seen(format_args!("{:016x}", quoted.attest.firmware_version));
    Some(match &policy.min_firmware {
        Some(least) => finding.with_allowed("min-firmware", least),
        None => finding,
    })
}

fn secure_boot(secure_boot: SecureBoot) -> Option<Finding> {
    let name = "tpm.secure-boot";
    match secure_boot {
        SecureBoot::NotAsked => None,
        SecureBoot::Shown => Some(Finding::passed(name).with_seen("on")),
        SecureBoot::NotShown => Some(Finding::failed(name).with_note(
            "the log is absent, does not lead to pcr7, or does not begin there with SecureBoot = 1",
        )),
    }
}

fn counters(quoted: &Quoted<'_>, counters: Counters) -> Option<Finding> {
    let note = match counters {
        Counters::NotAsked => return None,
        Counters::AsAsked => None,
        Counters::ClockUnsafe => Some("the clock may have gone back, as after a loss of power"),
        Counters::Obfuscated => Some(
            "the counters are obfuscated: enrol a primary key of the endorsement hierarchy, or leave reset-count and max-restarts out",
        ),
        Counters::Reset => Some("the machine was booted anew since reset-count was set"),
        Counters::Restarted => Some("the TPM was restarted more often since its last reset"),
    };
    let outcome = match note {
        None => Outcome::Passed,
        Some(_) => Outcome::Failed,
    };
    let clock = &quoted.attest.clock;
    let (resets, restarts) = (clock.reset_count, clock.restart_count);
    let finding = Finding::new("tpm.counters", outcome)
        .with_seen(format_args!("{resets} resets, {restarts} restarts"));
    Some(match note {
        Some(note) => finding.with_note(note),
        None => finding,
    })
}

/// Each register that an image names by its value, or as unmeasured.
fn registers<'a>(
    policy: &'a TpmPolicy,
    quoted: &'a Quoted<'_>,
    decided: &'a PolicyOutcome<'_>,
) -> impl Iterator<Item = Finding> + 'a {
    (0..24).filter_map(move |pcr| {
        let named = policy.images.iter();
        let named = named.filter_map(|image| Some((image, Demand::of(image, pcr)?)));
        let named: Vec<_> = named.collect();
        let (first, _) = named.first()?;
        if decided
            .image
            .is_some_and(|image| Demand::of(image, pcr).is_none())
        {
            return None;
        }
        let bank = decided.image.unwrap_or(first).bank;
        let seen = quoted.bank(bank).and_then(|registers| registers.get(&pcr));
        let is_met = |(_, demand): &(_, Demand<'_>)| seen.is_some_and(|seen| demand.is_met(seen));
        let outcome = match named.iter().any(is_met) {
            true => Outcome::Passed,
            false => Outcome::Failed,
        };
        let finding = Finding::new(format_args!("tpm.{bank}.pcr{pcr}"), outcome);
        let finding = match seen {
            Some(value) => finding.with_seen_bytes(value),
            None => finding.with_seen("not quoted"),
        };
        let allowed = named.into_iter();
        Some(
            allowed.fold(finding, |finding, (image, demand)| match demand {
                Demand::Unmeasured => finding.with_allowed(&image.name, "unmeasured"),
                Demand::Value(value) => finding.with_allowed_bytes(&image.name, value),
            }),
        )
    })
}

/// What an image says of a register.
enum Demand<'a> {
    Unmeasured,
    Value(&'a [u8]),
}

impl<'a> Demand<'a> {
    fn of(image: &'a TpmImage, pcr: u8) -> Option<Self> {
        if image.unmeasured.iter().any(|index| index.get() == pcr) {
            return Some(Self::Unmeasured);
        }
        let mut values = image.pcr.iter();
        let (_, value) = values.find(|(index, _)| index.get() == pcr)?;
        Some(Self::Value(value.as_bytes()))
    }

    fn is_met(&self, seen: &[u8]) -> bool {
        match self {
            Self::Unmeasured => is_unmeasured(seen),
            Self::Value(value) => *value == seen,
        }
    }
}
