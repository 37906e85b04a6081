//! What may run in a realm.

use atls_formats::psa::CcaRealm;
use atls_reference::Digest;
use atls_reference::FieldProblem;
use serde::Deserialize;
use serde::Serialize;

use super::firmware::check_name;
use super::measurement::Measurement;

/// A reference value of a realm. The realm must have everything that it states.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct CcaRealmImage {
    /// For people, and for [`CcaClaims::image`](crate::CcaClaims::image).
    pub name: String,
    /// The realm initial measurement (RIM): memory and registers before the realm ran.
    pub initial_measurement: Measurement,
    /// The realm personalization value (RPV), 64 bytes: the choice of whoever made the realm. Left out, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personalization_value: Option<Digest<64>>,
    /// The extensible measurement 0, to which software in the realm adds. Left out, any; and below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rem0: Option<Measurement>,
    /// The extensible measurement 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rem1: Option<Measurement>,
    /// The extensible measurement 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rem2: Option<Measurement>,
    /// The extensible measurement 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rem3: Option<Measurement>,
}

impl CcaRealmImage {
    /// A realm with this initial measurement, and no other condition.
    pub fn new(name: impl Into<String>, initial_measurement: Measurement) -> Self {
        Self {
            name: name.into(),
            initial_measurement,
            personalization_value: None,
            rem0: None,
            rem1: None,
            rem2: None,
            rem3: None,
        }
    }

    /// The fields in which the realm differs, by their names in files.
    pub(crate) fn differences(&self, realm: &CcaRealm) -> Vec<&'static str> {
        let mut unlike = Vec::new();
        if self.initial_measurement.as_bytes() != realm.initial_measurement {
            unlike.push("initial-measurement");
        }
        let stated = self.personalization_value.as_ref();
        if stated.is_some_and(|stated| stated.as_bytes() != &realm.personalization_value) {
            unlike.push("personalization-value");
        }
        for ((name, stated), found) in self
            .stated()
            .into_iter()
            .zip(&realm.extensible_measurements)
        {
            if stated.is_some_and(|stated| stated.as_bytes() != found) {
                unlike.push(name);
            }
        }
        unlike
    }

    /// Whether it leaves nothing open that software in the realm could measure.
    pub(crate) fn states_all_extensible(&self) -> bool {
        self.stated().iter().all(|(_, stated)| stated.is_some())
    }

    /// The extensible measurements, by their names in files.
    pub(crate) fn stated(&self) -> [(&'static str, Option<&Measurement>); 4] {
        [
            ("rem0", self.rem0.as_ref()),
            ("rem1", self.rem1.as_ref()),
            ("rem2", self.rem2.as_ref()),
            ("rem3", self.rem3.as_ref()),
        ]
    }

    pub(super) fn check(&self) -> Result<(), FieldProblem> {
        check_name(&self.name)?;
        if self.initial_measurement.is_zero() {
            let problem = "measures as zero, so nothing was measured";
            return Err(FieldProblem::new("initial-measurement", problem).about(&self.name));
        }
        Ok(())
    }
}
