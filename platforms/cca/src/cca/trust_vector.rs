//! From a verified token and a policy to two trust vectors. The README has the table with reasons.

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Tier;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_formats::psa::Lifecycle;

use super::authentic::Authentic;
use crate::policy::CcaPlatformFirmware;
use crate::policy::CcaPolicy;
use crate::policy::CcaRealmImage;
use crate::policy::Configuration;

/// The policy's view of one token.
pub(crate) struct Decided<'a> {
    /// The firmware whose components are those of the platform; of several, one whose configuration is the platform's too.
    pub(crate) firmware: Option<&'a CcaPlatformFirmware>,
    pub(crate) configuration: Configuration,
    /// The realm that this one is; of several, one that states most.
    pub(crate) image: Option<&'a CcaRealmImage>,
}

impl<'a> Decided<'a> {
    pub(crate) fn of(policy: &'a CcaPolicy, token: &Authentic<'_>) -> Self {
        let platform = &token.platform;
        let of_platform = policy.platforms.iter();
        let firmware = of_platform
            .filter(|known| known.is_about(platform) && known.unlike(platform).is_nothing())
            .max_by_key(|known| match known.configuration_of(platform) {
                Configuration::Other => 0,
                Configuration::NotStated => 1,
                Configuration::Known => 2,
            });
        let configuration = firmware.map_or(Configuration::NotStated, |firmware| {
            firmware.configuration_of(platform)
        });
        let images = policy.realms.iter();
        let image = images
            .filter(|known| known.differences(&token.realm).is_empty())
            .max_by_key(|known| {
                (
                    known.states_all_extensible(),
                    known.personalization_value.is_some(),
                )
            });
        Self {
            firmware,
            configuration,
            image,
        }
    }

    pub(crate) fn platform(&self, token: &Authentic<'_>) -> Appraisal {
        let secured = token.platform.lifecycle == Lifecycle::Secured;
        let configuration = match self.configuration {
            Configuration::NotStated => NOTHING_CLAIMED,
            Configuration::Known => APPROVED_CONFIGURATION,
            Configuration::Other => CONTRAINDICATED,
        };
        let values = [
            (
                Category::InstanceIdentity,
                if secured { RECOGNISED } else { CONTRAINDICATED },
            ),
            (Category::Configuration, configuration),
            (
                Category::Executables,
                match self.firmware {
                    Some(_) => APPROVED_SOFTWARE,
                    None => UNRECOGNISED_SOFTWARE,
                },
            ),
            (Category::Hardware, GENUINE),
            (
                Category::RuntimeOpaque,
                if secured {
                    ENCRYPTED_MEMORY
                } else {
                    CONTRAINDICATED
                },
            ),
        ];
        appraisal(values, self.firmware.is_some())
    }

    pub(crate) fn realm(&self) -> Appraisal {
        let executables = match self.image {
            Some(image) if image.states_all_extensible() => APPROVED_SOFTWARE,
            Some(_) => APPROVED_BOOT,
            None => UNRECOGNISED_SOFTWARE,
        };
        let is_named = self
            .image
            .is_some_and(|image| image.personalization_value.is_some());
        let values = [
            (
                Category::InstanceIdentity,
                if is_named {
                    RECOGNISED
                } else {
                    NOTHING_CLAIMED
                },
            ),
            (Category::Executables, executables),
        ];
        appraisal(values, self.image.is_some())
    }
}

fn appraisal(values: impl IntoIterator<Item = (Category, i8)>, is_known: bool) -> Appraisal {
    let nothing = Category::ALL
        .into_iter()
        .map(|category| (category, NOTHING_CLAIMED));
    let vector = nothing
        .chain(values)
        .fold(TrustVector::new(), |vector, (category, value)| {
            vector.with(category, TrustClaim::new(value))
        });
    match is_known {
        true => Appraisal::new(vector),
        // 33 alone is a warning, and a policy that accepts warnings must not accept any software.
        false => Appraisal::new(vector).with_status(Tier::Contraindicated),
    }
}

// AR4SI §2.3.4. Where one number has several meanings, each has a name.
const NOTHING_CLAIMED: i8 = 0;
const RECOGNISED: i8 = 2;
const APPROVED_CONFIGURATION: i8 = 2;
const APPROVED_SOFTWARE: i8 = 2;
const GENUINE: i8 = 2;
const ENCRYPTED_MEMORY: i8 = 2;
const APPROVED_BOOT: i8 = 3;
const UNRECOGNISED_SOFTWARE: i8 = 33;
const CONTRAINDICATED: i8 = 96;
