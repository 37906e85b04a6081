//! `binder.json`: §5

use ring::digest;
use serde::Deserialize;
use serde::Serialize;

use crate::Hex;
use crate::keys::Keys;
use crate::keys::NAMES;
use crate::message;
use crate::scenario::Draft;
use crate::scenario::Side;
use crate::tls::Suite;
use crate::tls::sha256;

#[derive(Serialize, Deserialize)]
pub struct Page {
    pub about: String,
    pub section: String,
    pub cases: Vec<Case>,
}

/// The binder of one request on one connection, and its forms.
#[derive(Serialize, Deserialize)]
pub struct Case {
    pub name: String,
    pub suite: String,
    pub exporter_secret: Hex,
    /// The end that attests.
    pub attester: Side,
    pub key: String,
    pub request: Hex,
    pub context: Hex,
    pub public_key: Hex,
    pub exported_value: Hex,
    pub binder: Hex,
    /// For a field of 64 bytes.
    pub sha512_of_binder: Hex,
    /// For a field of 32 bytes that does not hold a binder of 48.
    pub sha256_of_binder: Hex,
}

pub fn page(keys: &mut Keys) -> Page {
    let mut cases = Vec::new();
    for suite in Suite::ALL {
        for attester in [Side::Server, Side::Client] {
            for name in NAMES {
                cases.push(case(suite, attester, name, keys));
            }
        }
    }
    Page {
        about: "The value that Evidence must carry in the post-handshake mode, and the forms in which platforms carry it.".to_owned(),
        section: "§5".to_owned(),
        cases,
    }
}

fn case(suite: Suite, attester: Side, name: &str, keys: &mut Keys) -> Case {
    let key = keys.key(name);
    let asker = attester.peer();
    let request = message::usual_request(asker, &asker.context(), &[]);
    let draft = Draft::new(suite, attester, &key, &request, Vec::new());
    let binder = draft.binder();
    Case {
        name: format!("{name}, {}, {}", attester.name(), suite.hash_name()),
        suite: suite.name().to_owned(),
        exporter_secret: suite.exporter_secret().into(),
        attester,
        key: key.name.clone(),
        request: request.into(),
        context: draft.context.clone().into(),
        public_key: key.public_key,
        exported_value: draft.exported_value().into(),
        sha512_of_binder: digest::digest(&digest::SHA512, &binder).into(),
        sha256_of_binder: sha256(&binder).into(),
        binder: binder.into(),
    }
}
