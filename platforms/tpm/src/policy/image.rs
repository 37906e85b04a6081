//! One state of a machine that is known.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fmt;

use atls_formats::tpm::HashAlgorithm;
use atls_reference::FieldProblem;
use serde::Deserialize;
use serde::Serialize;

use super::measurement::Measurement;
use super::pcr_index::PcrIndex;
use super::systemd_stub::StubRule;

/// One known state of a machine. It must match in everything that is named here; registers that are not named are not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct TpmImage {
    /// For people, and for [`TpmClaims::image`](crate::TpmClaims::image).
    pub name: String,
    /// The bank of all that follows; `sha256` unless set.
    #[serde(default)]
    pub bank: HashAlgorithm,
    /// Registers that hold these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pcr: BTreeMap<PcrIndex, Measurement>,
    /// Registers into which nothing was measured: they are quoted, and hold what a reset leaves in them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unmeasured: BTreeSet<PcrIndex>,
    /// Events of which registers are made. A register that is named by one of them has no event but these, whatever their order.
    #[serde(default, rename = "event", skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<TpmEvent>,
    /// The sections of the unified kernel image that was started, where systemd-stub measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub systemd_stub: Option<StubRule>,
    /// The files that may have been used. It needs the boot code and the kernel's command line pinned: without them, whoever booted chose what
    /// register 10 holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ima: Option<ImaRule>,
    /// Accepts an image that leaves open which boot code ran. **Whoever boots a machine of his own chooses all later registers**, so this
    /// proves nothing of the software; `executables` is 0 then.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dangerous_any_boot_code: bool,
}

/// One event that a register may have, and must have unless it is optional.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct TpmEvent {
    /// For people: what is measured, such as `shim 15.8`.
    pub name: String,
    /// The register.
    pub pcr: PcrIndex,
    /// The value that is extended.
    pub digest: Measurement,
    /// Whether it may be missing.
    #[serde(default)]
    pub optional: bool,
}

/// The files that IMA may have measured into register 10: one at least, and no other than these.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct ImaRule {
    /// Digests of files, under whatever path. The first measurement, `boot_aggregate`, is no file and always allowed.
    pub allow: BTreeSet<Measurement>,
}

