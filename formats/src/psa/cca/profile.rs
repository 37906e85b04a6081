//! The two generations of CCA tokens.

/// The profile of a platform token or a realm token. The two tokens of one collection may be of different generations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CcaProfile {
    /// Before the draft: `http://arm.com/CCA-SSD/1.0.0` names the platform token; the realm token names no profile.
    First,
    /// draft-ffm-rats-cca-token: `tag:arm.com,2023:cca_platform#1.0.0` and `tag:arm.com,2023:realm#1.0.0`.
    #[default]
    Tag2023,
}

impl CcaProfile {
    pub(super) fn of_platform(name: &str) -> Option<Self> {
        [Self::First, Self::Tag2023]
            .into_iter()
            .find(|profile| profile.platform_name() == name)
    }

    pub(super) fn platform_name(self) -> &'static str {
        match self {
            Self::First => "http://arm.com/CCA-SSD/1.0.0",
            Self::Tag2023 => "tag:arm.com,2023:cca_platform#1.0.0",
        }
    }

    pub(super) fn realm_name(self) -> Option<&'static str> {
        match self {
            Self::First => None,
            Self::Tag2023 => Some("tag:arm.com,2023:realm#1.0.0"),
        }
    }
}
