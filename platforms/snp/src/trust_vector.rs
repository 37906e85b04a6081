//! The trust vector: the answers to the rules go in, the eight claims of AR4SI come out. The README has the table with reasons.

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;

use crate::rules::Chip;
use crate::rules::Debugging;
use crate::rules::Rules;

/// The appraisal of a verified report.
pub(crate) fn of(rules: &Rules<'_>) -> Appraisal {
    let values = [
        (Category::InstanceIdentity, instance_identity(rules)),
        (Category::Configuration, configuration(rules)),
        (
            Category::Executables,
            if rules.image.is_some() {
                BOOT_APPROVED
            } else {
                UNRECOGNISED_SOFTWARE
            },
        ),
        (Category::FileSystem, NOTHING_CLAIMED),
        (Category::Hardware, hardware(rules)),
        (Category::RuntimeOpaque, runtime_opaque(rules)),
        (Category::StorageOpaque, NOTHING_CLAIMED),
        (Category::SourcedData, NOTHING_CLAIMED),
    ];
    let vector = values
        .into_iter()
        .fold(TrustVector::new(), |vector, (category, value)| {
            vector.with(category, TrustClaim::new(value))
        });
    let appraisal = Appraisal::new(vector);
    if rules.image.is_some() {
        appraisal
    } else {
        // 33 alone would be a warning. A policy that accepts warnings for old firmware must not accept any image.
        appraisal.with_status(Tier::Contraindicated)
    }
}

fn instance_identity(rules: &Rules<'_>) -> i8 {
    match rules.chip {
        Chip::Hidden | Chip::HiddenAmongNamed | Chip::Other => UNRECOGNISED,
        Chip::Named => RECOGNISED,
        Chip::Unasked => NOTHING_CLAIMED,
    }
}

fn configuration(rules: &Rules<'_>) -> i8 {
    let mut demands = rules.restrictions.iter().chain(&rules.features);
    let is_refused = rules.debugging == Debugging::Refused
        || !rules.migration
        || !rules.vmpl
        || rules.abi == Some(false)
        || demands.any(|demand| !demand.is_met);
    if is_refused {
        return CONTRAINDICATED;
    }
    let states_more =
        rules.abi.is_some() || !rules.restrictions.is_empty() || !rules.features.is_empty();
    match (rules.debugging, states_more) {
        (Debugging::Denied, true) => APPROVED_CONFIGURATION,
        (Debugging::Denied, false) => NO_KNOWN_WEAKNESS,
        (Debugging::Refused | Debugging::Tolerated, _) => UNSAFE,
    }
}

fn hardware(rules: &Rules<'_>) -> i8 {
    match &rules.firmware {
        None => UNRECOGNISED,
        Some(_) if !rules.signing_key || !rules.report_version => CONTRAINDICATED,
        Some(firmware) if firmware.is_new_enough() => GENUINE,
        Some(_) => UNSAFE,
    }
}

fn runtime_opaque(rules: &Rules<'_>) -> i8 {
    match rules.debugging {
        Debugging::Denied => ENCRYPTED_MEMORY,
        Debugging::Refused => CONTRAINDICATED,
        // The host sees the memory all the same, so the permission leaves a warning.
        Debugging::Tolerated => UNSAFE,
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
