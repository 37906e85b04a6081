//! A unified kernel image, as systemd-stub measures it.

use atls_formats::tpm::HashAlgorithm;
use atls_reference::FieldProblem;
use serde::Deserialize;
use serde::Serialize;

use super::measurement::Measurement;

/// The table `[tpm.image.systemd-stub]`: the kernel came out of a unified kernel image of these sections, and nothing from outside
/// of it was loaded.
///
/// systemd-stub measures name and content of each section into register 11, in the order of the UKI specification. The boot phases
/// follow, as text. Whatever else was measured there, or in another order, is no known state. Command lines, add-ons, credentials and
/// system extensions from outside of the image go into registers 12 and 13: both must be quoted and empty, unless the image of the
/// policy names them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct StubRule {
    /// The sections in the order in which they are measured, `.linux` among them.
    #[serde(rename = "section")]
    pub sections: Vec<StubSection>,
    /// The boot phases that may follow, in this order: none, the first ones, or all. Those of systemd unless set.
    #[serde(default = "usual_phases")]
    pub phases: Vec<String>,
}

/// A section of a unified kernel image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct StubSection {
    /// Such as `.linux`: up to 8 bytes of ASCII.
    pub name: String,
    /// The digest of its content.
    pub digest: Measurement,
}

impl StubRule {
    /// These sections, and systemd's phases.
    pub fn new(sections: Vec<StubSection>) -> Self {
        Self {
            sections,
            phases: usual_phases(),
        }
    }

    /// The first section that is another one or absent, of the events of register 11.
    pub(crate) fn differing_section<'a>(
        &self,
        bank: HashAlgorithm,
        mut digests: impl Iterator<Item = &'a [u8]>,
    ) -> Option<&StubSection> {
        self.sections.iter().find(|section| {
            let name = bank.digest(&[section.name.as_bytes(), &[0]]);
            let is_named = digests.next() == Some(&name);
            !is_named || digests.next() != Some(section.digest.as_bytes())
        })
    }

    /// Whether phases, and nothing else, follow the sections.
    pub(crate) fn phases_follow<'a>(
        &self,
        bank: HashAlgorithm,
        digests: impl Iterator<Item = &'a [u8]>,
    ) -> bool {
        let mut phases = self.phases.iter();
        let behind = digests.skip(self.sections.len().saturating_mul(2));
        let mut behind = behind.map(|digest| (digest, phases.next()));
        behind.all(|(digest, phase)| {
            phase.is_some_and(|phase| bank.digest(&[phase.as_bytes()]) == digest)
        })
    }

    pub(super) fn check(&self, bank: HashAlgorithm) -> Result<(), FieldProblem> {
        for (index, section) in self.sections.iter().enumerate() {
            let at = |field| format!("section[{index}].{field}");
            let name = section.name.as_bytes();
            if !name.starts_with(b".") || name.len() > MAX_NAME || !name.is_ascii() {
                let problem = "not the name of a section: a point and up to 7 more bytes of ASCII";
                return Err(FieldProblem::new(at("name"), problem));
            }
            if section.digest.as_bytes().len() != bank.size() {
                let problem = format!("not {} bytes of {bank}", bank.size());
                return Err(FieldProblem::new(at("digest"), problem));
            }
        }
        if !self.sections.iter().any(|section| section.name == KERNEL) {
            let problem = "no section .linux: it leaves open which kernel ran";
            return Err(FieldProblem::new("section", problem));
        }
        Ok(())
    }
}

impl StubSection {
    /// A section by its name and the digest of its content.
    pub fn new(name: impl Into<String>, digest: Measurement) -> Self {
        Self {
            name: name.into(),
            digest,
        }
    }
}

fn usual_phases() -> Vec<String> {
    USUAL_PHASES.map(str::to_owned).to_vec()
}

/// systemd-pcrphase.service(8), of a whole run of the machine.
const USUAL_PHASES: [&str; 6] = [
    "enter-initrd",
    "leave-initrd",
    "sysinit",
    "ready",
    "shutdown",
    "final",
];

const KERNEL: &str = ".linux";

/// Bytes of a name in the table of sections of a PE file.
const MAX_NAME: usize = 8;
