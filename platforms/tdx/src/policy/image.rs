//! Images of TDs: `[[tdx.image]]`.

use atls_reference::Digest;
use atls_reference::FieldProblem;
use serde::Deserialize;
use serde::Serialize;

use super::pin::Pin;

/// One image, by its measurements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[allow(
    clippy::exhaustive_structs,
    reason = "a policy is written out in full, and a new field must be decided about"
)]
pub struct TdxImage {
    /// For people, and for [`TdxClaims::image`](crate::TdxClaims::image).
    pub name: String,
    /// The firmware.
    pub mrtd: Digest<48>,
    /// Firmware configuration: differs with the size of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtmr0: Option<Digest<48>>,
    /// Boot loader and kernel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtmr1: Option<Digest<48>>,
    /// Command line and initial file system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtmr2: Option<Digest<48>>,
    /// Measurements made while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtmr3: Option<Digest<48>>,
    /// Says that `MRTD` covers all that runs, so that RTMRs need not be known: true of images without boot loader.
    #[serde(default)]
    pub mrtd_covers_all: bool,
    /// Left out, it must be zero.
    #[serde(default, skip_serializing_if = "Pin::is_zero")]
    pub mrconfigid: Pin<48>,
    /// Left out, it must be zero.
    #[serde(default, skip_serializing_if = "Pin::is_zero")]
    pub mrowner: Pin<48>,
    /// Left out, it must be zero.
    #[serde(default, skip_serializing_if = "Pin::is_zero")]
    pub mrownerconfig: Pin<48>,
}

impl TdxImage {
    /// An image whose firmware alone is known yet.
    pub fn new(name: impl Into<String>, mrtd: Digest<48>) -> Self {
        Self {
            name: name.into(),
            mrtd,
            rtmr0: None,
            rtmr1: None,
            rtmr2: None,
            rtmr3: None,
            mrtd_covers_all: false,
            mrconfigid: Pin::Zero,
            mrowner: Pin::Zero,
            mrownerconfig: Pin::Zero,
        }
    }

    pub(super) fn check(&self) -> Result<(), FieldProblem> {
        if self.mrtd.is_zero() {
            return Err(FieldProblem::new("mrtd", "zero, which no TD has"));
        }
        if !self.mrtd_covers_all && (self.rtmr1.is_none() || self.rtmr2.is_none()) {
            let problem = "no rtmr1 or no rtmr2: mrtd covers the firmware alone, so any kernel would be \
                           accepted; add them, or say mrtd-covers-all = true where that is so";
            return Err(FieldProblem::new("", problem));
        }
        Ok(())
    }
}
