//! Evidence that the connection shares with others, as a hostile peer hands it out.

use atls_sim::SimAttester;
use atls_tower::core::AttestRequest;
use atls_tower::core::Attester;
use atls_tower::core::exchange::OwnedAttestRequest;
use atls_tower::core::exchange::batch::Batch;
use test_support::ready;

use super::setting::OTHERS;
use super::setting::Setting;
use crate::batch;
use crate::changes::contains;

/// The messages of a batch in which the connection is.
pub(super) struct Shared {
    pub(super) own: Vec<u8>,
    pub(super) neighbour: Vec<u8>,
    binder: Vec<u8>,
    root: Vec<u8>,
    /// Without its envelope.
    token: Vec<u8>,
}

impl Shared {
    /// The lowest two bits of the place say how many stand before the connection, the next two how many behind it.
    pub(super) fn new(
        setting: &Setting,
        device: &SimAttester,
        request: AttestRequest<'_>,
        place: u8,
    ) -> Option<Self> {
        let before = usize::from(place & 3);
        let behind = usize::from(place >> 2 & 3).max(usize::from(before == 0));
        let mut members = others(setting, 0, before);
        members.push(request.to_owned());
        members.extend(others(setting, before, behind));
        let (messages, root, token) = messages(device, members)?;
        let neighbour = if before == 0 { 1 } else { before - 1 };
        Some(Self {
            own: messages.get(before)?.clone(),
            neighbour: messages.get(neighbour)?.clone(),
            binder: request.bound().as_bytes().to_vec(),
            root,
            token,
        })
    }

    /// The message of a batch of others.
    pub(super) fn without(setting: &Setting) -> Option<Vec<u8>> {
        let (messages, ..) = messages(&setting.device, others(setting, 0, 2))?;
        messages.into_iter().next()
    }

    /// This Evidence with the proof of another batch, of other connections.
    pub(super) fn with_other_proof(
        &self,
        setting: &Setting,
        request: AttestRequest<'_>,
    ) -> Option<Vec<u8>> {
        let mut members = others(setting, OTHERS - 1, 1);
        members.push(request.to_owned());
        let (messages, ..) = messages(&setting.device, members)?;
        let proof = batch::proof(messages.last()?)?;
        batch::with_proof(&self.own, &proof)
    }

    /// The device's token is in the message, and a proof that leads from the connection to what the token is about. The wrapper may be
    /// written in another way.
    pub(super) fn is_whole(&self, message: &[u8]) -> bool {
        let proof = batch::proof(message);
        let root = proof.and_then(|proof| batch::root(&self.binder, &proof));
        contains(message, &self.token) && root.is_some_and(|root| root[..] == self.root)
    }
}

fn others(setting: &Setting, from: usize, number: usize) -> Vec<OwnedAttestRequest> {
    let others = setting.others.iter().skip(from).take(number);
    others.map(|other| other.to_attest().to_owned()).collect()
}

/// The message of each, the root, and the token about it. `None` where the peer of one takes no batches.
fn messages(
    device: &SimAttester,
    members: Vec<OwnedAttestRequest>,
) -> Option<(Vec<Vec<u8>>, Vec<u8>, Vec<u8>)> {
    let members = members.into_iter().map(|request| (request, ()));
    let batch = Batch::new(members.collect()).ok()?;
    let root = batch.request().bound().as_bytes().to_vec();
    let made = ready(Attester::attest(device, batch.request())).ok()?;
    let token = made.items()[0].value().to_vec();
    let answers = batch.answer(Ok(made));
    let messages = answers.map(|(_, answer)| answer.ok()?.encode().ok());
    Some((messages.collect::<Option<_>>()?, root, token))
}
