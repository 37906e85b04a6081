//! What is good enough: reference values and appraisal policy, table `[snp]` of the file.

mod conditions;
mod corim;
mod image;
mod require;

use std::collections::BTreeMap;
use std::fmt;

use atls_reference::Digest;
use atls_reference::Table;
use atls_reference::corim::Corim;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::Visitor;

pub use conditions::Bits;
pub use conditions::Level;
pub use conditions::SnpConditions;
pub use image::SnpImage;
pub use require::AbiVersion;
pub use require::GuestRestriction;
pub use require::PlatformFeature;

use crate::product::Product;
use crate::tcb::Tcb;

/// Reference values and appraisal policy for SEV-SNP. Whatever is not stated is refused; each switch that loosens it
/// begins with `allow`.
///
/// ```
/// let policy: atls_snp::SnpPolicy = atls_reference::from_toml(r#"
/// version = 1
///
/// [snp]
/// max-vmpl = 0
/// require-guest-policy = ["no-cxl"]
/// require-platform = ["alias-check-complete"]
///
/// [snp.minimum-tcb.milan]
/// reported = { bootloader = 4, tee = 0, snp = 24, microcode = 219 }
///
/// [snp.minimum-tcb.turin]
/// reported = { fmc = 1, bootloader = 1, tee = 1, snp = 4, microcode = 81 }
///
/// [[snp.image]]
/// name = "payments 1.4.2"
/// measurement = "a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90"
/// "#)?;
/// assert_eq!(policy.min_report_version, 3);
/// # Ok::<(), atls_reference::ReferenceError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct SnpPolicy {
    /// The images that may run, at least one. No other is accepted.
    #[serde(rename = "image")]
    pub images: Vec<SnpImage>,
    /// The least versions of firmware, for each product that is accepted, at least one. There is no default: which
    /// versions are good enough changes with each of AMD's security bulletins.
    #[serde(deserialize_with = "each_once")]
    pub minimum_tcb: BTreeMap<Product, MinimumTcb>,
    /// Accepts guests that the host may debug, **which keeps nothing confidential**. The result is a warning still.
    /// Default: refused.
    #[serde(default)]
    pub allow_debug: bool,
    /// Accepts reports signed by a VCEK that hide which chip it is. Default: refused.
    #[serde(default)]
    pub allow_masked_chip_id: bool,
    /// Accepts guests that a migration agent may move and read. Default: refused.
    #[serde(default)]
    pub allow_migration_agent: bool,
    /// Does without AMD's revocation list **where none is to be had**; one that is there must be valid all the same.
    /// Who can keep the list away then keeps a revoked intermediate alive. Default: refused.
    #[serde(default)]
    pub allow_missing_crl: bool,
    /// Accepts reports that the cloud provider's key signed, as on AWS. It vouches for a machine of that provider, not
    /// for a chip. Default: refused.
    #[serde(default)]
    pub allow_vlek: bool,
    /// The least version of the report, 2 to 5. Default: 3, the first one that names its processor.
    #[serde(default = "default_report_version")]
    pub min_report_version: u32,
    /// The least privileged level that may ask for reports, 0 to 3. Default: 0, the guest's most privileged software.
    /// What runs above (an SVSM, a paravisor) chose what runs below.
    #[serde(default)]
    pub max_vmpl: u32,
    /// The least ABI version that the guest's policy must demand of the firmware. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_abi: Option<AbiVersion>,
    /// What the guest's policy must demand besides. Default: nothing.
    #[serde(default)]
    pub require_guest_policy: Vec<GuestRestriction>,
    /// How the machine must be set up. Default: in any way.
    #[serde(default)]
    pub require_platform: Vec<PlatformFeature>,
    /// The chips that are accepted, 64 octets each; Turin's 8 octets are followed by zeros. Default: any genuine one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chip_ids: Option<Vec<Digest<64>>>,
}

