//! Results of some verifiers, while another could not be reached.

use std::fmt;
use std::sync::Arc;

use crate::appraised::Appraised;
use crate::ear::Tier;

/// The results of some verifiers of an [`AllAgree`](crate::combine::AllAgree), while another could not be reached.
///
/// It is not a result itself. A [`Failover`](crate::combine::Failover) around the `AllAgree` asks its next verifier, and the worse of
/// both stands.
#[derive(Clone)]
pub struct IncompleteResults {
    pub(super) worst: Arc<Appraised>,
}

impl IncompleteResults {
    /// The worst status of the results.
    pub fn status(&self) -> Tier {
        self.worst.ear.status()
    }
}

impl From<Appraised> for IncompleteResults {
    fn from(worst: Appraised) -> Self {
        Self {
            worst: Arc::new(worst),
        }
    }
}

/// Compares the results that they hold.
impl PartialEq for IncompleteResults {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.worst, &other.worst);
        one.ear == other.ear
            && one.origin == other.origin
            && one.binding() == other.binding()
            && one.attested_key == other.attested_key
    }
}

impl Eq for IncompleteResults {}

impl fmt::Debug for IncompleteResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IncompleteResults")
            .field(&self.worst)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Origin;
    use crate::policy::sample::ear;

    #[test]
    fn results_are_equal_if_all_that_decides_is() {
        let of = |hardware, origin, key: &[u8]| {
            let ear = ear("device", hardware);
            IncompleteResults::from(Appraised::bound_to_key_only(ear, origin, key.to_vec()))
        };
        let one = of(2, Origin::Device, b"key");
        assert_eq!(one, of(2, Origin::Device, b"key"));
        for other in [
            of(32, Origin::Device, b"key"),
            of(2, Origin::Simulated, b"key"),
            of(2, Origin::Device, b"other"),
        ] {
            assert_ne!(one, other);
        }
        let bound = crate::bound::Bound::of_key(b"key");
        let matched = bound.verbatim().compare(bound.as_bytes()).unwrap();
        let mut of_connection =
            Appraised::bound_to_connection(ear("device", 2), Origin::Device, matched);
        of_connection.attested_key = Some(b"key".to_vec());
        assert_ne!(one, IncompleteResults::from(of_connection));
    }
}
