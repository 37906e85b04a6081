//! The connections of a batch, and their answers.

use std::fmt;

use super::batch_error::BatchError;
use super::batches::Batches;
use crate::attest_request::AttestRequest;
use crate::attest_request::OwnedAttestRequest;
use crate::bound::Bound;
use crate::cmw::Cmw;
#[cfg(doc)]
use crate::cmw::CmwError;
use crate::error::AttestError;
use crate::limits::MAX_BATCH;
use crate::merkle::NodeHash;
use crate::merkle::Tree;

/// Connections that are answered together. `T` is what the caller keeps for each, such as the way back to it.
///
/// A batch of one is no batch: its [`request`](Self::request) is that of the connection, and so is the answer. A member of a
/// larger one must [take batches](AttestRequest::batches).
pub struct Batch<T> {
    members: Vec<(OwnedAttestRequest, T)>,
    request: OwnedAttestRequest,
    /// Over the values of several members.
    tree: Option<Tree>,
}

impl<T> Batch<T> {
    /// A batch of these connections.
    ///
    /// An attester that [names the leaf key](crate::Attester::names_leaf_key) in its Evidence names that of the first
    /// connection; the peers of connections with other keys refuse it.
    ///
    /// # Errors
    /// [`BatchError`] for none, for more than [`MAX_BATCH`], and for several of which one takes no batches.
    pub fn new(members: Vec<(OwnedAttestRequest, T)>) -> Result<Self, BatchError> {
        if u32::try_from(members.len()).map_or(true, |size| size > MAX_BATCH) {
            return Err(BatchError::TooLarge);
        }
        let (first, _) = members.first().ok_or(BatchError::Empty)?;
        let first = first.as_request();
        if members.len() == 1 {
            return Ok(Self {
                request: first.alone().to_owned(),
                members,
                tree: None,
            });
        }
        let requests = || members.iter().map(|(request, _)| request.as_request());
        if requests().any(|request| request.batches() == Batches::No) {
            return Err(BatchError::Unsuitable);
        }
        let leaves = requests().map(|request| NodeHash::of_leaf(request.bound().as_bytes()));
        let tree = Tree::over(leaves.collect());
        let root = Bound::of_batch(&tree.root().ok_or(BatchError::Empty)?);
        Ok(Self {
            request: OwnedAttestRequest::for_root(root, first.leaf_key().to_vec()),
            members,
            tree: Some(tree),
        })
    }

    /// The number of connections, at least one.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// The request that the device is to answer: over the root, or over the binder of the only connection. Its answer is not
    /// batched again.
    pub fn request(&self) -> AttestRequest<'_> {
        self.request.as_request()
    }

    /// Tells whether this Evidence leaves room for the inclusion proofs of the batch. A batch of one has none.
    ///
    /// # Errors
    /// [`CmwError::NoRoomForProof`]. Attest to the [members](Self::into_members) one by one.
    pub fn check_room(&self, evidence: &Cmw) -> Result<(), AttestError> {
        if self.tree.is_some() {
            evidence.check_room_for_proof()?;
        }
        Ok(())
    }

    /// The connections, to be answered otherwise.
    pub fn into_members(self) -> Vec<(OwnedAttestRequest, T)> {
        self.members
    }

    /// Gives each connection its answer: the Evidence with its own proof, or a copy of the failure.
    pub fn answer(
        self,
        made: Result<Cmw, AttestError>,
    ) -> impl Iterator<Item = (T, Result<Cmw, AttestError>)> {
        let made = made.and_then(|evidence| self.check_room(&evidence).map(|()| evidence));
        let Self { members, tree, .. } = self;
        (0..).zip(members).map(move |(index, (request, member))| {
            let answer = made.clone().and_then(|evidence| match &tree {
                Some(tree) => with_proof(&evidence, request.as_request(), tree, index),
                None => Ok(evidence),
            });
            (member, answer)
        })
    }
}

fn with_proof(
    evidence: &Cmw,
    request: AttestRequest<'_>,
    tree: &Tree,
    index: u32,
) -> Result<Cmw, AttestError> {
    let proof = tree.proof(index).ok_or(BatchError::TooLarge)?;
    Ok(evidence.for_member(request.bound().clone(), proof)?)
}

impl<T> fmt::Debug for Batch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("members", &self.members.len())
            .finish_non_exhaustive()
    }
}