impl SnpPolicy {
    /// These images on these products, and the defaults.
    pub fn new(images: Vec<SnpImage>, minimum_tcb: BTreeMap<Product, MinimumTcb>) -> Self {
        Self {
            images,
            minimum_tcb,
            allow_debug: false,
            allow_masked_chip_id: false,
            allow_migration_agent: false,
            allow_missing_crl: false,
            allow_vlek: false,
            min_report_version: default_report_version(),
            max_vmpl: 0,
            minimum_abi: None,
            require_guest_policy: Vec::new(),
            require_platform: Vec::new(),
            chip_ids: None,
        }
    }
}

impl Table for SnpPolicy {
    const NAME: &'static str = "snp";

    fn from_corim(corim: &Corim) -> Result<Self, String> {
        let images = corim::images(corim)?;
        let minimum_tcb = corim::minimum_tcb(&images)?;
        Ok(Self::new(images, minimum_tcb))
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), String> {
        self.images.extend(corim::images(corim)?);
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if self.images.is_empty() {
            return Err("no image is listed, so none could be accepted; add [[snp.image]]".into());
        }
        self.images.iter().try_for_each(SnpImage::check)?;
        if self.minimum_tcb.is_empty() {
            return Err("no minimum TCB is stated; add [snp.minimum-tcb.PRODUCT]".into());
        }
        for (product, minimum) in &self.minimum_tcb {
            minimum.check(*product)?;
        }
        if !(2..=5).contains(&self.min_report_version) {
            return Err("min-report-version is 2 to 5".into());
        }
        if self.max_vmpl > 3 {
            return Err("max-vmpl is 0 to 3".into());
        }
        if self.chip_ids.as_ref().is_some_and(Vec::is_empty) {
            return Err("chip-ids is empty, so no chip could be accepted; leave it out".into());
        }
        Ok(())
    }
}

/// The least versions of firmware for one product.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(
    clippy::exhaustive_structs,
    reason = "the versions that a report states"
)]
pub struct MinimumTcb {
    /// Of what the report states and the key stands for.
    pub reported: Tcb,
    /// Of what the firmware cannot be rolled back below. Default: as `reported`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed: Option<Tcb>,
    /// Of what ran when the guest was launched. Default: as `reported`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub launch: Option<Tcb>,
}

impl MinimumTcb {
    /// The same for all three.
    pub fn of(reported: Tcb) -> Self {
        Self {
            reported,
            committed: None,
            launch: None,
        }
    }

    pub(crate) fn committed(&self) -> &Tcb {
        self.committed.as_ref().unwrap_or(&self.reported)
    }

    pub(crate) fn launch(&self) -> &Tcb {
        self.launch.as_ref().unwrap_or(&self.reported)
    }

    fn check(&self, product: Product) -> Result<(), String> {
        let stated = [&self.reported, self.committed(), self.launch()];
        match product {
            Product::Turin if stated.iter().any(|tcb| tcb.fmc.is_none()) => {
                Err("fmc is missing in the minimum TCB of turin".into())
            }
            Product::Milan | Product::Genoa if stated.iter().any(|tcb| tcb.fmc.is_some()) => {
                Err("fmc is in a minimum TCB of another product than turin".into())
            }
            _ => Ok(()),
        }
    }
}

fn default_report_version() -> u32 {
    3
}

/// A map in which no key is repeated: JSON allows that, and the last would count.
fn each_once<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Product, MinimumTcb>, D::Error> {
    deserializer.deserialize_map(EachOnce)
}

struct EachOnce;

impl<'de> Visitor<'de> for EachOnce {
    type Value = BTreeMap<Product, MinimumTcb>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of products")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut least = BTreeMap::new();
        while let Some((product, minimum)) = map.next_entry::<Product, _>()? {
            if least.insert(product, minimum).is_some() {
                return Err(A::Error::custom(format_args!(
                    "minimum-tcb names {product} twice"
                )));
            }
        }
        Ok(least)
    }
}

#[cfg(test)]
mod tests;
