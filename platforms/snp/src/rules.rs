//! The rules of a policy: a verified report goes in, and the answer to each rule comes out. Each rule is evaluated here, once. The trust
//! vector and the findings say the same thing because both are made of these answers.

use atls_core::pki_types::UnixTime;
use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;
use atls_formats::snp::Tcb;

use crate::claims::SnpClaims;
use crate::policy::Day;
use crate::policy::MinimumTcb;
use crate::policy::SnpImage;
use crate::policy::SnpPolicy;

/// The answers about one report.
pub(crate) struct Rules<'a> {
    /// The image that the report matches.
    pub(crate) image: Option<&'a SnpImage>,
    pub(crate) chip: Chip,
    /// Whether a key of this kind may sign.
    pub(crate) signing_key: bool,
    /// Whether the report is of the least version.
    pub(crate) report_version: bool,
    /// Whether the report is of an accepted privilege level.
    pub(crate) vmpl: bool,
    pub(crate) debugging: Debugging,
    /// Whether the guest has no migration agent that the policy refuses.
    pub(crate) migration: bool,
    /// Whether the guest demands the least ABI, where the policy names one.
    pub(crate) abi: Option<bool>,
    /// The restrictions that the policy demands of the guest's launch.
    pub(crate) restrictions: Vec<Demand>,
    /// The features that the policy demands of the machine.
    pub(crate) features: Vec<Demand>,
    /// The versions of firmware; `None` where the policy does not name the product.
    pub(crate) firmware: Option<Firmware>,
}

/// A chip beside those that the policy names.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Chip {
    /// The host hides it, and the policy accepts no hidden chip.
    Hidden,
    /// The host hides it, and the policy names chips.
    HiddenAmongNamed,
    /// The policy names it.
    Named,
    /// The policy names others.
    Other,
    /// The policy demands nothing.
    Unasked,
}

/// Debugging of the guest by its host.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Debugging {
    Denied,
    /// It is allowed, and the policy refuses that.
    Refused,
    /// It is allowed, and the policy accepts that.
    Tolerated,
}

/// A demand by its name in the file.
pub(crate) struct Demand {
    pub(crate) name: &'static str,
    pub(crate) is_met: bool,
}

/// The firmware beside the minimum, and beside the announced one.
pub(crate) struct Firmware {
    pub(crate) minimum: [Version; 3],
    pub(crate) next: Option<Announced>,
}

/// One version of a report, and the least one.
pub(crate) struct Version {
    pub(crate) name: &'static str,
    pub(crate) seen: Tcb,
    pub(crate) least: Tcb,
    /// The parts that are older than the least.
    pub(crate) behind: Vec<String>,
}

/// The firmware beside a minimum from some day on.
pub(crate) struct Announced {
    pub(crate) from: Day,
    pub(crate) is_in_force: bool,
    pub(crate) versions: [Version; 3],
}

impl<'a> Rules<'a> {
    pub(crate) fn of(
        report: &Report<'_>,
        claims: &SnpClaims,
        policy: &'a SnpPolicy,
        now: UnixTime,
    ) -> Self {
        let guest = claims.policy;
        let restrictions = policy.require_guest_policy.iter();
        let features = policy.require_platform.iter();
        Self {
            image: policy.images.iter().find(|image| image.is(report)),
            chip: Chip::of(claims, policy),
            signing_key: policy.allow_vlek || claims.signing_key != SigningKey::Vlek,
            report_version: claims.report_version >= policy.min_report_version,
            vmpl: claims.vmpl <= policy.max_vmpl,
            debugging: match (guest.allows_debug(), policy.allow_debug) {
                (false, _) => Debugging::Denied,
                (true, false) => Debugging::Refused,
                (true, true) => Debugging::Tolerated,
            },
            migration: policy.allow_migration_agent || !guest.allows_migration_agent(),
            abi: policy.minimum_abi.map(|least| least.holds(guest)),
            restrictions: restrictions
                .map(|restriction| Demand::of(restriction.check(guest)))
                .collect(),
            features: features
                .map(|feature| Demand::of(feature.check(claims.platform_info)))
                .collect(),
            firmware: Firmware::of(claims, policy, now),
        }
    }

    /// The time from which the firmware is too old, seconds since the epoch; `None` without an announcement.
    pub(crate) fn outdated_from(&self) -> Option<u64> {
        let next = self.firmware.as_ref()?.next.as_ref()?;
        let is_to_come = !next.is_in_force && !are_new_enough(&next.versions);
        is_to_come.then(|| next.from.begins_at())
    }
}

impl Chip {
    fn of(claims: &SnpClaims, policy: &SnpPolicy) -> Self {
        // A VLEK never names a chip.
        let is_hidden = claims.chip_id.is_none() && claims.signing_key == SigningKey::Vcek;
        match (&policy.chip_ids, &claims.chip_id) {
            (Some(named), Some(chip)) if named.contains(chip) => Self::Named,
            (Some(_), Some(_)) => Self::Other,
            (Some(_), None) => Self::HiddenAmongNamed,
            (None, _) if is_hidden && !policy.allow_masked_chip_id => Self::Hidden,
            (None, _) => Self::Unasked,
        }
    }
}

impl Demand {
    fn of((name, is_met): (&'static str, bool)) -> Self {
        Self { name, is_met }
    }
}

impl Firmware {
    fn of(claims: &SnpClaims, policy: &SnpPolicy, now: UnixTime) -> Option<Self> {
        let minimum = policy.minimum_tcb.get(&claims.product)?;
        let next = policy.next_minimum_tcb.get(&claims.product);
        Some(Self {
            minimum: versions(claims, minimum),
            next: next.map(|next| Announced {
                from: next.from,
                is_in_force: next.from.is_reached(now),
                versions: versions(claims, &next.minimum()),
            }),
        })
    }

    /// Whether no version is older than a minimum that is in force.
    pub(crate) fn is_new_enough(&self) -> bool {
        let next = self.next.as_ref().filter(|next| next.is_in_force);
        are_new_enough(&self.minimum) && next.is_none_or(|next| are_new_enough(&next.versions))
    }
}

fn versions(claims: &SnpClaims, minimum: &MinimumTcb) -> [Version; 3] {
    [
        ("reported", claims.reported_tcb, minimum.reported),
        ("committed", claims.committed_tcb, *minimum.committed()),
        ("launch", claims.launch_tcb, *minimum.launch()),
    ]
    .map(|(name, seen, least)| Version {
        name,
        seen,
        least,
        behind: seen.behind(&least),
    })
}

fn are_new_enough(versions: &[Version]) -> bool {
    versions.iter().all(|version| version.behind.is_empty())
}
