//! One piece of firmware that is known.

use atls_formats::psa::Component;
use atls_reference::FieldProblem;
use serde::Deserialize;
use serde::Serialize;

use super::measurement::Measurement;

/// A reference value of one component. The component must have everything that it states.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct KnownComponent {
    /// The type, such as `RMM`. Left out, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The digest of the component.
    pub measurement: Measurement,
    /// The digest of the key that signed it. Left out, any: the measurement says what runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer_id: Option<Measurement>,
    /// The version, as its maker counts. Left out, any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl KnownComponent {
    /// A component with this measurement, of any type, signer and version.
    pub fn new(measurement: Measurement) -> Self {
        Self {
            kind: None,
            measurement,
            signer_id: None,
            version: None,
        }
    }

    pub(crate) fn is(&self, component: &Component) -> bool {
        let is_stated = |stated: &Option<String>, found: &Option<String>| match stated {
            None => true,
            stated => stated == found,
        };
        let signer = self.signer_id.as_ref();
        self.measurement.as_bytes() == component.measurement
            && signer.is_none_or(|signer| signer.as_bytes() == component.signer_id)
            && is_stated(&self.kind, &component.kind)
            && is_stated(&self.version, &component.version)
    }

    pub(super) fn check_all(name: &str, components: &[Self]) -> Result<(), FieldProblem> {
        if components.is_empty() {
            let problem = "no component: nothing says what runs";
            return Err(FieldProblem::new("component", problem).about(name));
        }
        let zero = components
            .iter()
            .position(|known| known.measurement.is_zero());
        match zero {
            None => Ok(()),
            Some(index) => {
                let field = format!("component[{index}].measurement");
                Err(FieldProblem::new(field, "measures as zero").about(name))
            }
        }
    }
}

/// Whether two sets are the same: each component is known, and each known one is there. `None` of either side is left over.
pub(crate) fn unlike(known: &[KnownComponent], found: &[Component]) -> Unlike {
    let unknown = found
        .iter()
        .position(|found| !known.iter().any(|known| known.is(found)));
    let absent = known
        .iter()
        .position(|known| !found.iter().any(|found| known.is(found)));
    Unlike { unknown, absent }
}

/// The first component that is not known, and the first known one that is not there, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unlike {
    pub(crate) unknown: Option<usize>,
    pub(crate) absent: Option<usize>,
}

impl Unlike {
    pub(crate) fn is_nothing(self) -> bool {
        self.unknown.is_none() && self.absent.is_none()
    }
}
