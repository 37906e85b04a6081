//! One image that may run.

use atls_formats::snp::Report;
use atls_reference::Digest;
use atls_reference::FieldProblem;
use serde::Deserialize;
use serde::Serialize;

use super::conditions::SnpConditions;

/// A reference value: the report must have everything that it states.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct SnpImage {
    /// A name for people. The claims of a matching report have it.
    pub name: String,
    /// `MEASUREMENT`: the launch digest of the guest's initial memory, 48 bytes. It covers the firmware, and number and kind of
    /// virtual processors. It covers kernel, initrd and command line only if the firmware is built to measure them
    /// (`kernel-hashes`).
    pub measurement: Digest<48>,
    /// `HOST_DATA`: the host's choice at launch, 32 bytes. Some put the digest of a configuration there. State it here if the guest
    /// relies on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_data: Option<Digest<32>>,
    /// `FAMILY_ID` of the ID block, 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_id: Option<Digest<16>>,
    /// `IMAGE_ID` of the ID block, 16 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<Digest<16>>,
    /// SHA-384 of the key that signed the ID block, 48 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_key_digest: Option<Digest<48>>,
    /// SHA-384 of the key that signed the ID key, 48 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_key_digest: Option<Digest<48>>,
    /// Further conditions on guest and machine.
    #[serde(default, skip_serializing_if = "SnpConditions::is_empty")]
    pub conditions: SnpConditions,
}

impl SnpImage {
    /// An image with this measurement, and no other condition.
    pub fn new(name: impl Into<String>, measurement: [u8; 48]) -> Self {
        Self {
            name: name.into(),
            measurement: measurement.into(),
            host_data: None,
            family_id: None,
            image_id: None,
            id_key_digest: None,
            author_key_digest: None,
            conditions: SnpConditions::default(),
        }
    }

    pub(crate) fn is(&self, report: &Report<'_>) -> bool {
        self.differences(report).is_empty()
    }

    /// The fields in which the report differs, by their names in files.
    pub(crate) fn differences(&self, report: &Report<'_>) -> Vec<&'static str> {
        let checks = [
            (
                "measurement",
                is(Some(&self.measurement), &report.measurement),
            ),
            ("host-data", is(self.host_data.as_ref(), &report.host_data)),
            ("family-id", is(self.family_id.as_ref(), &report.family_id)),
            ("image-id", is(self.image_id.as_ref(), &report.image_id)),
            (
                "id-key-digest",
                is(self.id_key_digest.as_ref(), &report.id_key_digest),
            ),
            (
                "author-key-digest",
                is(self.author_key_digest.as_ref(), &report.author_key_digest),
            ),
            ("conditions", self.conditions.hold(report)),
        ];
        let unlike = checks.into_iter().filter(|(_, holds)| !holds);
        unlike.map(|(name, _)| name).collect()
    }

    pub(super) fn check(&self) -> Result<(), FieldProblem> {
        if self.name.is_empty() {
            return Err(FieldProblem::new("name", "an image has no name"));
        }
        if self.measurement.is_zero() {
            let problem = format!("image {:?} measures as zero", self.name);
            return Err(FieldProblem::new("measurement", problem));
        }
        Ok(())
    }
}

/// A value that is not stated may be anything.
fn is<const N: usize>(stated: Option<&Digest<N>>, found: &[u8; N]) -> bool {
    stated.is_none_or(|stated| stated.as_bytes() == found)
}
