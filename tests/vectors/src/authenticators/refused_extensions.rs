//! Authenticators whose certificates or extensions must be refused.

use super::evidence;
use crate::authenticators::refused::add;
use crate::authenticators::refused::good;
use crate::authenticators::refused::refused;
use crate::cbor;
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

pub(crate) fn extensions(keys: &mut Keys, all: &mut Vec<Refused>) {
    let cmw = evidence(&good(keys).binder());
    let attestation = (CMW_ATTESTATION, message::cmw_attestation(&cmw));
    let selection = (ATTESTATION_PARAMETERS, parameters::selection(false, true));
    let honest = [attestation.clone(), selection.clone()];
    let unknown = (0xff03, vec![1]);
    let with = |further: &(u16, Vec<u8>)| [&honest[..], std::slice::from_ref(further)].concat();
    let data = |cmw_data: &[u8]| vec![(CMW_ATTESTATION, cmw_data.to_vec()), selection.clone()];
    let carrying = |cmw: &[u8]| data(&message::cmw_attestation(cmw));
    let a_text = cbor::text("attested");
    let cases: Vec<(&str, &str, &str, Vec<(u16, Vec<u8>)>)> = vec![
        (
            "an extension that was not offered",
            "unsolicited-extension",
            "extensions were offered in the request",
            with(&unknown),
        ),
        (
            "cmw_attestation twice",
            "duplicate-extension",
            "an extension type stands at most once in an entry",
            with(&attestation),
        ),
        (
            "no cmw_attestation",
            "no-attestation",
            "attestation was asked for",
            vec![selection.clone()],
        ),
        (
            "cmw_attestation without data",
            "malformed",
            "cmw_data has a length of two bytes",
            data(&[]),
        ),
        (
            "cmw_data of no bytes",
            "malformed",
            "cmw_data has one byte at least",
            data(&[0, 0]),
        ),
        (
            "cmw_data cut",
            "malformed",
            "the length of cmw_data says more",
            data(&message::cmw_attestation(&cmw)[..cmw.len()]),
        ),
        (
            "a byte after cmw_data",
            "malformed",
            "nothing stands after cmw_data",
            data(&[&message::cmw_attestation(&cmw)[..], &[0]].concat()),
        ),
        (
            "cmw_data that is no CMW",
            "cmw-malformed",
            "cmw_data is a record, a tag or a collection",
            carrying(&a_text),
        ),
        (
            "a selection of version 2",
            "unsupported-parameters",
            "version 2 was not offered",
            vec![
                attestation.clone(),
                (
                    ATTESTATION_PARAMETERS,
                    cbor::map(&[
                        (cbor::uint(1), cbor::uint(2)),
                        (cbor::uint(4), cbor::boolean(true)),
                    ]),
                ),
            ],
        ),
        (
            "a selection of no bytes",
            "malformed",
            "a selection is a map",
            vec![attestation.clone(), (ATTESTATION_PARAMETERS, Vec::new())],
        ),
    ];
    for (name, reason, because, extensions) in cases {
        let mut draft = good(keys);
        draft.entries[0].extensions = extensions;
        add(
            all,
            name,
            reason,
            because,
            draft.parts(keys).authenticator(),
        );
    }
    let binder = good(keys).binder();
    let values: [(&str, &str, Vec<u8>); 4] = [
        (
            "Evidence over a prefix of the binder",
            "the binder is compared whole",
            binder[..31].to_vec(),
        ),
        (
            "Evidence over a padded binder",
            "the binder is compared whole",
            [&binder[..], &[0]].concat(),
        ),
        (
            "Evidence over the exported value",
            "the binder is a hash of key and exported value",
            good(keys).exported_value(),
        ),
        (
            "Evidence of another connection",
            "the binder is that of this connection",
            {
                let mut other = good(keys);
                other.exporter_secret = vec![0x11; 32];
                other.binder()
            },
        ),
    ];
    for (name, because, value) in values {
        let mut draft = good(keys);
        draft.entries[0].extensions[0].1 = message::cmw_attestation(&evidence(&value));
        add(
            all,
            name,
            "not-bound",
            because,
            draft.parts(keys).authenticator(),
        );
    }
    for (name, extension) in [("cmw_attestation", attestation), ("a selection", selection)] {
        let mut draft = good(keys);
        let certificate = keys.key("ed25519-other").certificate.to_vec();
        draft.entries.push(Entry {
            certificate,
            extensions: vec![extension],
        });
        let name = format!("{name} in the second entry");
        add(
            all,
            &name,
            "unsolicited-extension",
            "it stands in the first entry only",
            draft.parts(keys).authenticator(),
        );
    }
    // To a request without parameters.
    let minimal = message::usual_request(Side::Client, &Side::Client.context(), &[]);
    let key = keys.key("ed25519");
    let draft = Draft::new(
        Suite::Aes128GcmSha256,
        Side::Server,
        &key,
        &minimal,
        honest.to_vec(),
    );
    let unasked = refused(
        "a selection in answer to a minimal request",
        "unsolicited-extension",
        "the request had no parameters",
        draft.parts(keys).authenticator(),
    );
    all.push(Refused {
        request: minimal.into(),
        ..unasked
    });
}
