//! The envelope of a statement as CWT, by hand.

use atls_tower::forward::HEADER;
use atls_tower::forward::ReceiveError;
use atls_tower::forward::StatementForm;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ciborium::Value as Cbor;
use http::HeaderMap;
use http::HeaderValue;

use crate::hop::Hop;

/// An honest statement, to be put into other envelopes.
pub(crate) struct Statement {
    pub(crate) hop: Hop,
    pub(crate) payload: Vec<u8>,
}

impl Statement {
    pub(crate) async fn new() -> Self {
        let hop = Hop::new();
        let form = hop.forwarder().with_form(StatementForm::Cwt);
        let sent = hop.headers(form).await;
        let token = BASE64_URL_SAFE_NO_PAD.decode(&sent[&HEADER]).unwrap();
        let message: Cbor = ciborium::from_reader(&token[..]).unwrap();
        let (_, message) = message.into_tag().unwrap();
        let payload = message.into_array().unwrap().remove(2);
        let payload = payload.into_bytes().unwrap();
        Self { hop, payload }
    }

    /// What the receiver says to it, signed under these headers.
    pub(crate) fn signed(
        &self,
        protected: &[(i32, Cbor)],
        unprotected: &[(i32, Cbor)],
    ) -> Result<(), ReceiveError> {
        let header = encoded(&map(protected));
        let signature = self.hop.sign(&self.structure("Signature1", &header, b""));
        let message = self.message(protected, unprotected, &signature);
        self.receive(&tagged(&[SIGN1], message))
    }

    /// The bytes that are signed or MACed (RFC 9052 §4.4, §6.3).
    pub(crate) fn structure(&self, context: &str, protected: &[u8], external: &[u8]) -> Vec<u8> {
        let parts = [protected, external, &self.payload];
        let parts = parts.map(|part| Cbor::Bytes(part.to_vec()));
        encoded(&Cbor::Array(
            [context.into()].into_iter().chain(parts).collect(),
        ))
    }

    pub(crate) fn message(
        &self,
        protected: &[(i32, Cbor)],
        unprotected: &[(i32, Cbor)],
        signature: &[u8],
    ) -> Cbor {
        Cbor::Array(vec![
            Cbor::Bytes(encoded(&map(protected))),
            map(unprotected),
            Cbor::Bytes(self.payload.clone()),
            Cbor::Bytes(signature.to_vec()),
        ])
    }

    pub(crate) fn receive(&self, token: &[u8]) -> Result<(), ReceiveError> {
        let mut headers = HeaderMap::new();
        let value = BASE64_URL_SAFE_NO_PAD.encode(token);
        headers.insert(HEADER, HeaderValue::from_str(&value).unwrap());
        self.hop.receiver().receive(&headers).map(|_| ())
    }
}

pub(crate) fn map(entries: &[(i32, Cbor)]) -> Cbor {
    let entries = entries.iter().cloned();
    Cbor::Map(
        entries
            .map(|(label, value)| (label.into(), value))
            .collect(),
    )
}

/// In these tags, the first outermost.
pub(crate) fn tagged(tags: &[u64], message: Cbor) -> Vec<u8> {
    let tags = tags.iter().rev();
    encoded(&tags.fold(message, |inner, tag| Cbor::Tag(*tag, Box::new(inner))))
}

pub(crate) fn encoded(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).unwrap();
    bytes
}

/// The tag of COSE_Sign1.
pub(crate) const SIGN1: u64 = 18;
