//! Evidence in certificates: any bytes as a certificate, and any bytes in each extension of a good one.
#![no_main]

use std::sync::OnceLock;

use atls_core::exchange::Credential;
use atls_core::exchange::certificate;
use atls_core::pki_types::CertificateDer;
use atls_core::session::Handshake;
use atls_core::session::Side;
use atls_fuzz::http::replaced;
use rcgen::CertificateParams;
use rcgen::CustomExtension;
use rcgen::KeyPair;
use rcgen::PublicKeyData;
use ring::digest::SHA256;
use ring::digest::digest;
use rustls::Tls13CipherSuite;

atls_fuzz::target!(|input: &[u8]| {
    let Some((form, bytes)) = input.split_first() else {
        return;
    };
    match EXTENSIONS.get(usize::from(*form)) {
        None => read(bytes.to_vec()),
        Some(arcs) => {
            let key = key();
            // An input cannot know the key that its claims are about.
            let digest = digest(&SHA256, &key.subject_public_key_info());
            let bytes = replaced(bytes, &[b'k'; 32], digest.as_ref());
            let extension = CustomExtension::from_oid_content(arcs, bytes);
            let mut parameters = CertificateParams::default();
            parameters.custom_extensions.push(extension);
            let certificate = parameters.self_signed(key).expect("a certificate");
            read(certificate.der().to_vec());
        }
    }
});

fn read(certificate: Vec<u8>) {
    let chain = vec![CertificateDer::from(certificate)];
    let handshake = Handshake::observed(Side::Client, suite(), None, chain);
    let handshake = handshake.expect("a handshake");
    if let Ok(credential) = Credential::in_certificate(&handshake) {
        assert!(!credential.leaf_key().is_empty());
    }
    let _ = Credential::in_handshake(&handshake, &[7; 32]);
}

fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate().expect("a key"))
}

fn suite() -> &'static Tls13CipherSuite {
    let suite = rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
    suite.tls13().expect("TLS 1.3")
}

/// CMW, DICE tagged evidence, and the old forms of SGX SDK and rats-tls.
const EXTENSIONS: [&[u64]; 4] = [
    certificate::ID_PE_CMW,
    certificate::TAGGED_EVIDENCE,
    &[1, 2, 840, 113_741, 1, 13, 1],
    &[1, 2, 840, 113_741, 1337, 6],
];
