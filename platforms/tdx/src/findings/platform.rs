//! Checks of the platform under a TD or enclave: Intel's rating of each part, how far the part is behind, and for how long the policy
//! accepts that.

use std::fmt;

use atls_core::finding::Finding;
use atls_core::finding::Outcome;
use atls_core::pki_types::UnixTime;

use super::check::check;
use crate::claims::EarlyTcb;
use crate::claims::PlatformClaims;
use crate::hardware;
use crate::hardware::Tcb;
use crate::policy::PlatformDemands;
use crate::policy::TcbStatus;
use crate::tcb::PartTcb;
use crate::tcb::SvnComponent;
use crate::tcb::TcbPart;
use crate::time::date;

/// `technology` begins the name of each check: `tdx` or `sgx`.
pub(crate) fn platform(
    technology: &'static str,
    platform: &PlatformClaims,
    policy: &PlatformDemands<'_>,
    now: UnixTime,
) -> Vec<Finding> {
    let checks = Checks {
        technology,
        policy,
        now,
    };
    let mut findings = vec![
        checks.status(platform),
        checks.advisories(&platform.advisories),
        checks.collateral(platform),
    ];
    if let Some(number) = platform.tcb_evaluation_data_number {
        findings.push(
            Finding::passed(checks.name("tcb.evaluation-data-number"))
                .with_seen(number)
                .with_allowed("at least", policy.min_tcb_evaluation_data_number),
        );
    }
    findings.extend(checks.flags(platform));
    for part in &platform.parts {
        let outcome = checks.outcome(part);
        findings.extend(checks.part("tcb", part, outcome));
    }
    if let Some(early) = &platform.early {
        findings.extend(checks.early(platform, early));
    }
    findings
}

struct Checks<'a> {
    technology: &'static str,
    policy: &'a PlatformDemands<'a>,
    now: UnixTime,
}

