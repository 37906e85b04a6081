//! The profiles of PSA tokens.

use ciborium::Value;

use super::legacy;

/// The `eat_profile` of a PSA token. It gives its claims their meaning, and one of them its number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// `PSA_IOT_PROFILE_1`, the oldest, whose claims have other keys (RFC 9783 §4.6). [`Claims`](super::Claims) reads them all the same.
    Legacy,
    /// `http://arm.com/psa/2.0.0`, older than the standard. Released Veraison services read this profile alone, although they list
    /// others.
    Predecessor,
    /// `tag:psacertified.org,2023:psa#tfm` of RFC 9783.
    #[default]
    Tfm,
}

impl Profile {
    /// The media type of a token of this profile.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Legacy => {
                "application/eat+cwt; eat_profile=\"tag:psacertified.org,2019:psa#legacy\""
            }
            Self::Predecessor => "application/psa-attestation-token",
            Self::Tfm => "application/eat+cwt; eat_profile=\"tag:psacertified.org,2023:psa#tfm\"",
        }
    }

    pub(super) fn of(name: &str) -> Option<Self> {
        [Self::Legacy, Self::Predecessor, Self::Tfm]
            .into_iter()
            .find(|profile| profile.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Legacy => "PSA_IOT_PROFILE_1",
            Self::Predecessor => "http://arm.com/psa/2.0.0",
            Self::Tfm => "tag:psacertified.org,2023:psa#tfm",
        }
    }

    /// The claims under the numbers of the profile.
    pub(super) fn numbered(self, claims: Vec<(Value, Value)>) -> Vec<(Value, Value)> {
        match self {
            Self::Legacy => legacy::numbered(claims),
            Self::Predecessor | Self::Tfm => claims,
        }
    }

    /// The key of `bootseed`.
    pub(super) fn boot_seed(self) -> u16 {
        match self {
            Self::Legacy | Self::Predecessor => 2397,
            Self::Tfm => 268,
        }
    }
}
