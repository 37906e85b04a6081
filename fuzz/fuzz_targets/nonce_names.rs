//! Any names of certificate authorities, by which a server in the intra-handshake mode names a nonce to its client: the client makes a certificate
//! where exactly one name is such a nonce, and none otherwise.
#![no_main]

use std::sync::Arc;
use std::sync::OnceLock;

use atls_fuzz::tape::Tape;
use atls_sim::SimAttester;
use atls_tower::weaker::InHandshake;
use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring::default_provider;
use rustls::time_provider::DefaultTimeProvider;

// Each a name as it is, or one with a nonce of the bytes.
atls_fuzz::target!(|bytes: &[u8]| {
    static CLIENT: OnceLock<InHandshake> = OnceLock::new();
    let client = CLIENT.get_or_init(client);
    let mut tape = Tape::new(bytes);
    let mut names = Vec::new();
    while !tape.is_empty() {
        names.push(match tape.byte() {
            0 => name_of(tape.bytes()),
            _ => tape.bytes().to_vec(),
        });
    }
    let hints: Vec<_> = names.iter().map(Vec::as_slice).collect();
    let schemes = [
        SignatureScheme::ECDSA_NISTP256_SHA256,
        SignatureScheme::ED25519,
    ];
    let made = client.resolve(&hints, &schemes).is_some();
    let nonces = names.iter().filter(|name| is_nonce(name)).count();
    assert_eq!(made, nonces == 1);
});

fn client() -> InHandshake {
    let device = Box::new(SimAttester::generate().expect("a device"));
    let clock = Arc::new(DefaultTimeProvider);
    InHandshake::new(device, Arc::new(default_provider()), clock).expect("a thread")
}

fn name_of(nonce: &[u8]) -> Vec<u8> {
    let digits: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
    [HEAD, digits.as_bytes()].concat()
}

fn is_nonce(name: &[u8]) -> bool {
    name.strip_prefix(HEAD).is_some_and(|digits| {
        let is_digit = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        digits.len() == 64 && digits.iter().all(is_digit)
    })
}

/// docs/protocol §12: organisation and common name, up to the digits.
const HEAD: &[u8] = b"\x30\x70\x31\x23\x30\x21\x06\x03\x55\x04\x0a\x0c\x1aatls intra-handshake nonce\x31\x49\x30\x47\x06\x03\x55\x04\x03\x0c\x40";
