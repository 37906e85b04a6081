//! A server of the attacker that asks clients for certificates, over a nonce of his choice.

use std::sync::Arc;

use atls_tower::weaker::dangerous_any_client_with_hints;
use rustls::DistinguishedName;
use rustls::ServerConfig;
use rustls::sign::CertifiedKey;
use rustls::sign::SingleCertAndKey;

use crate::lab::Lab;

pub(crate) fn server(lab: &Lab, identity: Arc<CertifiedKey>, nonce: &[u8; 32]) -> ServerConfig {
    let provider = demo::provider();
    let names = vec![DistinguishedName::from(name(nonce))];
    let verifier = dangerous_any_client_with_hints(&provider, names);
    ServerConfig::builder_with_details(provider, lab.world.clock.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)))
}

/// `O = atls intra-handshake nonce, CN = nonce in hexadecimal`, DER; every length is below 128.
fn name(nonce: &[u8; 32]) -> Vec<u8> {
    let digits: String = nonce.iter().map(|byte| format!("{byte:02x}")).collect();
    let attribute = |last: u8, value: &[u8]| {
        let pair = [der(6, &[0x55, 4, last]), der(12, value)].concat();
        der(0x31, &der(0x30, &pair))
    };
    let organisation = attribute(10, b"atls intra-handshake nonce");
    der(
        0x30,
        &[organisation, attribute(3, digits.as_bytes())].concat(),
    )
}

fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u8::try_from(contents.len()).unwrap();
    [&[tag, length], contents].concat()
}
