//! Findings for operators: one for each check of the policy, with the value in the report, the allowed values, and the cure.
//!
//! Each check is reported, also after another one failed. The values are public: no finding names a chip or a guest.

use std::fmt;

use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_core::pki_types::UnixTime;
use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;
use atls_formats::snp::Tcb;

use crate::claims::SnpClaims;
use crate::policy::MinimumTcb;
use crate::policy::SnpImage;
use crate::policy::SnpPolicy;

/// The findings about a verified report.
pub(crate) fn of(
    report: &Report<'_>,
    claims: &SnpClaims,
    policy: &SnpPolicy,
    now: UnixTime,
) -> Vec<Finding> {
    let mut findings = vec![
        image(report, claims, policy),
        chip(claims, policy),
        signing_key(claims, policy),
        report_version(claims, policy),
        vmpl(claims, policy),
        debugging(claims, policy),
        migration(claims, policy),
    ];
    findings.extend(launch_rules(claims, policy));
    findings.extend(tcb(claims, policy, now));
    findings
}

fn image(report: &Report<'_>, claims: &SnpClaims, policy: &SnpPolicy) -> Finding {
    let finding = match &claims.image {
        Some(name) => Finding::passed("snp.image").with_note(format_args!("it is {name}")),
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

fn chip(claims: &SnpClaims, policy: &SnpPolicy) -> Finding {
    let name = "snp.chip";
    let hidden = claims.chip_id.is_none();
    match (&policy.chip_ids, &claims.chip_id) {
        (Some(known), Some(chip)) if known.contains(chip) => Finding::passed(name),
        (Some(_), None) => Finding::failed(name)
            .with_note("the host hides the chip, and chip-ids names those that are accepted"),
        (Some(_), Some(_)) => Finding::failed(name).with_note("the chip is none of chip-ids"),
        (None, _)
            if hidden && claims.signing_key == SigningKey::Vcek && !policy.allow_masked_chip_id =>
        {
            Finding::failed(name)
                .with_note("the host hides the chip; allow-masked-chip-id accepts that")
        }
        (None, _) => Finding::passed(name),
    }
}

fn signing_key(claims: &SnpClaims, policy: &SnpPolicy) -> Finding {
    let is_vlek = claims.signing_key == SigningKey::Vlek;
    let finding = check("snp.signing-key", policy.allow_vlek || !is_vlek)
        .with_seen(if is_vlek { "vlek" } else { "vcek" })
        .with_allowed("vcek", "");
    match (policy.allow_vlek, is_vlek) {
        (true, _) => finding.with_allowed("vlek", ""),
        (false, true) => {
            finding.with_note("the cloud provider's key signed; allow-vlek accepts that")
        }
        (false, false) => finding,
    }
}

fn report_version(claims: &SnpClaims, policy: &SnpPolicy) -> Finding {
    let (seen, least) = (claims.report_version, policy.min_report_version);
    check("snp.report-version", seen >= least)
        .with_seen(seen)
        .with_allowed("min-report-version", least)
}

fn vmpl(claims: &SnpClaims, policy: &SnpPolicy) -> Finding {
    check("snp.vmpl", claims.vmpl <= policy.max_vmpl)
        .with_seen(claims.vmpl)
        .with_allowed("max-vmpl", policy.max_vmpl)
}

fn debugging(claims: &SnpClaims, policy: &SnpPolicy) -> Finding {
    match (claims.policy.allows_debug(), policy.allow_debug) {
        (false, _) => Finding::passed("snp.debug").with_seen("denied"),
        (true, true) => Finding::warning("snp.debug")
            .with_seen("allowed")
            .with_note("the host may read the guest, and the policy accepts that"),
        (true, false) => Finding::failed("snp.debug").with_seen("allowed").with_note(
            "the host may read the guest; launch it with a guest policy that denies debugging",
        ),
    }
}

fn migration(claims: &SnpClaims, policy: &SnpPolicy) -> Finding {
    let seen = claims.policy.allows_migration_agent();
    check("snp.migration-agent", policy.allow_migration_agent || !seen).with_seen(if seen {
        "allowed"
    } else {
        "denied"
    })
}

/// The policy's demands on the guest's launch and on its machine, each by its name in the file.
fn launch_rules(claims: &SnpClaims, policy: &SnpPolicy) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(least) = policy.minimum_abi {
        let (major, minor) = claims.policy.abi();
        let finding = check("snp.abi", least.holds(claims.policy))
            .with_seen(format_args!("{major}.{minor}"))
            .with_allowed("minimum-abi", least);
        findings.push(finding);
    }
    findings.extend(policy.require_guest_policy.iter().map(|restriction| {
        let (name, is_met) = restriction.check(claims.policy);
        let note = "the guest's launch policy does not demand it of its host";
        demand(format_args!("snp.guest-policy.{name}"), is_met, note)
    }));
    findings.extend(policy.require_platform.iter().map(|feature| {
        let (name, is_met) = feature.check(claims.platform_info);
        let note = "the machine is not set up so; its operator can change that";
        demand(format_args!("snp.platform.{name}"), is_met, note)
    }));
    findings
}

/// The parts of the firmware that are behind the minimum, and behind the announced minimum.
fn tcb(claims: &SnpClaims, policy: &SnpPolicy, now: UnixTime) -> Vec<Finding> {
    let product = claims.product;
    let Some(minimum) = policy.minimum_tcb.get(&product) else {
        let finding = Finding::failed("snp.product")
            .with_seen(product)
            .with_note("minimum-tcb does not name this product");
        let named = policy.minimum_tcb.keys();
        return vec![named.fold(finding, |finding, name| finding.with_allowed(name, ""))];
    };
    let mut findings = against(claims, minimum, "minimum-tcb");
    if let Some(next) = policy.next_minimum_tcb.get(&product) {
        let (from, in_force) = (next.from, next.from.is_reached(now));
        let mut next = against(claims, &next.minimum(), "next-minimum-tcb");
        if !in_force {
            // An announced minimum is worth a line only if the platform is behind it.
            next.retain(|finding| finding.outcome() != Outcome::Passed);
            let note = |finding: Finding| {
                let behind = finding.note().unwrap_or_default().to_owned();
                finding.with_note(format_args!(
                    "{behind}; accepted until {from}, update before"
                ))
            };
            next = next.into_iter().map(note).collect();
        }
        findings.extend(next);
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

fn against(claims: &SnpClaims, minimum: &MinimumTcb, table: &str) -> Vec<Finding> {
    let key = if table == "minimum-tcb" {
        "snp.tcb"
    } else {
        "snp.next-tcb"
    };
    [
        ("reported", &claims.reported_tcb, &minimum.reported),
        ("committed", &claims.committed_tcb, minimum.committed()),
        ("launch", &claims.launch_tcb, minimum.launch()),
    ]
    .into_iter()
    .map(|(part, seen, least)| {
        let behind = seen.behind(least);
        let outcome = match behind.is_empty() {
            true => Outcome::Passed,
            false => Outcome::Warning,
        };
        let finding = Finding::new(format_args!("{key}.{part}"), outcome)
            .with_seen(seen)
            .with_allowed(format_args!("{table}.{}", claims.product.key()), least);
        let cure = match part {
            "launch" => "launch the guest anew after the host's update",
            _ => "update the host's firmware",
        };
        match outcome {
            Outcome::Passed => finding,
            _ => finding.with_note(format_args!("behind in {}; {cure}", behind.join(", "))),
        }
    })
    .collect()
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

fn demand(name: fmt::Arguments<'_>, is_met: bool, note: &str) -> Finding {
    match is_met {
        true => Finding::passed(name),
        false => Finding::failed(name).with_note(note),
    }
}
