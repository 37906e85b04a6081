//! The authenticators of one end, with any twist: its certificate, its Evidence, its place in a batch.

use std::io;

use atls_core::session::Side;
use rustls::pki_types::CertificateDer;

use crate::evidence::Made;
use crate::party::Party;
use crate::twist::Place;
use crate::twist::Twist;
use crate::wire::answer::spki_of;
use crate::wire::answer_draft;
use crate::wire::answer_draft::AnswerDraft;
use crate::wire::cmw;
use crate::wire::cmw::Payload;
use crate::wire::proof;
use crate::wire::proof::Membership;
use crate::wire::request::Request;
use crate::wire::schedule::binder;

impl Party {
    /// The answer to a request of the peer: attesting where it wants that, with one twist.
    ///
    /// # Errors
    /// Why this end cannot make such an answer.
    pub fn answer(&self, request: &Request, twist: Option<Twist>) -> Result<Vec<u8>, String> {
        let side = self.side();
        let failed = |error: io::Error| error.to_string();
        if let Some(Twist::Empty | Twist::ForgedEmpty) = twist {
            return answer_draft::empty(&self.link, side, request, twist).map_err(failed);
        }
        self.check(request, twist)?;
        let key = match twist {
            Some(Twist::OtherKey) => &self.keys.other,
            _ => &self.key,
        };
        let mut draft = AnswerDraft::new(side, request, key.clone());
        if request.wants() {
            self.attest(&mut draft, request, twist)?;
        }
        if let Some(twist) = twist {
            draft.apply(twist);
        }
        draft.seal(&self.link, request).map_err(failed)
    }

    /// Why a twist cannot be shown to this peer.
    fn check(&self, request: &Request, twist: Option<Twist>) -> Result<(), String> {
        let offered = request.parameters.as_ref();
        let why = match twist {
            Some(twist) if needs_evidence(twist) && !request.wants() => {
                "the peer wants no attestation"
            }
            Some(Twist::UnofferedVerdicts) if offered.is_none_or(|offered| offered.verdicts) => {
                "the peer offers verdicts, or speaks the minimal form"
            }
            Some(Twist::LaterSelection) if offered.is_none() => "the peer sent no parameters",
            Some(twist) if twist.place() == Place::Selection && offered.is_none() => {
                "the peer sent no parameters"
            }
            Some(Twist::OtherKey) if self.side() == Side::Client && !self.has_certificate => {
                "the peer asks for no certificate in TLS"
            }
            _ => return Ok(()),
        };
        Err(why.to_owned())
    }

    /// A good answer of more than 131,072 bytes: its chain has large certificates behind the first.
    ///
    /// # Errors
    /// Why this end cannot make it.
    pub fn long_answer(&self, request: &Request) -> Result<Vec<u8>, String> {
        let mut draft = AnswerDraft::new(self.side(), request, self.key.clone());
        self.attest(&mut draft, request, None)?;
        let large = CertificateDer::from(vec![0x30; 60_000]);
        draft.chain.extend([large.clone(), large.clone(), large]);
        let sealed = draft.seal(&self.link, request);
        sealed.map_err(|error| error.to_string())
    }

    fn attest(
        &self,
        draft: &mut AnswerDraft,
        request: &Request,
        twist: Option<Twist>,
    ) -> Result<(), String> {
        let leaf = draft.chain.first().and_then(spki_of);
        let leaf = leaf.ok_or_else(|| "no certificate".to_owned())?;
        let own = binder(&self.link, &request.context, &leaf);
        let own = own.map_err(|error| error.to_string())?;
        if twist.is_some_and(|twist| matches!(twist.place(), Place::Batch | Place::Binding))
            && !self.source.is_bound()
        {
            return Err("this Evidence is over no value".to_owned());
        }
        if let Some(twist) = twist.filter(|twist| is_of_batch(*twist)) {
            return self.attest_of_batch(draft, request, &own, twist);
        }
        let value = match twist {
            Some(Twist::OtherBinder) => own.iter().map(|byte| byte ^ 1).collect(),
            Some(Twist::PaddedBinder) => [&own[..], &[0; 16]].concat(),
            Some(Twist::PrefixBinder) if own.len() > 32 => own.iter().take(32).copied().collect(),
            Some(Twist::PrefixBinder) => return Err("the suite is not of SHA-384".to_owned()),
            _ => own.clone(),
        };
        let other: Vec<u8> = own.iter().map(|byte| byte ^ 1).collect();
        draft.cmw = Some(match (self.make(&value)?, twist) {
            (Made::Record(record), twist) => {
                let other = match twist {
                    Some(Twist::UnboundItem) => self.record(&other)?,
                    _ => record.clone(),
                };
                if twist == Some(Twist::PaddedBase64) && record.value.len().is_multiple_of(3) {
                    return Err("base64 of this Evidence needs no padding".to_owned());
                }
                cmw::encode(&record, &other, twist)
            }
            (Made::Opaque(_), Some(twist)) if twist.place() == Place::Cmw => {
                return Err("this Evidence is no CMW of one record".to_owned());
            }
            (Made::Opaque(bytes), _) => bytes,
        });
        Ok(())
    }

    fn attest_of_batch(
        &self,
        draft: &mut AnswerDraft,
        request: &Request,
        own: &[u8],
        twist: Twist,
    ) -> Result<(), String> {
        let offer = request.parameters.as_ref();
        let offer = offer.ok_or_else(|| "the peer sent no parameters".to_owned())?;
        match (offer.batches, twist) {
            (true, Twist::UnofferedBatch) => return Err("the peer offers batches".to_owned()),
            (false, twist) if twist != Twist::UnofferedBatch => {
                return Err("the peer offers no batches".to_owned());
            }
            _ => {}
        }
        let membership = Membership::new(Some(twist));
        let root = match twist {
            Twist::OtherLeaf => membership.root(&[7; 32]),
            Twist::BatchWithoutProof => own.to_vec(),
            _ => membership.root(own),
        };
        let record = self.record(&root)?;
        draft.cmw = Some(proof::encode(&record, &membership, Some(twist)));
        if let (Some(selection), false) = (&mut draft.selection, twist == Twist::UnsaidProof) {
            selection.set(3, true);
        }
        Ok(())
    }

    fn record(&self, value: &[u8]) -> Result<Payload, String> {
        match self.make(value)? {
            Made::Record(record) => Ok(record),
            Made::Opaque(_) => Err("this Evidence is no CMW of one record".to_owned()),
        }
    }

    fn make(&self, value: &[u8]) -> Result<Made, String> {
        self.source
            .over(value, &self.keys)
            .map_err(|error| error.to_string())
    }
}

fn is_of_batch(twist: Twist) -> bool {
    twist.place() == Place::Batch || twist == Twist::UnofferedBatch
}

fn needs_evidence(twist: Twist) -> bool {
    let of_extension = [
        Twist::TwinInEntry,
        Twist::LaterCmw,
        Twist::EmptyCmw,
        Twist::CmwVectorTrailing,
        Twist::UnofferedBatch,
    ];
    let of_evidence = matches!(twist.place(), Place::Cmw | Place::Binding | Place::Batch);
    of_evidence || of_extension.contains(&twist)
}
