//! Reference values and appraisal policy: the tables `[cca]` and `[psa]`. A file with an error in it gives no policy; the error names its
//! field.

mod component;
mod corim;
mod firmware;
mod measurement;
mod realm;

use atls_reference::FieldProblem;
use atls_reference::Sourced;
use atls_reference::Table;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;
use serde::Deserialize;
use serde::Serialize;

pub use component::KnownComponent;
pub(crate) use corim::CCA_PLATFORM_PROFILE;
pub(crate) use corim::PSA_PROFILE;
pub(crate) use corim::implementation_of;
pub use firmware::CcaPlatformFirmware;
pub(crate) use firmware::Configuration;
pub use firmware::PsaFirmware;
pub use measurement::Measurement;
pub use realm::CcaRealmImage;

/// The table `[cca]`: which firmware a platform may run, and what may run in a realm on it.
///
/// ```
/// let policy: atls_cca::CcaPolicy = atls_reference::from_toml(r#"
/// version = 1
///
/// [[cca.platform]]
/// name = "Acme firmware 2.9"
/// implementation-id = "7f454c4602010100000000000000000003003e00010000005058000000000000"
/// configuration = "cfcfcfcf"
/// [[cca.platform.component]]
/// kind = "RMM"
/// measurement = "a1fb50e6c86fae1679ef3351296fd6713411a08cf8dd1790a4fd05fae8688164"
/// signer-id = "5378796307535df3ec8d8b15a2e2dc5641419c3d3060cfe32238c0fa973f7aa3"
///
/// [[cca.realm]]
/// name = "payments 1.4.2"
/// initial-measurement = "311314ab73620350cf758834ae5c65d9e8c2dc7febe6e7d9654bbe864e300d49"
/// rem0 = "24d5b0a296cc05cbd8068c5067c5bd473b770dda6ae082fe3ba30abe3f9a6ab1"
/// "#)?;
/// assert_eq!(policy.realms.len(), 1);
/// # Ok::<(), atls_reference::ReferenceError>(())
/// ```
///
/// There is nothing in it that would accept a platform whose lifecycle is not *secured*.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct CcaPolicy {
    /// The firmware that is known, at least one.
    #[serde(rename = "platform")]
    pub platforms: Vec<CcaPlatformFirmware>,
    /// The realms that are known, at least one.
    #[serde(rename = "realm")]
    pub realms: Vec<CcaRealmImage>,
}

/// The table `[psa]`: which firmware a device may run.
///
/// ```
/// let policy: atls_cca::PsaPolicy = atls_reference::from_toml(r#"
/// version = 1
///
/// [[psa.device]]
/// name = "meter 3.1"
/// implementation-id = "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
/// [[psa.device.component]]
/// kind = "SPE"
/// measurement = "96a2ec56c65120a60ce3a53ef8d2082233772aacd5b17935a92be12ac577f685"
/// "#)?;
/// assert_eq!(policy.devices[0].components.len(), 1);
/// # Ok::<(), atls_reference::ReferenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct PsaPolicy {
    /// The firmware that is known, at least one.
    #[serde(rename = "device")]
    pub devices: Vec<PsaFirmware>,
}

impl CcaPolicy {
    /// Accepts these realms on platforms with this firmware.
    pub fn new(platforms: Vec<CcaPlatformFirmware>, realms: Vec<CcaRealmImage>) -> Self {
        Self { platforms, realms }
    }

    /// Takes firmware from a CoRIM of the profile `tag:arm.com,2025:cca_platform#1.0.0` and realms from one of
    /// `tag:arm.com,2025:cca_realm#1.0.0`, each with the name of its file for people. Nothing is accepted by them once either has ended.
    /// Neither alone is a policy; [`Sourced::adding`] adds either to one.
    ///
    /// # Errors
    /// [`CorimProblem`]: a value is missing, unknown or not supported.
    pub fn of_corims(
        platforms: (&str, &Corim),
        realms: (&str, &Corim),
    ) -> Result<Sourced<Self>, CorimProblem> {
        let policy = Self::dangerous_from_corims_without_end(platforms.1, realms.1)?;
        let policy = Sourced::new(policy).map_err(|error| CorimProblem::from(error.to_string()))?;
        let policy = policy.said_by(platforms.0, platforms.1);
        Ok(policy.said_by(realms.0, realms.1))
    }

    /// The same policy, **which does not know when the CoRIMs end**.
    ///
    /// # Errors
    /// As [`of_corims`](Self::of_corims).
    pub fn dangerous_from_corims_without_end(
        platforms: &Corim,
        realms: &Corim,
    ) -> Result<Self, CorimProblem> {
        let platforms = corim::cca_platforms(platforms)?;
        Ok(Self::new(platforms, corim::cca_realms(realms)?))
    }
}

impl PsaPolicy {
    /// Accepts devices with this firmware.
    pub fn new(devices: Vec<PsaFirmware>) -> Self {
        Self { devices }
    }
}

impl Table for CcaPolicy {
    const NAME: &'static str = "cca";

    fn check(&self) -> Result<(), FieldProblem> {
        check_all(
            "platform",
            Self::NAME,
            &self.platforms,
            CcaPlatformFirmware::check,
        )?;
        check_all("realm", Self::NAME, &self.realms, CcaRealmImage::check)
    }

    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        let _ = corim;
        let problem = "platforms and realms have a CoRIM each: give both to CcaPolicy::of_corims, or add one to a policy";
        Err(CorimProblem::new(problem))
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        match corim.profile() {
            Some(corim::CCA_REALM_PROFILE) => self.realms.extend(corim::cca_realms(corim)?),
            _ => self.platforms.extend(corim::cca_platforms(corim)?),
        }
        Ok(())
    }
}

impl Table for PsaPolicy {
    const NAME: &'static str = "psa";

    fn check(&self) -> Result<(), FieldProblem> {
        check_all("device", Self::NAME, &self.devices, PsaFirmware::check)
    }

    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        corim::psa_devices(corim).map(Self::new)
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        self.devices.extend(corim::psa_devices(corim)?);
        Ok(())
    }
}

/// At least one entry, each of which holds.
fn check_all<T>(
    field: &str,
    table: &str,
    entries: &[T],
    check: fn(&T) -> Result<(), FieldProblem>,
) -> Result<(), FieldProblem> {
    if entries.is_empty() {
        let problem = format!("empty, so nothing could be accepted; add [[{table}.{field}]]");
        return Err(FieldProblem::new(field, problem));
    }
    let mut entries = entries.iter().enumerate();
    entries.try_for_each(|(index, entry)| {
        check(entry).map_err(|found| found.within(&format!("{field}[{index}]")))
    })
}
