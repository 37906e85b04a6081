//! The trust vector: a verified report and a policy go in, the eight claims of AR4SI come out. The README has the table with reasons.

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::pki_types::UnixTime;
use atls_formats::snp::Report;
use atls_formats::snp::SigningKey;

use crate::claims::SnpClaims;
use crate::policy::MinimumTcb;
use crate::policy::SnpPolicy;

/// Appraises a verified report, and writes the image's name into its claims.
pub(crate) fn appraise(
    report: &Report<'_>,
    claims: &mut SnpClaims,
    policy: &SnpPolicy,
    now: UnixTime,
) -> Appraisal {
    let image = policy.images.iter().find(|image| image.is(report));
    claims.image = image.map(|image| image.name.clone());
    let values = [
        (
            Category::InstanceIdentity,
            instance_identity(claims, policy),
        ),
        (Category::Configuration, configuration(claims, policy)),
        (
            Category::Executables,
            if image.is_some() {
                BOOT_APPROVED
            } else {
                UNRECOGNISED_SOFTWARE
            },
        ),
        (Category::FileSystem, NOTHING_CLAIMED),
        (Category::Hardware, hardware(claims, policy, now)),
        (Category::RuntimeOpaque, runtime_opaque(claims, policy)),
        (Category::StorageOpaque, NOTHING_CLAIMED),
        (Category::SourcedData, NOTHING_CLAIMED),
    ];
    let vector = values
        .into_iter()
        .fold(TrustVector::new(), |vector, (category, value)| {
            vector.with(category, TrustClaim::new(value))
        });
    let appraisal = Appraisal::new(vector);
    if image.is_some() {
        appraisal
    } else {
        // 33 alone would be a warning. A policy that accepts warnings for old firmware must not accept any image.
        appraisal.with_status(Tier::Contraindicated)
    }
}

fn instance_identity(claims: &SnpClaims, policy: &SnpPolicy) -> i8 {
    let hidden = claims.chip_id.is_none();
    match (&policy.chip_ids, &claims.chip_id) {
        (Some(known), Some(chip)) if known.contains(chip) => RECOGNISED,
        (Some(_), _) => UNRECOGNISED,
        // A VLEK never names a chip.
        (None, _) if hidden && claims.signing_key == SigningKey::Vcek => {
            if policy.allow_masked_chip_id {
                NOTHING_CLAIMED
            } else {
                UNRECOGNISED
            }
        }
        (None, _) => NOTHING_CLAIMED,
    }
}

fn configuration(claims: &SnpClaims, policy: &SnpPolicy) -> i8 {
    let guest = claims.policy;
    let debug_refused = guest.allows_debug() && !policy.allow_debug;
    let migration_refused = guest.allows_migration_agent() && !policy.allow_migration_agent;
    if debug_refused || migration_refused || claims.vmpl > policy.max_vmpl {
        return CONTRAINDICATED;
    }
    let abi = policy.minimum_abi.is_none_or(|abi| abi.holds(guest));
    let mut demands = policy.require_guest_policy.iter();
    let demanded = demands.all(|restriction| restriction.check(guest).1);
    let mut demands = policy.require_platform.iter();
    let set_up = demands.all(|feature| feature.check(claims.platform_info).1);
    if !(abi && demanded && set_up) {
        return CONTRAINDICATED;
    }
    let states_more = policy.minimum_abi.is_some()
        || !policy.require_guest_policy.is_empty()
        || !policy.require_platform.is_empty();
    match (guest.allows_debug(), states_more) {
        (true, _) => UNSAFE,
        (false, true) => APPROVED_CONFIGURATION,
        (false, false) => NO_KNOWN_WEAKNESS,
    }
}

/// The time from which the firmware is too old, seconds since the epoch; `None` without an announcement.
pub(crate) fn outdated_from(claims: &SnpClaims, policy: &SnpPolicy, now: UnixTime) -> Option<u64> {
    let next = policy.next_minimum_tcb.get(&claims.product)?;
    let is_to_come = !next.from.is_reached(now) && !reaches(claims, &next.minimum());
    is_to_come.then(|| next.from.begins_at())
}

fn hardware(claims: &SnpClaims, policy: &SnpPolicy, now: UnixTime) -> i8 {
    let Some(minimum) = policy.minimum_tcb.get(&claims.product) else {
        return UNRECOGNISED;
    };
    let vlek_refused = claims.signing_key == SigningKey::Vlek && !policy.allow_vlek;
    if vlek_refused || claims.report_version < policy.min_report_version {
        return CONTRAINDICATED;
    }
    let next = policy.next_minimum_tcb.get(&claims.product);
    let in_force = next.filter(|next| next.from.is_reached(now));
    let is_new_enough =
        reaches(claims, minimum) && in_force.is_none_or(|next| reaches(claims, &next.minimum()));
    if is_new_enough { GENUINE } else { UNSAFE }
}

fn reaches(claims: &SnpClaims, minimum: &MinimumTcb) -> bool {
    claims.reported_tcb.is_at_least(&minimum.reported)
        && claims.committed_tcb.is_at_least(minimum.committed())
        && claims.launch_tcb.is_at_least(minimum.launch())
}

fn runtime_opaque(claims: &SnpClaims, policy: &SnpPolicy) -> i8 {
    match (claims.policy.allows_debug(), policy.allow_debug) {
        (false, _) => ENCRYPTED_MEMORY,
        // The host sees the memory all the same, so the permission leaves a warning.
        (true, true) => UNSAFE,
        (true, false) => CONTRAINDICATED,
    }
}

// AR4SI §2.3.4. Where one number has several meanings, each has a name.
const NOTHING_CLAIMED: i8 = 0;
const RECOGNISED: i8 = 2;
const APPROVED_CONFIGURATION: i8 = 2;
const GENUINE: i8 = 2;
const ENCRYPTED_MEMORY: i8 = 2;
const NO_KNOWN_WEAKNESS: i8 = 3;
const BOOT_APPROVED: i8 = 3;
const UNSAFE: i8 = 32;
const UNRECOGNISED_SOFTWARE: i8 = 33;
const CONTRAINDICATED: i8 = 96;
const UNRECOGNISED: i8 = 97;
