//! Findings for operators: one for each check of the policy, with the value in the report, the allowed values, and the cure.
//!
//! Each check is reported, also after another one failed. The values are public: no finding names a chip or a guest.

use std::fmt;

use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;
use atls_formats::snp::Tcb;

use crate::claims::SnpClaims;
use crate::policy::SnpImage;
use crate::policy::SnpPolicy;
use crate::rules::Announced;
use crate::rules::Chip;
use crate::rules::Debugging;
use crate::rules::Demand;
use crate::rules::Firmware;
use crate::rules::Rules;
use crate::rules::Version;

/// The findings about a verified report.
pub(crate) fn of(
    report: &Report<'_>,
    claims: &SnpClaims,
    policy: &SnpPolicy,
    rules: &Rules<'_>,
) -> Vec<Finding> {
    let mut findings = vec![
        image(report, claims, policy, rules),
        chip(rules),
        signing_key(claims, policy, rules),
        check("snp.report-version", rules.report_version)
            .with_seen(claims.report_version)
            .with_allowed("min-report-version", policy.min_report_version),
        check("snp.vmpl", rules.vmpl)
            .with_seen(claims.vmpl)
            .with_allowed("max-vmpl", policy.max_vmpl),
        debugging(rules),
        migration(claims, rules),
    ];
    findings.extend(launch_rules(claims, policy, rules));
    match &rules.firmware {
        Some(firmware) => findings.extend(versions(claims, firmware)),
        None => findings.push(unnamed_product(claims, policy)),
    }
    findings
}

fn image(
    report: &Report<'_>,
    claims: &SnpClaims,
    policy: &SnpPolicy,
    rules: &Rules<'_>,
) -> Finding {
    let finding = match rules.image {
        Some(image) => Finding::passed("snp.image").with_note(format_args!("it is {}", image.name)),
        None => Finding::failed("snp.image").with_note(unlike(report, policy)),
    };
    let finding = finding.with_seen_bytes(claims.measurement.as_bytes());
    policy.images.iter().fold(finding, |finding, image| {
        finding.with_allowed_bytes(&image.name, image.measurement.as_bytes())
    })
}

/// Why no image matches. A report with a known measurement may differ in other fields.
fn unlike(report: &Report<'_>, policy: &SnpPolicy) -> String {
    let measured = |image: &&SnpImage| image.measurement.as_bytes() == &report.measurement;
    match policy.images.iter().find(measured) {
        Some(image) => format!(
            "it measures as {}, and differs in {}",
            image.name,
            image.differences(report).join(", ")
        ),
        None => {
            "add the measurement of this build to the policy, or deploy a known build".to_owned()
        }
    }
}

fn chip(rules: &Rules<'_>) -> Finding {
    let name = "snp.chip";
    match rules.chip {
        Chip::Named | Chip::Unasked => Finding::passed(name),
        Chip::Hidden => Finding::failed(name)
            .with_note("the host hides the chip; allow-masked-chip-id accepts that"),
        Chip::HiddenAmongNamed => Finding::failed(name)
            .with_note("the host hides the chip, and chip-ids names those that are accepted"),
        Chip::Other => Finding::failed(name).with_note("the chip is none of chip-ids"),
    }
}

fn signing_key(claims: &SnpClaims, policy: &SnpPolicy, rules: &Rules<'_>) -> Finding {
    let seen = match claims.signing_key {
        SigningKey::Vlek => "vlek",
        SigningKey::Vcek => "vcek",
    };
    let finding = check("snp.signing-key", rules.signing_key)
        .with_seen(seen)
        .with_allowed("vcek", "");
    match (policy.allow_vlek, rules.signing_key) {
        (true, _) => finding.with_allowed("vlek", ""),
        (false, false) => {
            finding.with_note("the cloud provider's key signed; allow-vlek accepts that")
        }
        (false, true) => finding,
    }
}

fn debugging(rules: &Rules<'_>) -> Finding {
    let name = "snp.debug";
    match rules.debugging {
        Debugging::Denied => Finding::passed(name).with_seen("denied"),
        Debugging::Refused => Finding::failed(name).with_seen("allowed").with_note(
            "the host may read the guest; launch it with a guest policy that denies debugging",
        ),
        Debugging::Tolerated => Finding::warning(name)
            .with_seen("allowed")
            .with_note("the host may read the guest, and the policy accepts that"),
    }
}

fn migration(claims: &SnpClaims, rules: &Rules<'_>) -> Finding {
    let seen = match claims.policy.allows_migration_agent() {
        true => "allowed",
        false => "denied",
    };
    check("snp.migration-agent", rules.migration).with_seen(seen)
}

