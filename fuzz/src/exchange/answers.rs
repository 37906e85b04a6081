//! The content of the hostile peer's authenticators. Each has a good signature and a good MAC over it.

use std::sync::Arc;

use atls_tower::core::Attester;
use atls_tower::core::cmw::Cmw;
use atls_tower::core::exchange::ATTESTATION_PARAMETERS;
use atls_tower::core::exchange::CMW_ATTESTATION;
use atls_tower::core::exchange::Challenge;
use atls_tower::core::exchange::authenticator::Extension;
use atls_tower::core::exchange::authenticator::ReceivedRequest;
use rustls::sign::CertifiedKey;
use test_support::ready;
use tokio_rustls::TlsStream;

use super::batches::Shared;
use super::link::View;
use super::peer::Peer;
use super::script::Answer;
use super::script::Misuse;

impl Peer<'_> {
    /// The authenticator, and whether the live end may accept it as it is.
    pub(super) fn answer(&self, answer: Answer<'_>) -> Option<(Vec<u8>, bool)> {
        let setting = self.setting;
        let own = &setting.identity;
        let other = &setting.other_identity;
        // A client without certificate may answer with any key; a server must answer with that of its handshake.
        let any_key = matches!(self.tls, TlsStream::Client(_));
        match answer {
            Answer::Genuine => {
                let cmw = self.evidence(own, &*setting.device)?;
                Some((self.challenge(own)?.answer(&cmw).ok()?, true))
            }
            Answer::Empty => Some((self.challenge(own)?.decline().ok()?, false)),
            Answer::OtherDevice => {
                let cmw = self.evidence(own, &setting.other_device)?;
                Some((self.challenge(own)?.answer(&cmw).ok()?, false))
            }
            Answer::OtherKey => {
                let cmw = self.evidence(other, &*setting.device)?;
                Some((self.challenge(other)?.answer(&cmw).ok()?, any_key))
            }
            Answer::ForOtherKey => {
                let cmw = self.evidence(other, &*setting.device)?.encode().ok()?;
                Some((self.sealed(own, &cmw, SELECTION)?, false))
            }
            Answer::Plain => {
                let challenge = self.challenge(own)?;
                Some((challenge.answer_without_attestation().ok()?, false))
            }
            Answer::Altered(change) => {
                let cmw = self.evidence(own, &*setting.device)?;
                let altered = change.apply(&cmw.encode().ok()?);
                // The wrapper may be written in another way; the device's token in it may not.
                let whole = Cmw::decode(&altered).is_ok_and(|altered| {
                    let tokens = altered.items();
                    tokens
                        .iter()
                        .any(|item| item.value() == cmw.items()[0].value())
                });
                Some((self.sealed(own, &altered, SELECTION)?, whole))
            }
            Answer::Extensions(cmw, selection) => Some((self.sealed(own, cmw, selection)?, false)),
            Answer::Batched(place, change) => {
                let challenge = self.challenge(own)?;
                let shared = Shared::new(setting, &setting.device, challenge.to_attest()?, place)?;
                let altered = change.apply(&shared.own);
                let whole = shared.is_whole(&altered);
                Some((self.sealed(own, &altered, OF_BATCH)?, whole))
            }
            Answer::Misused(misuse, place) => {
                let challenge = self.challenge(own)?;
                let request = challenge.to_attest()?;
                let shared = Shared::new(setting, &setting.device, request, place)?;
                let mut selection = OF_BATCH;
                let message = match misuse {
                    Misuse::Neighbour => shared.neighbour,
                    Misuse::OtherBatch => shared.with_other_proof(setting, request)?,
                    Misuse::Absent => Shared::without(setting)?,
                    Misuse::Unsaid => {
                        selection = SELECTION;
                        shared.own
                    }
                    Misuse::Alone => self.evidence(own, &*setting.device)?.encode().ok()?,
                    Misuse::OtherDevice => {
                        Shared::new(setting, &setting.other_device, request, place)?.own
                    }
                };
                Some((self.sealed(own, &message, selection)?, false))
            }
        }
    }

    fn challenge(&self, identity: &Arc<CertifiedKey>) -> Option<Challenge> {
        let view = View::of(&self.tls, identity.clone())?;
        Challenge::receive(&view, self.asked.as_deref()?).ok()
    }

    fn evidence(&self, identity: &Arc<CertifiedKey>, device: &dyn Attester) -> Option<Cmw> {
        ready(device.attest(self.challenge(identity)?.to_attest()?)).ok()
    }

    /// An authenticator around any message and any selection.
    fn sealed(
        &self,
        identity: &Arc<CertifiedKey>,
        cmw: &[u8],
        selection: &[u8],
    ) -> Option<Vec<u8>> {
        let view = View::of(&self.tls, identity.clone())?;
        let request = ReceivedRequest::receive(&view, self.asked.as_deref()?).ok()?;
        let length = u16::try_from(cmw.len()).ok()?;
        let mut extensions = vec![Extension {
            code: CMW_ATTESTATION,
            data: [&length.to_be_bytes()[..], cmw].concat(),
        }];
        if !selection.is_empty() {
            extensions.push(Extension {
                code: ATTESTATION_PARAMETERS,
                data: selection.to_vec(),
            });
        }
        request.authenticate(&extensions).ok()
    }
}

/// `{ 1 => 1, 4 => true }`: verdicts, and no batch.
const SELECTION: &[u8] = &[0xa2, 1, 1, 4, 0xf5];

/// `{ 1 => 1, 3 => true, 4 => true }`: verdicts, and Evidence of a batch.
const OF_BATCH: &[u8] = &[0xa3, 1, 1, 3, 0xf5, 4, 0xf5];
