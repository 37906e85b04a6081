//! The firmware of a platform or device that is known.

use atls_formats::psa::CcaPlatform;
use atls_formats::psa::PsaDevice;
use atls_reference::Digest;
use atls_reference::FieldProblem;
use serde::Deserialize;
use serde::Serialize;

use super::component::KnownComponent;
use super::component::Unlike;
use super::component::unlike;
use super::measurement::optional_hexadecimal;

/// One state of the firmware of one kind of CCA platform: its components, all of them and no others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct CcaPlatformFirmware {
    /// For people, and for [`CcaClaims::firmware`](crate::CcaClaims::firmware).
    pub name: String,
    /// The kind of platform.
    pub implementation_id: Digest<32>,
    /// `cca-platform-config`, whole: what the maker says of memory protection and other options. Left out, nothing is said of it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "optional_hexadecimal"
    )]
    pub configuration: Option<Vec<u8>>,
    /// The bits of [`configuration`](Self::configuration) that count, as long as it. Left out, all of them.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "optional_hexadecimal"
    )]
    pub configuration_mask: Option<Vec<u8>>,
    /// The components, at least one.
    #[serde(rename = "component")]
    pub components: Vec<KnownComponent>,
}

/// One state of the firmware of one kind of PSA device: its components, all of them and no others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct PsaFirmware {
    /// For people, and for [`PsaClaims::firmware`](crate::PsaClaims::firmware).
    pub name: String,
    /// The kind of device.
    pub implementation_id: Digest<32>,
    /// The components, at least one.
    #[serde(rename = "component")]
    pub components: Vec<KnownComponent>,
}

/// What a policy says of the configuration of a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Configuration {
    NotStated,
    Known,
    Other,
}

impl CcaPlatformFirmware {
    /// Firmware of these components, in any configuration.
    pub fn new(
        name: impl Into<String>,
        implementation_id: [u8; 32],
        components: Vec<KnownComponent>,
    ) -> Self {
        Self {
            name: name.into(),
            implementation_id: implementation_id.into(),
            configuration: None,
            configuration_mask: None,
            components,
        }
    }

    pub(crate) fn is_about(&self, platform: &CcaPlatform) -> bool {
        self.implementation_id.as_bytes() == &platform.implementation_id
    }

    pub(crate) fn unlike(&self, platform: &CcaPlatform) -> Unlike {
        unlike(&self.components, &platform.components)
    }

    pub(crate) fn configuration_of(&self, platform: &CcaPlatform) -> Configuration {
        let Some(stated) = &self.configuration else {
            return Configuration::NotStated;
        };
        let found = &platform.configuration;
        let is_known = match &self.configuration_mask {
            None => stated == found,
            Some(mask) => {
                let bits = stated.iter().zip(found).zip(mask);
                stated.len() == found.len()
                    && bits.into_iter().all(|((a, b), mask)| (a ^ b) & mask == 0)
            }
        };
        match is_known {
            true => Configuration::Known,
            false => Configuration::Other,
        }
    }

    pub(super) fn check(&self) -> Result<(), FieldProblem> {
        check_name(&self.name)?;
        KnownComponent::check_all(&self.name, &self.components)?;
        let stated = self.configuration.as_deref();
        match self.configuration_mask.as_deref() {
            None => Ok(()),
            Some(mask) if mask.iter().all(|byte| *byte == 0) => {
                let problem = "no bit counts; leave configuration and its mask out";
                Err(FieldProblem::new("configuration-mask", problem).about(&self.name))
            }
            Some(mask) if stated.map(<[u8]>::len) == Some(mask.len()) => Ok(()),
            Some(_) => {
                let problem = "it is as long as the configuration";
                Err(FieldProblem::new("configuration-mask", problem).about(&self.name))
            }
        }
    }
}

impl PsaFirmware {
    /// Firmware of these components.
    pub fn new(
        name: impl Into<String>,
        implementation_id: [u8; 32],
        components: Vec<KnownComponent>,
    ) -> Self {
        Self {
            name: name.into(),
            implementation_id: implementation_id.into(),
            components,
        }
    }

    pub(crate) fn is_about(&self, device: &PsaDevice) -> bool {
        self.implementation_id.as_bytes() == &device.implementation_id
    }

    pub(crate) fn unlike(&self, device: &PsaDevice) -> Unlike {
        unlike(&self.components, &device.components)
    }

    pub(super) fn check(&self) -> Result<(), FieldProblem> {
        check_name(&self.name)?;
        KnownComponent::check_all(&self.name, &self.components)
    }
}

pub(super) fn check_name(name: &str) -> Result<(), FieldProblem> {
    match name.trim().is_empty() {
        true => Err(FieldProblem::new("name", "it has no name")),
        false => Ok(()),
    }
}
