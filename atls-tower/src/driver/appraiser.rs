//! Appraisal of a peer, in its turn and in time.

use std::fmt;
use std::sync::Arc;

use atls_core::AppraisalError;
use atls_core::Fault;
use atls_core::Refusal;
use atls_core::RelyingParty;
use atls_core::exchange::Credential;
use rustls::time_provider::TimeProvider;
use tokio::time::Instant;

use super::caught::caught;
use super::exchanged::Accepted;
use super::turns::Turns;
use crate::deadline::Deadline;
use crate::error::Error;
use crate::stage::Stage;

/// A relying party, its clock, and the turns at its work.
#[derive(Clone)]
pub(crate) struct Appraiser {
    pub(crate) relying_party: Arc<RelyingParty>,
    pub(crate) clock: Arc<dyn TimeProvider>,
    pub(crate) turns: Turns,
}

impl Appraiser {
    /// Gives an accepted peer. The turn is over before anything is sent.
    pub(crate) async fn appraise(
        &self,
        credential: Credential,
        deadline: Deadline,
    ) -> Result<Accepted, Error> {
        let _turn = self.turns.take(deadline).await?;
        let appraising = async {
            let since = Instant::now();
            // A clock that does not know the time refuses everything: nothing can be shown to be unexpired.
            let now = self
                .clock
                .current_time()
                .ok_or(Refusal::Expired(Fault::Local))?;
            let peer = self.relying_party.appraise(credential, now).await?;
            Ok(Accepted {
                valid_for: peer.valid_for(now),
                peer: Arc::new(peer),
                since,
            })
        };
        let appraising = caught(appraising, || Refusal::Appraisal(PANICKED).into());
        deadline.bound(Stage::Appraisal, appraising).await
    }
}

impl fmt::Debug for Appraiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Appraiser")
            .field("relying_party", &self.relying_party)
            .finish_non_exhaustive()
    }
}

const PANICKED: AppraisalError = AppraisalError::Local("a verifier or policy panicked");
