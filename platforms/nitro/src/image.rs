//! One image that may run.

use atls_reference::Digest;
use atls_reference::FieldProblem;
use serde::Deserialize;
use serde::Serialize;

/// One known image: registers that must hold exactly these values. The other registers are ignored.
///
/// An image names `pcr0`, or `pcr1` and `pcr2` together, or `pcr8`. Anything less leaves the software open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct NitroImage {
    /// The name for people, and for [`NitroClaims::image`](crate::NitroClaims::image).
    pub name: String,
    /// The whole enclave image file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr0: Option<Digest<48>>,
    /// Kernel and bootstrap ramdisk, equal for all images of one version of the tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr1: Option<Digest<48>>,
    /// The application, without the bootstrap ramdisk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr2: Option<Digest<48>>,
    /// The IAM role of the parent instance: SHA-384 over 48 zero bytes and the ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr3: Option<Digest<48>>,
    /// The parent instance: SHA-384 over 48 zero bytes and the instance ID.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr4: Option<Digest<48>>,
    /// Reserved: AWS measures nothing into it so far, and it is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr5: Option<Digest<48>>,
    /// Reserved: AWS measures nothing into it so far, and it is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr6: Option<Digest<48>>,
    /// Reserved: AWS measures nothing into it so far, and it is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr7: Option<Digest<48>>,
    /// The certificate that signed the image file. Alone, it accepts every file that its holder ever signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr8: Option<Digest<48>>,
    /// Reserved: AWS measures nothing into it so far, and it is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr9: Option<Digest<48>>,
    /// Reserved: AWS measures nothing into it so far, and it is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr10: Option<Digest<48>>,
    /// Reserved: AWS measures nothing into it so far, and it is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr11: Option<Digest<48>>,
    /// Reserved: AWS measures nothing into it so far, and it is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr12: Option<Digest<48>>,
    /// Reserved: AWS measures nothing into it so far, and it is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr13: Option<Digest<48>>,
    /// Reserved: AWS measures nothing into it so far, and it is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr14: Option<Digest<48>>,
    /// Reserved: AWS measures nothing into it so far, and it is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pcr15: Option<Digest<48>>,
}

impl NitroImage {
    /// An image by the three measurements that `nitro-cli build-enclave` prints.
    pub fn measured(
        name: impl Into<String>,
        pcr0: Digest<48>,
        pcr1: Digest<48>,
        pcr2: Digest<48>,
    ) -> Self {
        Self {
            name: name.into(),
            pcr0: Some(pcr0),
            pcr1: Some(pcr1),
            pcr2: Some(pcr2),
            ..Self::default()
        }
    }

    /// The registers that identify the software: index and value. Reserved registers count as such.
    pub(crate) fn software(&self) -> impl Iterator<Item = (u8, Digest<48>)> {
        self.registers()
            .filter(|(index, _)| !INSTANCE.contains(index))
    }

    /// The registers that identify the place: index and value.
    pub(crate) fn instance(&self) -> impl Iterator<Item = (u8, Digest<48>)> {
        self.registers()
            .filter(|(index, _)| INSTANCE.contains(index))
    }

    /// The field of a register, 0 to 15.
    pub(crate) fn register_mut(&mut self, index: u64) -> Option<&mut Option<Digest<48>>> {
        let fields = [
            &mut self.pcr0,
            &mut self.pcr1,
            &mut self.pcr2,
            &mut self.pcr3,
            &mut self.pcr4,
            &mut self.pcr5,
            &mut self.pcr6,
            &mut self.pcr7,
            &mut self.pcr8,
            &mut self.pcr9,
            &mut self.pcr10,
            &mut self.pcr11,
            &mut self.pcr12,
            &mut self.pcr13,
            &mut self.pcr14,
            &mut self.pcr15,
        ];
        fields.into_iter().nth(usize::try_from(index).ok()?)
    }

    /// The named registers: index and value.
    fn registers(&self) -> impl Iterator<Item = (u8, Digest<48>)> {
        let registers = [
            self.pcr0, self.pcr1, self.pcr2, self.pcr3, self.pcr4, self.pcr5, self.pcr6, self.pcr7,
            self.pcr8, self.pcr9, self.pcr10, self.pcr11, self.pcr12, self.pcr13, self.pcr14,
            self.pcr15,
        ];
        let named = |(index, value): (u8, Option<Digest<48>>)| Some((index, value?));
        (0..).zip(registers).filter_map(named)
    }

    pub(crate) fn check(&self) -> Result<(), FieldProblem> {
        let name = self.name.escape_debug();
        if self.name.trim().is_empty() {
            return Err(FieldProblem::new("name", "an image has no name"));
        }
        let whole = self.pcr0.is_some() || self.pcr8.is_some();
        if !whole && (self.pcr1.is_none() || self.pcr2.is_none()) {
            let problem = format!(
                "image \"{name}\" leaves open which software runs: name pcr0, or pcr1 and pcr2, or pcr8"
            );
            return Err(problem.into());
        }
        let zero = self
            .registers()
            .find(|(index, value)| MEASURED.contains(index) && value.is_zero());
        match zero {
            Some((index, _)) => Err(FieldProblem::new(
                format!("pcr{index}"),
                format!(
                    "image \"{name}\": pcr{index} is zero, the value of debug mode and of an unused register"
                ),
            )),
            None => Ok(()),
        }
    }
}

/// The registers that identify the place of an enclave.
const INSTANCE: [u8; 2] = [3, 4];

/// The registers into which AWS measures something. The others may be demanded to be zero, which means unused.
const MEASURED: [u8; 6] = [0, 1, 2, 3, 4, 8];