impl Checks<'_> {
    fn name(&self, check: impl fmt::Display) -> String {
        format!("{}.{check}", self.technology)
    }

    fn with_accepted(&self, finding: Finding) -> Finding {
        let accepted = self.policy.accept_tcb.iter();
        accepted.fold(finding, |finding, status| finding.with_allowed(status, ""))
    }

    fn status(&self, platform: &PlatformClaims) -> Finding {
        let name = self.name("tcb.status");
        let Some(status) = platform.tcb_status else {
            return Finding::failed(name).with_seen("not looked up").with_note(
                "the TD has attributes for which the DCAP library stops; see its td-attributes",
            );
        };
        let accepted = self.policy.accept_tcb.contains(&status);
        let grace_ends = hardware::grace_ends(platform.tcb_date, self.policy);
        let (outcome, note) = match grace_ends {
            _ if !accepted => (
                Outcome::Failed,
                "bring the platform up to date, or decide about accept-tcb".to_owned(),
            ),
            Some(end) if status.is_out_of_date() && self.now <= end => (
                Outcome::Warning,
                format!(
                    "out of date; refused after {} by out-of-date-grace-days",
                    date(end)
                ),
            ),
            Some(end) if status.is_out_of_date() => (
                Outcome::Failed,
                format!("out of date; out-of-date-grace-days ended {}", date(end)),
            ),
            None if status.is_out_of_date() => (
                Outcome::Failed,
                "out of date, since a date that is not known".to_owned(),
            ),
            _ => (Outcome::Passed, String::new()),
        };
        let finding = self.with_accepted(Finding::new(name, outcome).with_seen(status));
        if note.is_empty() {
            finding
        } else {
            finding.with_note(note)
        }
    }

    fn advisories(&self, advisories: &[String]) -> Finding {
        let accepted = &self.policy.accept_advisories;
        let finding = check(&self.name("tcb.advisories"), accepted.accept(advisories));
        let seen = match advisories {
            [] => "none".to_owned(),
            some => accepted.unaccepted(some).unwrap_or_else(|| some.join(", ")),
        };
        let finding = finding.with_seen(seen);
        match accepted.named() {
            None => finding.with_allowed("any-known", ""),
            Some(known) => known
                .iter()
                .fold(finding, |finding, known| finding.with_allowed(known, "")),
        }
    }

    fn collateral(&self, platform: &PlatformClaims) -> Finding {
        let name = self.name("collateral");
        let end = date(platform.collateral_expires_at);
        if platform.collateral_is_stale {
            return Finding::warning(name)
                .with_seen(format_args!("expired {end}"))
                .with_note(
                    "used within a grace period: revocations since then go unseen; renew it",
                );
        }
        Finding::passed(name).with_seen(format_args!("serves until {end}"))
    }

    fn flags(&self, platform: &PlatformClaims) -> Vec<Finding> {
        let policy = self.policy;
        let is_allowed: fn(Option<bool>, bool) -> bool = hardware::flag_is_allowed;
        let mut findings: Vec<_> = [
            (
                "platform.dynamic",
                platform.dynamic_platform,
                policy.allow_dynamic_platform,
                is_allowed,
            ),
            (
                "platform.cached-keys",
                platform.cached_keys,
                policy.allow_cached_keys,
                is_allowed,
            ),
            (
                "platform.smt",
                platform.smt,
                policy.allow_smt,
                hardware::smt_is_allowed,
            ),
        ]
        .into_iter()
        .map(|(name, flag, allowed, is_allowed)| {
            let finding = check(&self.name(name), is_allowed(flag, allowed));
            let finding = match flag {
                None => finding.with_seen("not stated"),
                Some(true) => finding.with_seen("yes"),
                Some(false) => finding.with_seen("no"),
            };
            match allowed {
                true => finding.with_allowed("yes", "").with_allowed("no", ""),
                false => finding.with_allowed("no", ""),
            }
        })
        .collect();
        // A PPID identifies the processor, so the finding shows neither the platform's nor the policy's.
        if let Some(known) = policy.ppid {
            let name = self.name("platform.ppid");
            findings.push(check(&name, known.contains(&platform.ppid)));
        }
        findings
    }

    /// The outcome for a part by itself.
    fn outcome(&self, part: &PartTcb) -> Outcome {
        let status = match part.part {
            TcbPart::Platform | TcbPart::RunningPlatform => part.status,
            TcbPart::QuotingEnclave | TcbPart::RunningTdxModule | TcbPart::TdxModule => {
                TcbStatus::UpToDate.with_component(part.status)
            }
        };
        let tcb = Tcb {
            status,
            advisories: &part.advisories,
            date: part.tcb_date,
        };
        match part.update {
            _ if !hardware::accepts(&tcb, self.policy, self.now) => Outcome::Failed,
            Some(_) => Outcome::Warning,
            None => Outcome::Passed,
        }
    }

    /// The part, then each component that is below the best level.
    fn part(&self, group: &str, part: &PartTcb, outcome: Outcome) -> Vec<Finding> {
        let name = self.name(format_args!("{group}.{}", slug(part.part)));
        let mut whole = Finding::new(&name, outcome);
        whole = match part.tcb_date {
            None => whole.with_seen(part.status),
            Some(since) => whole.with_seen(format_args!("{} of {}", part.status, date(since))),
        };
        if !part.advisories.is_empty() {
            whole = whole.with_note(part.advisories.join(", "));
        }
        let mut findings = vec![whole];
        if let Some(update) = &part.update {
            findings.extend(update.shortfalls.iter().map(|short| {
                let name = format!("{name}.{}", component(short.component));
                let needed = format!("{} since {}", update.status, date(update.tcb_date));
                let finding = Finding::new(name, outcome)
                    .with_seen(short.has)
                    .with_allowed(needed, format_args!("{} or more", short.needs));
                match &short.name {
                    None => finding.with_note(short.component),
                    Some(name) => finding.with_note(format_args!("{}, {name}", short.component)),
                }
            }));
        }
        findings
    }

    /// A warning at most: the early issue decides nothing yet.
    fn early(&self, platform: &PlatformClaims, early: &EarlyTcb) -> Vec<Finding> {
        let number = early.tcb_evaluation_data_number;
        let accepted = |tcb: &Tcb<'_>| hardware::accepts(tcb, self.policy, self.now);
        let then = accepted(&Tcb {
            status: early.tcb_status,
            advisories: &early.advisories,
            date: early.tcb_date,
        });
        let now = platform.tcb_status.is_some_and(|status| {
            accepted(&Tcb {
                status,
                advisories: &platform.advisories,
                date: platform.tcb_date,
            })
        });
        // The day on which the issue becomes the standard one is not known, so a grace that runs now may be over by then.
        let grace_ends = hardware::grace_ends(early.tcb_date, self.policy);
        let grace_ends = grace_ends.filter(|_| early.tcb_status.is_out_of_date());
        let (outcome, note) = match (now, then, grace_ends) {
            (_, true, Some(end)) => (
                Outcome::Warning,
                format!(
                    "refused after {} by out-of-date-grace-days, once number",
                    date(end)
                ),
            ),
            (_, true, None) => (Outcome::Passed, "accepted when number".to_owned()),
            (true, false, _) => (
                Outcome::Warning,
                "accepted now, refused when number".to_owned(),
            ),
            (false, false, _) => (
                Outcome::Warning,
                "not accepted now, nor when number".to_owned(),
            ),
        };
        let whole = Finding::new(self.name("tcb.early"), outcome)
            .with_seen(early.tcb_status)
            .with_note(format_args!("{note} {number} becomes standard"));
        let mut findings = vec![self.with_accepted(whole)];
        if !then {
            for part in early.parts.iter().filter(|part| part.update.is_some()) {
                findings.extend(self.part("tcb.early", part, Outcome::Warning));
            }
        }
        findings
    }
}

fn slug(part: TcbPart) -> &'static str {
    match part {
        TcbPart::Platform => "platform",
        TcbPart::QuotingEnclave => "quoting-enclave",
        TcbPart::RunningPlatform => "running-platform",
        TcbPart::RunningTdxModule => "running-tdx-module",
        TcbPart::TdxModule => "tdx-module",
    }
}

fn component(component: SvnComponent) -> String {
    match component {
        SvnComponent::Pce => "pce-svn".to_owned(),
        SvnComponent::QuotingEnclave | SvnComponent::TdxModule => "isv-svn".to_owned(),
        SvnComponent::Sgx(index) => format!("sgx-{index}"),
        SvnComponent::Tdx(index) => format!("tdx-{index}"),
    }
}
