//! Authenticators that must be refused. Each is made anew with one thing wrong: signature and MAC are right unless they are it.

use super::attesting;
use super::evidence;
use crate::cbor;
use crate::keys;
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

pub(super) fn all(keys: &mut Keys) -> Vec<Refused> {
    let mut all = Vec::new();
    connections(keys, &mut all);
    forms(keys, &mut all);
    signatures(keys, &mut all);
    extensions(keys, &mut all);
    empty(keys, &mut all);
    all
}

/// Authenticators of another connection, request, role or key.
fn connections(keys: &mut Keys, all: &mut Vec<Refused>) {
    let mut elsewhere = good(keys);
    elsewhere.exporter_secret = vec![0x11; 32];
    add(
        all,
        "another connection",
        "bad-finished",
        "it was made with another exporter secret",
        elsewhere.parts(keys).authenticator(),
    );

    let mut reflected = good(keys);
    reflected.sender = Side::Client;
    add(
        all,
        "the labels of a client from a server",
        "bad-finished",
        "the labels name the sender of the authenticator",
        reflected.parts(keys).authenticator(),
    );

    let mut altered = good(keys);
    altered.request = message::usual_request(Side::Client, &Side::Client.context(), &[]);
    add(
        all,
        "another request with the same context",
        "bad-finished",
        "the transcript has the exact bytes of the request",
        altered.parts(keys).authenticator(),
    );

    let mut other = good(keys);
    other.context = vec![0x22; 32];
    add(
        all,
        "another context",
        "context-mismatch",
        "Certificate repeats the context of the request",
        other.parts(keys).authenticator(),
    );

    let mut shorter = good(keys);
    shorter.context.pop();
    add(
        all,
        "a context that lacks its last byte",
        "context-mismatch",
        "Certificate repeats the context of the request, whole",
        shorter.parts(keys).authenticator(),
    );

    let other = keys.key("ed25519-other");
    let other = attesting(Suite::Aes128GcmSha256, Side::Server, &other);
    add(
        all,
        "another key",
        "key-mismatch",
        "the end-entity key is that of the certificate of the TLS handshake",
        other.parts(keys).authenticator(),
    );
}

/// Messages that are missing, cut, in another order or too many.
fn forms(keys: &mut Keys, all: &mut Vec<Refused>) {
    let parts = good(keys).parts(keys);
    let whole = parts.authenticator();
    let [certificate, verify, finished] = [
        &parts.certificate,
        &parts.certificate_verify,
        &parts.finished,
    ];
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    add(
        all,
        "the last bit of the MAC is wrong",
        "bad-finished",
        "the MAC is compared whole",
        flipped,
    );
    let shorter = message::finished(&finished[4..finished.len() - 1]);
    add(
        all,
        "a MAC that lacks its last byte",
        "bad-finished",
        "the MAC has the length of the hash",
        [&certificate[..], verify, &shorter].concat(),
    );
    let longer = message::finished(&[&finished[4..], &[0]].concat());
    add(
        all,
        "a MAC with one byte more",
        "bad-finished",
        "the MAC has the length of the hash",
        [&certificate[..], verify, &longer].concat(),
    );
    add(
        all,
        "no bytes",
        "malformed",
        "a message has a header of 4 bytes",
        Vec::new(),
    );
    add(
        all,
        "cut",
        "malformed",
        "Finished ends early",
        whole[..whole.len() - 1].to_vec(),
    );
    add(
        all,
        "a byte after it",
        "malformed",
        "nothing stands after Finished",
        [&whole[..], &[0]].concat(),
    );
    add(
        all,
        "no CertificateVerify",
        "malformed",
        "CertificateVerify follows Certificate",
        [&certificate[..], finished].concat(),
    );
    add(
        all,
        "no Finished",
        "malformed",
        "Finished follows CertificateVerify",
        [&certificate[..], verify].concat(),
    );
    add(
        all,
        "CertificateVerify first",
        "malformed",
        "Certificate comes first",
        [&verify[..], certificate, finished].concat(),
    );
    add(
        all,
        "two authenticators",
        "malformed",
        "nothing stands after Finished",
        [&whole[..], &whole].concat(),
    );

    let mut none = good(keys);
    none.entries.clear();
    add(
        all,
        "no certificate",
        "malformed",
        "one certificate at least",
        none.parts(keys).authenticator(),
    );
    let mut void = good(keys);
    void.entries[0].certificate.clear();
    add(
        all,
        "a certificate of no bytes",
        "malformed",
        "cert_data has one byte at least",
        void.parts(keys).authenticator(),
    );
    let mut garbage = good(keys);
    garbage.entries[0].certificate = vec![0x30, 0x00];
    add(
        all,
        "a certificate that is none",
        "malformed",
        "the end-entity certificate is X.509",
        garbage.parts(keys).authenticator(),
    );
    let mut long = good(keys);
    let further = Entry {
        certificate: keys.key("ed25519-other").certificate.to_vec(),
        extensions: Vec::new(),
    };
    long.entries.extend(vec![further; 8]);
    add(
        all,
        "9 certificates",
        "too-large",
        "at most 8 certificates",
        long.parts(keys).authenticator(),
    );
}

