//! `PSA_IOT_PROFILE_1`: the claims of the profile before registered numbers (RFC 9783 §4.6).

use ciborium::Value;

use super::numbers::CERTIFICATION_REFERENCE;
use super::numbers::CLIENT_ID;
use super::numbers::EAT_NONCE;
use super::numbers::EAT_PROFILE;
use super::numbers::IMPLEMENTATION_ID;
use super::numbers::LIFECYCLE;
use super::numbers::SOFTWARE;
use super::numbers::UEID;
use super::numbers::VERIFICATION_SERVICE;

/// The claims of that profile under the numbers that replaced theirs; other claims as they are. A number that was there already then
/// stands twice, which is refused when it is read.
pub(super) fn renumbered(mut entries: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
    let is_of_profile = |(key, value): &(Value, Value)| {
        *key == PROFILE.into() && value.as_text() == Some("PSA_IOT_PROFILE_1")
    };
    if !entries.iter().any(is_of_profile) {
        return entries;
    }
    for (key, _) in &mut entries {
        let known = NUMBERS.iter().find(|(older, _)| *key == (*older).into());
        if let Some((_, number)) = known {
            *key = (*number).into();
        }
    }
    entries
}

/// The claims of that profile under its own numbers, for a writer.
pub(super) fn numbered(mut entries: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
    for (key, _) in &mut entries {
        let known = NUMBERS.iter().find(|(_, number)| *key == (*number).into());
        if let Some((older, _)) = known {
            *key = (*older).into();
        }
    }
    entries
}

const PROFILE: i32 = -75_000;

const NUMBERS: [(i32, u16); 10] = [
    (PROFILE, EAT_PROFILE),
    (-75_001, CLIENT_ID),
    (-75_002, LIFECYCLE),
    (-75_003, IMPLEMENTATION_ID),
    // `bootseed`, as the predecessor of the standard has it too.
    (-75_004, 2397),
    (-75_005, CERTIFICATION_REFERENCE),
    (-75_006, SOFTWARE),
    (-75_008, EAT_NONCE),
    (-75_009, UEID),
    (-75_010, VERIFICATION_SERVICE),
];
