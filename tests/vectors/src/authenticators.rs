//! `authenticators.json`: §4, §5, §6

mod refused;
mod refused_extensions;

use serde::Deserialize;
use serde::Serialize;

use crate::Hex;
use crate::cbor;
use crate::keys::Key;
use crate::keys::Keys;
use crate::message;
use crate::message::ATTESTATION_PARAMETERS;
use crate::message::CMW_ATTESTATION;
use crate::message::Entry;
use crate::parameters;
use crate::scenario::Draft;
use crate::scenario::Refused;
use crate::scenario::Side;
use crate::tls::Suite;

#[derive(Serialize, Deserialize)]
pub struct Page {
    pub about: String,
    pub section: String,
    pub cases: Vec<Case>,
    pub refused: Vec<Refused>,
}

/// A valid answer to a request, and every step on the way to it.
#[derive(Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    pub answer: Answer,
    pub suite: String,
    pub exporter_secret: Hex,
    /// The sender of the authenticator.
    pub sender: Side,
    pub key: String,
    pub request: Hex,
    pub context: Hex,
    pub handshake_context: Hex,
    pub finished_key: Hex,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binder: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cmw: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed: Option<Hex>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_verify: Option<Hex>,
    pub finished: Hex,
    pub authenticator: Hex,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It carries a CMW.
    Attests,
    /// An authentic refusal: an empty authenticator.
    Declines,
    /// It authenticates and says nothing about attestation.
    Plain,
}

pub fn page(keys: &mut Keys) -> Page {
    let mut cases = Vec::new();
    for suite in Suite::ALL {
        for sender in [Side::Server, Side::Client] {
            for name in ["ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-2048"] {
                let key = keys.key(name);
                cases.push(attests(suite, sender, &key, keys));
            }
            let key = keys.key("ed25519");
            cases.push(minimal(suite, sender, &key, keys));
            cases.push(plain(suite, sender, &key, keys));
            cases.push(declines(suite, sender, &key));
        }
    }
    cases.push(unasked(
        "plain with a selection, to a client that wants no Evidence",
        false,
        keys,
    ));
    cases.push(unasked(
        "plain with a selection, to a client that wants no Evidence and understands verdicts",
        true,
        keys,
    ));
    cases.push(chain(keys));
    Page {
        about: "Answers to requests: authenticators with an attestation, plain ones, and empty ones. They are payloads of frames of type 2.".to_owned(),
        section: "§4, §5, §6".to_owned(),
        cases,
        refused: refused::all(keys),
    }
}

/// The Evidence of the vectors: a record of a type of its own, whose bytes are the value that it must carry.
pub(crate) fn evidence(value: &[u8]) -> Vec<u8> {
    cbor::array(&[cbor::text(MEDIA_TYPE), cbor::bytes(value), cbor::uint(4)])
}

/// A request with parameters that want attestation.
pub(crate) fn request_with_parameters(asker: Side) -> Vec<u8> {
    let data = match asker {
        Side::Client => parameters::client(&[MEDIA_TYPE], true, true, 1),
        Side::Server => parameters::server(&[MEDIA_TYPE], 1),
    };
    let further = [(ATTESTATION_PARAMETERS, data)];
    message::usual_request(asker, &asker.context(), &further)
}

/// The answer with Evidence and selection to a request with parameters.
pub(crate) fn attesting(suite: Suite, sender: Side, key: &Key) -> Draft {
    let request = request_with_parameters(sender.peer());
    let mut draft = Draft::new(suite, sender, key, &request, Vec::new());
    let cmw = evidence(&draft.binder());
    draft.entries[0].extensions = vec![
        (CMW_ATTESTATION, message::cmw_attestation(&cmw)),
        (ATTESTATION_PARAMETERS, parameters::selection(false, true)),
    ];
    draft
}

fn attests(suite: Suite, sender: Side, key: &Key, keys: &mut Keys) -> Case {
    let draft = attesting(suite, sender, key);
    let name = format!(
        "with parameters, {}, {}, {}",
        key.name,
        sender.name(),
        suite.hash_name()
    );
    full(&name, Answer::Attests, &draft, keys)
}

