//! Certificates with ML-DSA keys (RFC 9881), self-signed, for `localhost`.

use std::sync::Arc;

use aws_lc_rs::signature::ML_DSA_44_SIGNING;
use aws_lc_rs::signature::ML_DSA_65_SIGNING;
use aws_lc_rs::signature::ML_DSA_87_SIGNING;
use aws_lc_rs::signature::PqdsaKeyPair;
use aws_lc_rs::signature::PqdsaSigningAlgorithm;
use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::CertifiedKey;

pub(crate) const SCHEMES: [(SignatureScheme, &PqdsaSigningAlgorithm); 3] = [
    (SignatureScheme::ML_DSA_44, &ML_DSA_44_SIGNING),
    (SignatureScheme::ML_DSA_65, &ML_DSA_65_SIGNING),
    (SignatureScheme::ML_DSA_87, &ML_DSA_87_SIGNING),
];

/// A fresh key and its certificate.
pub(crate) fn certified(algorithm: &'static PqdsaSigningAlgorithm) -> Arc<CertifiedKey> {
    let pair = PqdsaKeyPair::generate(algorithm).unwrap();
    let pkcs8 = PrivatePkcs8KeyDer::from(pair.to_pkcs8v1().unwrap().as_ref().to_vec());
    let provider = demo::provider();
    let key = PrivateKeyDer::Pkcs8(pkcs8);
    let key = provider.key_provider.load_private_key(key).unwrap();
    let spki = key.public_key().unwrap();
    // SEQUENCE with a length of two bytes; in it, the algorithm comes first.
    let algorithm = &spki[4..4 + 2 + usize::from(spki[5])];
    let attribute = element(
        0x30,
        &[&[6, 3, 0x55, 4, 3][..], &element(12, b"x")].concat(),
    );
    let name = element(0x30, &element(0x31, &attribute));
    let san = element(0x30, &element(0x82, b"localhost"));
    let san = element(
        0x30,
        &[&[6, 3, 0x55, 29, 17][..], &element(4, &san)].concat(),
    );
    let to_be_signed = element(
        0x30,
        &[
            &[0xa0, 3, 2, 1, 2][..],
            &[2, 1, 1],
            algorithm,
            &name,
            &element(
                0x30,
                &[&time(b"750101000000Z")[..], &time(b"491231235959Z")].concat(),
            ),
            &name,
            &spki,
            &element(0xa3, &element(0x30, &san)),
        ]
        .concat(),
    );
    let schemes = SCHEMES.map(|(scheme, _)| scheme);
    let signature = key
        .choose_scheme(&schemes)
        .unwrap()
        .sign(&to_be_signed)
        .unwrap();
    let signature = element(3, &[&[0][..], &signature].concat());
    let certificate = element(0x30, &[&to_be_signed[..], algorithm, &signature].concat());
    Arc::new(CertifiedKey::new(
        vec![CertificateDer::from(certificate)],
        key,
    ))
}

fn time(text: &[u8]) -> Vec<u8> {
    element(0x17, text)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        0..=0x7f => vec![tag, length[1]],
        0x80..=0xff => vec![tag, 0x81, length[1]],
        _ => vec![tag, 0x82, length[0], length[1]],
    };
    [&head[..], content].concat()
}
