//! Authenticators that must be refused. Each is made anew with one thing wrong: signature and MAC are right unless they are it.
//!
//! The file is longer than others: it is one list of cases, and each is read beside its neighbours.

use super::attesting;
use crate::authenticators::refused_extensions::extensions;
use crate::keys;
use crate::keys::Keys;
use crate::message;
use crate::message::Entry;
use crate::scenario::Draft;
use crate::scenario::Refused;
use crate::scenario::Side;
use crate::tls::Suite;

pub(crate) fn all(keys: &mut Keys) -> Vec<Refused> {
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

pub(crate) fn good(keys: &mut Keys) -> Draft {
    let key = keys.key("ed25519");
    attesting(Suite::Aes128GcmSha256, Side::Server, &key)
}

pub(crate) fn add(
    all: &mut Vec<Refused>,
    name: &str,
    reason: &str,
    because: &str,
    authenticator: Vec<u8>,
) {
    all.push(refused(name, reason, because, authenticator));
}

pub(crate) fn refused(name: &str, reason: &str, because: &str, authenticator: Vec<u8>) -> Refused {
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
