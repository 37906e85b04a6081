//! One request and its authenticator on one connection.

use serde::Deserialize;
use serde::Serialize;

use crate::Hex;
use crate::keys::Key;
use crate::keys::Keys;
use crate::message;
use crate::message::Entry;
use crate::tls::Suite;

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    Client,
    Server,
}

impl Side {
    pub fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// The `certificate_request_context` of the requests of this side.
    pub(crate) fn context(self) -> Vec<u8> {
        match self {
            Self::Client => (0..32).collect(),
            Self::Server => (32..64).collect(),
        }
    }
}

/// Everything that goes into an authenticator, so that a test case can change one thing.
pub(crate) struct Draft {
    pub(crate) suite: Suite,
    pub(crate) exporter_secret: Vec<u8>,
    /// Whose labels the exporter takes.
    pub(crate) sender: Side,
    pub(crate) request: Vec<u8>,
    pub(crate) context: Vec<u8>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) scheme: u16,
    /// The scheme by which it really signs.
    pub(crate) signs_with: u16,
    pub(crate) context_string: &'static str,
    pub(crate) key: Key,
}

/// The parts of an authenticator.
pub(crate) struct Parts {
    pub(crate) handshake_context: Vec<u8>,
    pub(crate) finished_key: Vec<u8>,
    pub(crate) certificate: Vec<u8>,
    pub(crate) signed: Vec<u8>,
    pub(crate) certificate_verify: Vec<u8>,
    pub(crate) finished: Vec<u8>,
}

impl Parts {
    pub(crate) fn authenticator(&self) -> Vec<u8> {
        [
            &self.certificate[..],
            &self.certificate_verify,
            &self.finished,
        ]
        .concat()
    }
}

impl Draft {
    /// The answer of `sender` to a request with the usual context: its certificate, and these extensions beside it.
    pub(crate) fn new(
        suite: Suite,
        sender: Side,
        key: &Key,
        request: &[u8],
        extensions: Vec<(u16, Vec<u8>)>,
    ) -> Self {
        Self {
            suite,
            exporter_secret: suite.exporter_secret(),
            sender,
            request: request.to_vec(),
            context: sender.peer().context(),
            entries: vec![Entry {
                certificate: key.certificate.to_vec(),
                extensions,
            }],
            scheme: key.scheme(),
            signs_with: key.scheme(),
            context_string: "Exported Authenticator",
            key: key.clone(),
        }
    }

    pub(crate) fn exported_value(&self) -> Vec<u8> {
        let secret = &self.exporter_secret;
        self.suite.export(secret, "Attestation", &self.context, 32)
    }

    pub(crate) fn binder(&self) -> Vec<u8> {
        let preimage = [&self.key.public_key[..], &self.exported_value()].concat();
        self.suite.hash(&preimage)
    }

    pub(crate) fn parts(&self, keys: &mut Keys) -> Parts {
        let suite = self.suite;
        let (handshake_context, finished_key) = self.schedule();
        let certificate = message::certificate(&self.context, &self.entries);
        let transcript = [&handshake_context[..], &self.request, &certificate].concat();
        let signed = [
            &[0x20; 64][..],
            self.context_string.as_bytes(),
            &[0],
            &suite.hash(&transcript),
        ]
        .concat();
        let signature = keys.sign(&self.key.name, self.signs_with, &signed);
        let certificate_verify = message::certificate_verify(self.scheme, &signature);
        let transcript = [transcript, certificate_verify.clone()].concat();
        let verify_data = suite.hmac(&finished_key, &suite.hash(&transcript));
        Parts {
            handshake_context,
            finished_key,
            certificate,
            signed,
            certificate_verify,
            finished: message::finished(&verify_data),
        }
    }

    /// The empty authenticator.
    pub(crate) fn empty(&self) -> Vec<u8> {
        let (handshake_context, finished_key) = self.schedule();
        let absent = message::certificate(&self.context, &[]);
        let transcript = [&handshake_context[..], &self.request, &absent].concat();
        let hash = self.suite.hash(&transcript);
        message::finished(&self.suite.hmac(&finished_key, &hash))
    }

    /// Handshake Context and Finished Key.
    pub(crate) fn schedule(&self) -> (Vec<u8>, Vec<u8>) {
        let side = self.sender.name();
        let length = self.suite.hash_length();
        let export = |what| {
            let label = format!("EXPORTER-{side} authenticator {what}");
            self.suite
                .export(&self.exporter_secret, &label, b"", length)
        };
        (export("handshake context"), export("finished key"))
    }
}

/// An authenticator that must be refused.
#[derive(Serialize, Deserialize)]
pub struct Refused {
    pub name: String,
    pub reason: String,
    pub because: String,
    pub suite: String,
    pub exporter_secret: Hex,
    pub sender: Side,
    /// The key of the certificate that the sender presented in the TLS handshake.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handshake_key: Option<String>,
    pub request: Hex,
    pub authenticator: Hex,
}