fn minimal(suite: Suite, sender: Side, key: &Key, keys: &mut Keys) -> Case {
    let request = minimal_request(sender.peer());
    let mut draft = Draft::new(suite, sender, key, &request, Vec::new());
    let cmw = evidence(&draft.binder());
    draft.entries[0].extensions = vec![(CMW_ATTESTATION, message::cmw_attestation(&cmw))];
    let name = format!("minimal, {}, {}", sender.name(), suite.hash_name());
    full(&name, Answer::Attests, &draft, keys)
}

fn plain(suite: Suite, sender: Side, key: &Key, keys: &mut Keys) -> Case {
    let draft = Draft::new(
        suite,
        sender,
        key,
        &minimal_request(sender.peer()),
        Vec::new(),
    );
    let name = format!("plain, {}, {}", sender.name(), suite.hash_name());
    full(&name, Answer::Plain, &draft, keys)
}

/// The server's answer to a client that wants no Evidence. It selects no verdict, whatever the client offers.
fn unasked(name: &str, verdicts: bool, keys: &mut Keys) -> Case {
    let client = Side::Client;
    let data = parameters::client(&[], verdicts, false, 1);
    let request =
        message::usual_request(client, &client.context(), &[(ATTESTATION_PARAMETERS, data)]);
    let selection = (ATTESTATION_PARAMETERS, parameters::selection(false, false));
    let key = keys.key("ed25519");
    let draft = Draft::new(
        Suite::Aes128GcmSha256,
        Side::Server,
        &key,
        &request,
        vec![selection],
    );
    full(name, Answer::Plain, &draft, keys)
}

/// Two certificates; only the first entry has extensions.
fn chain(keys: &mut Keys) -> Case {
    let key = keys.key("ed25519");
    let mut draft = attesting(Suite::Aes128GcmSha256, Side::Server, &key);
    draft.entries.push(Entry {
        certificate: keys.key("ed25519-other").certificate.to_vec(),
        extensions: Vec::new(),
    });
    full("two certificates", Answer::Attests, &draft, keys)
}

fn declines(suite: Suite, sender: Side, key: &Key) -> Case {
    let request = request_with_parameters(sender.peer());
    let draft = Draft::new(suite, sender, key, &request, Vec::new());
    let (handshake_context, finished_key) = draft.schedule();
    let empty = draft.empty();
    Case {
        name: format!("empty, {}, {}", sender.name(), suite.hash_name()),
        answer: Answer::Declines,
        suite: suite.name().to_owned(),
        exporter_secret: draft.exporter_secret.into(),
        sender,
        key: key.name.clone(),
        request: draft.request.into(),
        context: draft.context.into(),
        handshake_context: handshake_context.into(),
        finished_key: finished_key.into(),
        binder: None,
        cmw: None,
        selection: None,
        certificate: None,
        signed: None,
        certificate_verify: None,
        finished: empty.clone().into(),
        authenticator: empty.into(),
    }
}

fn full(name: &str, answer: Answer, draft: &Draft, keys: &mut Keys) -> Case {
    let parts = draft.parts(keys);
    let extension = |code| {
        let extensions = &draft.entries[0].extensions;
        let found = extensions.iter().find(|(known, _)| *known == code);
        found.map(|(_, data)| data.clone())
    };
    let cmw = extension(CMW_ATTESTATION).map(|data| Hex::from(&data[2..]));
    Case {
        name: name.to_owned(),
        answer,
        suite: draft.suite.name().to_owned(),
        exporter_secret: draft.exporter_secret.clone().into(),
        sender: draft.sender,
        key: draft.key.name.clone(),
        request: draft.request.clone().into(),
        context: draft.context.clone().into(),
        handshake_context: parts.handshake_context.clone().into(),
        finished_key: parts.finished_key.clone().into(),
        binder: cmw.as_ref().map(|_| draft.binder().into()),
        cmw,
        selection: extension(ATTESTATION_PARAMETERS).map(Hex),
        authenticator: parts.authenticator().into(),
        certificate: Some(parts.certificate.into()),
        signed: Some(parts.signed.into()),
        certificate_verify: Some(parts.certificate_verify.into()),
        finished: parts.finished.into(),
    }
}

fn minimal_request(asker: Side) -> Vec<u8> {
    message::usual_request(asker, &asker.context(), &[])
}

pub(crate) const MEDIA_TYPE: &str = "application/x-evidence";
