//! An Attester made of attesters.

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use crate::attest_request::AttestRequest;
use crate::attester::Attester;
use crate::box_future::BoxFuture;
use crate::cmw::Cmw;
use crate::cmw::Label;
use crate::error::AttestError;
use crate::media_type::MediaType;

/// Several attesters of one end, whose Evidence goes into one collection, each under its label. Each carries the value of the connection by
/// itself.
///
/// All are asked at once. Where one fails there is no Evidence at all. A [`Batch`](crate::exchange::batch::Batch) goes around the whole and not
/// within: attesters in it are asked for Evidence of this connection, or of the batch around it, alone.
///
/// The peer must appraise the formats of all. One that appraises some of them is no peer for this attester: `atls-tower` declines it as one
/// that appraises none, and elsewhere [`SendError::Format`](crate::exchange::SendError::Format) ends its connection.
///
/// ```
/// # use std::sync::Arc;
/// # use atls_core::{Attester, AttestError, combine::CompositeAttester};
/// fn of_this_machine(cpu: Arc<dyn Attester>, tpm: Arc<dyn Attester>) -> CompositeAttester {
///     CompositeAttester::of([("cpu".into(), cpu), ("tpm".into(), tpm)])
/// }
/// ```
pub struct CompositeAttester {
    members: Vec<(Label, Arc<dyn Attester>)>,
    media_types: Vec<MediaType>,
}

impl CompositeAttester {
    /// Makes one of these.
    pub fn of(members: impl IntoIterator<Item = (Label, Arc<dyn Attester>)>) -> Self {
        let members: Vec<_> = members.into_iter().collect();
        let media_types = members
            .iter()
            .flat_map(|(_, attester)| attester.media_types())
            .cloned()
            .collect();
        Self {
            members,
            media_types,
        }
    }

    async fn collect(&self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let request = request.alone();
        let mut asked: Vec<_> = self
            .members
            .iter()
            .map(|(_, attester)| (attester.attest(request), None))
            .collect();
        poll_fn(|cx| {
            let mut done = true;
            for (future, made) in &mut asked {
                if made.is_some() {
                    continue;
                }
                match future.as_mut().poll(cx) {
                    Poll::Ready(Ok(evidence)) => *made = Some(evidence),
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => done = false,
                }
            }
            if done {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            }
        })
        .await?;
        let labels = self.members.iter().map(|(label, _)| label.clone());
        let made = asked.into_iter().filter_map(|(_, made)| made);
        Ok(Cmw::collection(None, labels.zip(made).collect())?)
    }
}

impl Attester for CompositeAttester {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn names_leaf_key(&self) -> bool {
        let mut members = self.members.iter();
        members.any(|(_, attester)| attester.names_leaf_key())
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        Box::pin(self.collect(request))
    }
}

impl fmt::Debug for CompositeAttester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompositeAttester")
            .field("media_types", &self.media_types)
            .finish_non_exhaustive()
    }
}
