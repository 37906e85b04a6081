//! Reference values and appraisal policy: the table `[snp]` of a file. A file with an error in it gives no policy; the error names its
//! field.

mod conditions;
mod corim;
mod image;
mod minimum;
mod next;
mod require;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use atls_formats::snp::Product;
use atls_reference::Digest;
use atls_reference::FieldProblem;
use atls_reference::Table;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::Error;
use serde::de::MapAccess;
use serde::de::Visitor;
use serde::de::value::StrDeserializer;

pub use conditions::Bits;
pub use conditions::Level;
pub use conditions::SnpConditions;
pub use image::SnpImage;
pub use minimum::MinimumTcb;
pub use next::Day;
pub use next::NextMinimumTcb;
pub use require::AbiVersion;
pub use require::GuestRestriction;
pub use require::PlatformFeature;

/// Reference values and appraisal policy for SEV-SNP. A policy refuses everything that it does not state. Each switch that loosens it
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
    /// The images that may run, at least one.
    #[serde(rename = "image")]
    pub images: Vec<SnpImage>,
    /// The least versions of firmware for each accepted product, at least one. There is no default, because each of AMD's security
    /// bulletins changes which versions are good enough.
    #[serde(deserialize_with = "each_once")]
    pub minimum_tcb: BTreeMap<Product, MinimumTcb>,
    /// The minimum from some day on, for products in [`minimum_tcb`](Self::minimum_tcb). State it when AMD publishes a bulletin: the
    /// findings then name every platform that is behind, before it is refused. Default: none.
    #[serde(
        default,
        deserialize_with = "each_once",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub next_minimum_tcb: BTreeMap<Product, NextMinimumTcb>,
    /// Accepts guests that the host may debug. **Nothing in them is confidential.** The result is still a warning. Default: refused.
    #[serde(default)]
    pub allow_debug: bool,
    /// Accepts reports that a VCEK signed and that hide their chip. Default: refused.
    #[serde(default)]
    pub allow_masked_chip_id: bool,
    /// Accepts guests that a migration agent may move and read. Default: refused.
    #[serde(default)]
    pub allow_migration_agent: bool,
    /// Does without AMD's revocation list **if none is available**. An available list must be valid all the same. Anybody who can
    /// keep the list away then keeps a revoked intermediate alive. Default: refused.
    #[serde(default)]
    pub allow_missing_crl: bool,
    /// Accepts reports that the cloud provider's key signed, as on AWS. That key vouches for a machine of the provider, and for no
    /// chip. Default: refused.
    #[serde(default)]
    pub allow_vlek: bool,
    /// The least version of the report, 2 to 5. Default: 3, the first version that names its processor.
    #[serde(default = "default_report_version")]
    pub min_report_version: u32,
    /// The least privileged level that may ask for reports, 0 to 3. Default: 0, the guest's most privileged software. Software at a
    /// more privileged level (an SVSM, a paravisor) chose the software at the less privileged ones.
    #[serde(default)]
    pub max_vmpl: u32,
    /// The least ABI version that the guest's policy must demand of the firmware. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_abi: Option<AbiVersion>,
    /// Further demands on the guest's policy. Default: none.
    #[serde(default)]
    pub require_guest_policy: Vec<GuestRestriction>,
    /// Demands on the setup of the machine. Default: none.
    #[serde(default)]
    pub require_platform: Vec<PlatformFeature>,
    /// The accepted chips, 64 bytes each; zeros follow the 8 bytes of Turin. Default: any genuine chip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chip_ids: Option<Vec<Digest<64>>>,
}

impl SnpPolicy {
    /// Accepts these images on these products, with the defaults for all other fields.
    pub fn new(images: Vec<SnpImage>, minimum_tcb: BTreeMap<Product, MinimumTcb>) -> Self {
        Self {
            images,
            minimum_tcb,
            next_minimum_tcb: BTreeMap::new(),
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

    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        let images = corim::images(corim)?;
        let minimum_tcb = corim::minimum_tcb(&images)?;
        Ok(Self::new(images, minimum_tcb))
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        self.images.extend(corim::images(corim)?);
        Ok(())
    }

    fn check(&self) -> Result<(), FieldProblem> {
        if self.images.is_empty() {
            let problem = "no image is listed, so none could be accepted; add [[snp.image]]";
            return Err(FieldProblem::new("image", problem));
        }
        for (index, image) in self.images.iter().enumerate() {
            let checked = image.check();
            checked.map_err(|found| found.within(&format!("image[{index}]")))?;
        }
        if self.minimum_tcb.is_empty() {
            let problem = "no minimum TCB is stated; add [snp.minimum-tcb.PRODUCT]";
            return Err(FieldProblem::new("minimum-tcb", problem));
        }
        for (product, minimum) in &self.minimum_tcb {
            let checked = minimum.check(*product);
            checked.map_err(|found| found.within(&format!("minimum-tcb.{}", product.key())))?;
        }
        for (product, next) in &self.next_minimum_tcb {
            let field = format!("next-minimum-tcb.{}", product.key());
            if !self.minimum_tcb.contains_key(product) {
                let problem = format!(
                    "{product} is not in minimum-tcb, so it is refused already; add [snp.minimum-tcb.{}]",
                    product.key()
                );
                return Err(FieldProblem::new(field, problem));
            }
            let checked = next.minimum().check(*product);
            checked.map_err(|found| found.within(&field))?;
        }
        if !(2..=5).contains(&self.min_report_version) {
            return Err(FieldProblem::new("min-report-version", "it is 2 to 5"));
        }
        if self.max_vmpl > 3 {
            return Err(FieldProblem::new("max-vmpl", "it is 0 to 3"));
        }
        if self.chip_ids.as_ref().is_some_and(Vec::is_empty) {
            let problem = "empty, so no chip could be accepted; leave it out";
            return Err(FieldProblem::new("chip-ids", problem));
        }
        Ok(())
    }
}

fn default_report_version() -> u32 {
    3
}

/// Reads a map without repeated keys. JSON allows them, and the last one would count.
fn each_once<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<Product, T>, D::Error> {
    deserializer.deserialize_map(EachOnce(PhantomData))
}

struct EachOnce<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EachOnce<T> {
    type Value = BTreeMap<Product, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of products")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut least = BTreeMap::new();
        // Keys are read as text, because only then do errors in a value name their path.
        while let Some(name) = map.next_key::<String>()? {
            let product = Product::deserialize(StrDeserializer::<A::Error>::new(&name))?;
            if least.insert(product, map.next_value()?).is_some() {
                return Err(A::Error::custom(format_args!(
                    "the table names {product} twice"
                )));
            }
        }
        Ok(least)
    }
}

#[cfg(test)]
mod tests;