impl TpmImage {
    /// An image of the SHA-256 bank, by values of registers.
    pub fn measured(
        name: impl Into<String>,
        pcr: impl IntoIterator<Item = (PcrIndex, Measurement)>,
    ) -> Self {
        Self {
            name: name.into(),
            pcr: pcr.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The registers of which events are named.
    pub(crate) fn registers_of_events(&self) -> BTreeSet<u8> {
        self.events.iter().map(|event| event.pcr.get()).collect()
    }

    /// Whether the image names a register, by a value or by an event that is not optional.
    pub(crate) fn pins(&self, registers: &[u8]) -> bool {
        let by_value = self.pcr.keys().map(|pcr| pcr.get());
        let required = self.events.iter().filter(|event| !event.optional);
        let by_event = required.map(|event| event.pcr.get());
        let by_sections = self.systemd_stub.iter().map(|_| SECTIONS);
        let mut pinned = by_value.chain(by_event).chain(by_sections);
        pinned.any(|pcr| registers.contains(&pcr))
    }

    /// Whether the image says anything of a register, but for its sections.
    pub(crate) fn names(&self, register: u8) -> bool {
        let by_value = self.pcr.keys().map(|pcr| pcr.get());
        let by_event = self.events.iter().map(|event| event.pcr.get());
        let by_reset = self.unmeasured.iter().map(|pcr| pcr.get());
        let mut named = by_value.chain(by_event).chain(by_reset);
        named.any(|pcr| pcr == register)
    }

    /// Whether the image says which boot code ran, in the word of firmware or of the processor.
    pub(crate) fn pins_boot_code(&self) -> bool {
        self.pins(&BOOT_CODE)
    }

    pub(super) fn check(&self) -> Result<(), FieldProblem> {
        let name = self.name.escape_debug();
        if self.name.trim().is_empty() {
            return Err(FieldProblem::new("name", "an image has no name"));
        }
        let fits = |measurement: &Measurement| measurement.as_bytes().len() == self.bank.size();
        let long = format!(
            "image \"{name}\": not {} bytes of {}",
            self.bank.size(),
            self.bank
        );
        for (pcr, value) in &self.pcr {
            let pcr = pcr.get();
            let field = format!("pcr.{pcr}");
            if !fits(value) {
                return Err(FieldProblem::new(field, long));
            }
            if value.is_unmeasured() {
                let problem = format!(
                    "image \"{name}\": nothing is measured into pcr {pcr} where it has this value; name it in unmeasured, or leave it out"
                );
                return Err(FieldProblem::new(field, problem));
            }
        }
        let is_measured = |pcr: &&PcrIndex| {
            let mut events = self.events.iter();
            self.pcr.contains_key(pcr) || events.any(|event| event.pcr == **pcr)
        };
        if let Some(pcr) = self.unmeasured.iter().find(is_measured) {
            let pcr = pcr.get();
            let problem = format!("image \"{name}\": pcr {pcr} has a value or an event too");
            return Err(FieldProblem::new("unmeasured", problem));
        }
        for (index, event) in self.events.iter().enumerate() {
            if !fits(&event.digest) {
                return Err(FieldProblem::new(format!("event[{index}].digest"), long));
            }
        }
        if !self.pins(&EVERY_BUT_RESETTABLE) {
            let problem = format!(
                "image \"{name}\" leaves open what runs: name a register in [tpm.image.pcr] or an event that is not optional, \
                 and not of pcr 16 and 20 to 23 alone, which software resets"
            );
            return Err(problem.into());
        }
        if !self.dangerous_any_boot_code && !self.pins_boot_code() {
            let problem = format!(
                "image \"{name}\" leaves open which boot code ran, and whoever booted extends all other registers: name pcr 4 by its \
                 value or by an event that is not optional (17 or 18 with a dynamic root of trust), or say dangerous-any-boot-code = true"
            );
            return Err(problem.into());
        }
        self.check_sections(&name)?;
        self.check_files(&name)
    }

    fn check_sections(&self, name: &impl fmt::Display) -> Result<(), FieldProblem> {
        let Some(stub) = &self.systemd_stub else {
            return Ok(());
        };
        if self.names(SECTIONS) {
            let problem = format!(
                "image \"{name}\": the sections are all that register {SECTIONS} may hold; name it by them alone"
            );
            return Err(FieldProblem::new("systemd-stub", problem));
        }
        let checked = stub.check(self.bank);
        checked.map_err(|found| found.within("systemd-stub"))
    }

    fn check_files(&self, name: &impl fmt::Display) -> Result<(), FieldProblem> {
        let Some(ima) = &self.ima else {
            return Ok(());
        };
        if ima.allow.is_empty() {
            let problem = format!("image \"{name}\": no file may be used at all");
            return Err(FieldProblem::new("ima.allow", problem));
        }
        if !self.pins_boot_code() || !self.pins(&COMMAND_LINE) {
            let problem = format!(
                "image \"{name}\": files prove nothing where the kernel or its command line may be any: name pcr 4, and one of 8, 9, 11 \
                 and 12 for the command line (or 17 or 18), by their values or by events that are not optional"
            );
            return Err(FieldProblem::new("ima", problem));
        }
        Ok(())
    }
}

impl TpmEvent {
    /// An event that a register must have.
    pub fn required(name: impl Into<String>, pcr: PcrIndex, digest: Measurement) -> Self {
        Self {
            name: name.into(),
            pcr,
            digest,
            optional: false,
        }
    }
}

impl ImaRule {
    /// Allows files by their digests.
    pub fn allowing(files: impl IntoIterator<Item = Measurement>) -> Self {
        Self {
            allow: files.into_iter().collect(),
        }
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over references"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Boot code: as firmware measures it, and as the processor measures it at a dynamic launch. Nobody else is first to extend these (PC Client
/// Platform Firmware Profile §3.3.4; PC Client Platform TPM Profile §4.6).
const BOOT_CODE: [u8; 3] = [4, 17, 18];

/// The kernel's command line: GRUB's commands, the kernel's own EFI stub, systemd-stub, and a dynamic launch.
const COMMAND_LINE: [u8; 6] = [8, 9, 11, 12, 17, 18];

/// Where systemd-stub measures the sections of an image.
pub(crate) const SECTIONS: u8 = 11;

/// Where systemd-stub measures what it takes from outside of the image: command lines, add-ons and credentials; system extensions.
pub(crate) const OUTSIDE: [u8; 2] = [12, 13];

/// Without those for debugging, the operating system's of a dynamic launch, and the application's: software resets them and extends what it
/// likes.
const EVERY_BUT_RESETTABLE: [u8; 19] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19,
];