/// The policy's demands on the guest's launch and on its machine, each by its name in the file.
fn launch_rules(claims: &SnpClaims, policy: &SnpPolicy, rules: &Rules<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let (Some(least), Some(is_met)) = (policy.minimum_abi, rules.abi) {
        let (major, minor) = claims.policy.abi();
        let finding = check("snp.abi", is_met)
            .with_seen(format_args!("{major}.{minor}"))
            .with_allowed("minimum-abi", least);
        findings.push(finding);
    }
    findings.extend(rules.restrictions.iter().map(|restriction| {
        let note = "the guest's launch policy does not demand it of its host";
        demand("snp.guest-policy", restriction, note)
    }));
    findings.extend(rules.features.iter().map(|feature| {
        let note = "the machine is not set up so; its operator can change that";
        demand("snp.platform", feature, note)
    }));
    findings
}

fn unnamed_product(claims: &SnpClaims, policy: &SnpPolicy) -> Finding {
    let finding = Finding::failed("snp.product")
        .with_seen(claims.product)
        .with_note("minimum-tcb does not name this product");
    let named = policy.minimum_tcb.keys();
    named.fold(finding, |finding, name| finding.with_allowed(name, ""))
}

/// The parts of the firmware that are behind the minimum, and behind the announced minimum.
fn versions(claims: &SnpClaims, firmware: &Firmware) -> Vec<Finding> {
    let product = claims.product.key();
    let minimum = firmware.minimum.iter();
    let table = format!("minimum-tcb.{product}");
    let mut findings: Vec<_> = minimum
        .map(|version| against("snp.tcb", &table, version))
        .collect();
    if let Some(next) = &firmware.next {
        findings.extend(announced(product, next));
    }
    findings.push(lag(
        "snp.tcb.rollback",
        (&claims.committed_tcb, "committed"),
        (&claims.reported_tcb, "reported"),
        "the host can go back to older firmware than it reports: let it commit its update",
    ));
    findings.push(lag(
        "snp.tcb.uncommitted",
        (&claims.committed_tcb, "committed"),
        (&claims.current_tcb, "current"),
        "newer firmware runs than is committed: let the host commit it",
    ));
    findings
}

/// Before its day, an announced minimum is worth a line only if the platform is behind it.
fn announced(product: &str, next: &Announced) -> Vec<Finding> {
    let table = format!("next-minimum-tcb.{product}");
    let versions = next.versions.iter();
    let findings = versions.map(|version| against("snp.next-tcb", &table, version));
    if next.is_in_force {
        return findings.collect();
    }
    findings
        .filter(|finding| finding.outcome() != Outcome::Passed)
        .map(|finding| {
            let behind = finding.note().unwrap_or_default().to_owned();
            let from = next.from;
            finding.with_note(format_args!(
                "{behind}; accepted until {from}, update before"
            ))
        })
        .collect()
}

fn against(check: &str, table: &str, version: &Version) -> Finding {
    let Version {
        name,
        seen,
        least,
        behind,
    } = version;
    let name = *name;
    let finding = match behind.is_empty() {
        true => Finding::passed(format_args!("{check}.{name}")),
        false => Finding::warning(format_args!("{check}.{name}")).with_note(format_args!(
            "behind in {}; {}",
            behind.join(", "),
            match name {
                "launch" => "launch the guest anew after the host's update",
                _ => "update the host's firmware",
            }
        )),
    };
    finding.with_seen(seen).with_allowed(table, least)
}

/// Whether one TCB of the platform is behind another one. It never decides.
fn lag(
    name: &str,
    (lower, lower_name): (&Tcb, &str),
    (upper, upper_name): (&Tcb, &str),
    cure: &str,
) -> Finding {
    let behind = lower.behind(upper);
    if behind.is_empty() {
        return Finding::passed(name);
    }
    Finding::warning(name)
        .with_seen(format_args!("{lower_name} {lower}"))
        .with_allowed(upper_name, upper)
        .with_note(format_args!("behind in {}; {cure}", behind.join(", ")))
}

fn check(name: impl fmt::Display, holds: bool) -> Finding {
    match holds {
        true => Finding::passed(name),
        false => Finding::failed(name),
    }
}

fn demand(check: &str, demand: &Demand, note: &str) -> Finding {
    let name = format_args!("{check}.{}", demand.name);
    match demand.is_met {
        true => Finding::passed(name),
        false => Finding::failed(name).with_note(note),
    }
}