fn signatures(keys: &mut Keys, all: &mut Vec<Refused>) {
    let mut other = good(keys);
    other.context_string = "TLS 1.3, server CertificateVerify";
    add(
        all,
        "a signature with the context string of TLS",
        "bad-signature",
        "the context string is \"Exported Authenticator\"",
        other.parts(keys).authenticator(),
    );

    let mut theft = good(keys);
    theft.key = keys.key("ed25519-other");
    add(
        all,
        "a signature by another key",
        "bad-signature",
        "the end-entity key signs",
        theft.parts(keys).authenticator(),
    );

    let mut unfit = good(keys);
    unfit.scheme = keys::ECDSA_P256;
    add(
        all,
        "a scheme of another kind of key",
        "scheme-not-offered",
        "the scheme fits the end-entity key",
        unfit.parts(keys).authenticator(),
    );

    let mut unknown = good(keys);
    unknown.scheme = 0x0808;
    add(
        all,
        "a scheme that was not offered",
        "scheme-not-offered",
        "the scheme was offered in signature_algorithms",
        unknown.parts(keys).authenticator(),
    );

    let rsa = keys.key("rsa-2048");
    let mut pkcs1 = attesting(Suite::Aes128GcmSha256, Side::Server, &rsa);
    (pkcs1.scheme, pkcs1.signs_with) = (keys::RSA_PKCS1_SHA256, keys::RSA_PKCS1_SHA256);
    let refused = refused(
        "PKCS #1 v1.5",
        "scheme-not-offered",
        "PKCS #1 v1.5 is never valid",
        pkcs1.parts(keys).authenticator(),
    );
    all.push(Refused {
        handshake_key: Some("rsa-2048".to_owned()),
        ..refused
    });
}

fn extensions(keys: &mut Keys, all: &mut Vec<Refused>) {
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

/// Empty authenticators. An authentic one is a refusal of the peer.
fn empty(keys: &mut Keys, all: &mut Vec<Refused>) {
    let authentic = good(keys).empty();
    add(
        all,
        "an authentic empty authenticator",
        "declined",
        "the peer declines; it is never a success",
        authentic.clone(),
    );
    let mut flipped = authentic.clone();
    flipped[4] ^= 0x80;
    add(
        all,
        "an empty authenticator with a wrong MAC",
        "bad-finished",
        "a refusal must be authentic too",
        flipped,
    );
    let mut elsewhere = good(keys);
    elsewhere.exporter_secret = vec![0x11; 32];
    add(
        all,
        "an empty authenticator of another connection",
        "bad-finished",
        "a refusal must be authentic too",
        elsewhere.empty(),
    );
    let full = good(keys).parts(keys);
    add(
        all,
        "the Finished of a full authenticator alone",
        "bad-finished",
        "the MAC of an empty authenticator is over Certificate without entries",
        full.finished,
    );
    add(
        all,
        "a byte after an empty authenticator",
        "malformed",
        "nothing stands after Finished",
        [&authentic[..], &[0]].concat(),
    );
}

fn good(keys: &mut Keys) -> Draft {
    let key = keys.key("ed25519");
    attesting(Suite::Aes128GcmSha256, Side::Server, &key)
}

fn add(all: &mut Vec<Refused>, name: &str, reason: &str, because: &str, authenticator: Vec<u8>) {
    all.push(refused(name, reason, because, authenticator));
}

fn refused(name: &str, reason: &str, because: &str, authenticator: Vec<u8>) -> Refused {
    let suite = Suite::Aes128GcmSha256;
    Refused {
        name: name.to_owned(),
        reason: reason.to_owned(),
        because: because.to_owned(),
        suite: suite.name().to_owned(),
        exporter_secret: suite.exporter_secret().into(),
        sender: Side::Server,
        handshake_key: Some("ed25519".to_owned()),
        request: super::request_with_parameters(Side::Client).into(),
        authenticator: authenticator.into(),
    }
}
