//! The attester of this end, in its turn and in time.

use std::fmt;
use std::sync::Arc;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::cmw::Cmw;
use atls_core::exchange::Challenge;

use super::caught::caught;
use super::turns::Turns;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::stage::Stage;

/// An attester, and the turns at its work.
#[derive(Clone)]
pub(crate) struct EvidenceMaker {
    pub(crate) attester: Arc<dyn Attester>,
    pub(crate) turns: Turns,
}

impl EvidenceMaker {
    /// The turn is over before anything is sent.
    pub(crate) async fn attest(
        &self,
        request: AttestRequest<'_>,
        deadline: Deadline,
    ) -> Result<Cmw, Error> {
        let _turn = self.turns.take(deadline).await?;
        let attesting = async { Ok(self.attester.attest(request).await?) };
        let panicked = || AttestError::Device("its driver panicked".to_owned()).into();
        let attesting = caught(attesting, panicked);
        deadline.bound(Stage::Attestation, attesting).await
    }

    /// Whether the peer appraises any format of this attester. A peer that sent no parameters does not say.
    pub(super) fn suits(&self, challenge: &Challenge) -> bool {
        let Some(parameters) = challenge.parameters() else {
            return true;
        };
        self.attester
            .media_types()
            .iter()
            .any(|own| parameters.formats.contains(own))
    }

    /// Whether the peer appraises every format of this Evidence that the attester names: one that appraises some parts of a composite
    /// alone can do nothing with it, and that is no fault of this end. A format that the attester does not name is.
    pub(super) fn suits_with(&self, challenge: &Challenge, cmw: &Cmw) -> bool {
        let Some(parameters) = challenge.parameters() else {
            return true;
        };
        let own = self.attester.media_types();
        cmw.items_with(|collection| parameters.formats.contains(collection))
            .iter()
            .filter(|item| !item.is_endorsements_only())
            .filter_map(|item| item.media_type())
            .all(|made| parameters.formats.contains(&made) || !own.contains(&made))
    }
}

impl fmt::Debug for EvidenceMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EvidenceMaker")
            .field("media_types", &self.attester.media_types())
            .finish_non_exhaustive()
    }
}
