//! A device of an end that attests during the handshake, on the side of an attacker.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use atls_core::AttestError;
use atls_core::AttestRequest;
use atls_core::Attester;
use atls_core::BoxFuture;
use atls_core::LocalAttester;
use atls_core::MediaType;
use atls_core::cmw::Cmw;
use atls_core::exchange::OwnedAttestRequest;
use atls_core::session::Side;
use atls_sim::SimAttester;
use rustls::SignatureAlgorithm;
use rustls::SignatureScheme;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::sign::Signer;
use rustls::sign::SigningKey;
use test_support::ready;

use crate::changes::altered;

/// A device that answers with other Evidence than it is asked for.
pub struct Hostile {
    pub genuine: Arc<SimAttester>,
    pub unknown: Arc<SimAttester>,
    /// A key that the peer has not.
    pub other: Arc<dyn SigningKey>,
    /// 0 for the Evidence that it is asked for; [`answer`](Self::answer) has the others.
    pub whose: u8,
    pub presenter: Side,
    pub changes: Vec<u8>,
    /// Cleared where the token is changed.
    pub whole: Arc<AtomicBool>,
}

impl Hostile {
    fn answer(&self, request: AttestRequest<'_>) -> Option<Cmw> {
        let key = Public(request.leaf_key().to_vec());
        let of_handshake = |side, nonce, key: &dyn SigningKey| {
            OwnedAttestRequest::for_handshake(side, nonce, key).ok()
        };
        let other_side = match self.presenter {
            Side::Client => Side::Server,
            Side::Server => Side::Client,
        };
        let request = match self.whose {
            0 | 1 => request.to_owned(),
            2 => of_handshake(self.presenter, &NONCE, &key)?,
            3 => of_handshake(other_side, &NONCE, &key)?,
            4 => of_handshake(self.presenter, &NONCE, &*self.other)?,
            OF_KEY => OwnedAttestRequest::for_key(&key).ok()?,
            _ => OwnedAttestRequest::for_key(&*self.other).ok()?,
        };
        let device = if self.whose == 1 {
            &self.unknown
        } else {
            &self.genuine
        };
        let made = ready(Attester::attest(&**device, request.as_request())).ok()?;
        let items = made.items();
        let token = altered(items[0].value(), &self.changes);
        if token != items[0].value() {
            self.whole.store(false, Ordering::Relaxed);
        }
        Some(Cmw::evidence(items[0].media_type()?, token))
    }
}

impl Attester for Hostile {
    fn media_types(&self) -> &[MediaType] {
        Attester::media_types(&*self.genuine)
    }

    fn names_leaf_key(&self) -> bool {
        false
    }

    fn attest<'a>(&'a self, request: AttestRequest<'a>) -> BoxFuture<'a, Result<Cmw, AttestError>> {
        let answer = self.answer(request);
        let gone = || AttestError::Device("no answer".to_owned());
        Box::pin(std::future::ready(answer.ok_or_else(gone)))
    }
}

impl LocalAttester for Hostile {
    fn media_types(&self) -> &[MediaType] {
        Attester::media_types(&*self.genuine)
    }

    fn names_leaf_key(&self) -> bool {
        false
    }

    fn attest(&mut self, request: AttestRequest<'_>) -> Result<Cmw, AttestError> {
        let answer = self.answer(request);
        answer.ok_or_else(|| AttestError::Device("no answer".to_owned()))
    }
}

/// The public half of somebody's key.
#[derive(Debug)]
struct Public(Vec<u8>);

impl SigningKey for Public {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        None
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        Some(SubjectPublicKeyInfoDer::from(&self.0[..]))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

/// Evidence about the peer's key and nothing else.
pub const OF_KEY: u8 = 5;

/// Of another handshake.
const NONCE: [u8; 32] = [7; 32];
