//! The policy: which states of a machine are known, and what else is asked of its TPM.

pub(crate) mod hexadecimal;

mod corim;
mod image;
mod measurement;
mod pcr_index;
mod systemd_stub;

use atls_reference::Digest;
use atls_reference::FieldProblem;
use atls_reference::Table;
use atls_reference::corim::Corim;
use atls_reference::corim::CorimProblem;
use serde::Deserialize;
use serde::Serialize;

pub use image::ImaRule;
pub(crate) use image::OUTSIDE;
pub(crate) use image::SECTIONS;
pub use image::TpmEvent;
pub use image::TpmImage;
pub use measurement::Measurement;
pub(crate) use measurement::is_unmeasured;
pub use pcr_index::PcrIndex;
pub use systemd_stub::StubRule;
pub use systemd_stub::StubSection;

/// The table `[tpm]` of a file of reference values.
///
/// ```toml
/// version = 1
///
/// [tpm]
/// secure-boot = true                  # must be proved by the log; false is the default
/// min-firmware = "0007000200030000"   # of the TPM, 16 hexadecimal digits; optional
/// max-restarts = 0                    # of the TPM since its last reset, such as by suspending; optional
/// safe-clock = true                   # the TPM's clock never went back; false is the default
///
/// [[tpm.image]]
/// name = "web 1.4"
/// bank = "sha256"                     # the default
/// unmeasured = [12, 13]               # registers into which nothing was measured; optional
/// [tpm.image.pcr]
/// 4 = "…"                             # as many hexadecimal digits as the bank has
/// 7 = "…"
/// [[tpm.image.event]]
/// name = "kernel of web 1.4"
/// pcr = 11
/// digest = "…"
/// [[tpm.image.systemd-stub.section]]  # all sections of a unified kernel image
/// name = ".linux"
/// digest = "…"
/// [tpm.image.ima]
/// allow = ["…"]                       # digests of files
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct TpmPolicy {
    /// The states that are known, at least one. A machine must match one of them in everything that it names.
    #[serde(rename = "image")]
    pub images: Vec<TpmImage>,
    /// Whether Secure Boot must be on, by the first event of register 7.
    #[serde(default)]
    pub secure_boot: bool,
    /// The least version of the TPM's firmware: 64 bits, which each maker counts in another way. It is known of keys in the endorsement
    /// hierarchy alone; TPMs obfuscate it for others, which are then refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_firmware: Option<Digest<8>>,
    /// How often the TPM may have been restarted since its last reset: by suspending the machine, and by dynamic launches. Known of the
    /// same keys as the firmware's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_restarts: Option<u32>,
    /// Whether the TPM must say that its clock never went back, as it does after a loss of power.
    #[serde(default)]
    pub safe_clock: bool,
}

impl TpmPolicy {
    /// Accepts these images, without a word on Secure Boot and firmware.
    pub fn new(images: Vec<TpmImage>) -> Self {
        Self {
            images,
            secure_boot: false,
            min_firmware: None,
            max_restarts: None,
            safe_clock: false,
        }
    }
}

impl Table for TpmPolicy {
    const NAME: &'static str = "tpm";

    fn from_corim(corim: &Corim) -> Result<Self, CorimProblem> {
        Ok(Self::new(corim::images(corim)?))
    }

    fn add_corim(&mut self, corim: &Corim) -> Result<(), CorimProblem> {
        self.images.extend(corim::images(corim)?);
        Ok(())
    }

    fn check(&self) -> Result<(), FieldProblem> {
        if self.images.is_empty() {
            let problem = "no image: nothing could be accepted; add [[tpm.image]]";
            return Err(FieldProblem::new("image", problem));
        }
        let mut images = self.images.iter().enumerate();
        images.try_for_each(|(index, image)| {
            let checked = image.check();
            checked.map_err(|found| found.within(&format!("image[{index}]")))
        })
    }
}
