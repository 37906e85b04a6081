//! Keys as services publish them.

use atls_core::ear::Algorithm;
use atls_core::ear::EarError;
use atls_core::ear::VerificationKeys;
use atls_core::ear::jwt;
use atls_core::pki_types::PrivatePkcs8KeyDer;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature;
use aws_lc_rs::signature::KeyPair as _;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::json;

pub(crate) struct Rsa {
    pub(crate) key: KeyPair,
}

impl Rsa {
    pub(crate) fn new(size: KeySize) -> Self {
        Self {
            key: KeyPair::generate(size).unwrap(),
        }
    }

    pub(crate) fn bare_jwk(&self) -> Value {
        // RSAPublicKey of 2048 bits: headers of 9 bytes, the modulus, a header of 2, the exponent 65537.
        let der = self.key.public_key().as_ref();
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "RSA", "n": encode(&der[9..265]), "e": encode(&der[267..]) })
    }

    pub(crate) fn keys(&self) -> VerificationKeys {
        let set = json!({ "keys": [self.bare_jwk()] }).to_string();
        VerificationKeys::from_jwk_set_allowing(&set, &[Algorithm::Rs256]).unwrap()
    }

    pub(crate) fn certificate(&self) -> String {
        let pkcs8: Pkcs8V1Der<'_> = self.key.as_der().unwrap();
        let der = PrivatePkcs8KeyDer::from(pkcs8.as_ref());
        let key =
            rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_RSA_SHA256).unwrap();
        let certificate = rcgen::CertificateParams::new(Vec::new())
            .unwrap()
            .self_signed(&key)
            .unwrap();
        BASE64_STANDARD.encode(certificate.der())
    }

    pub(crate) fn token(&self, algorithm: &str) -> String {
        self.sign(algorithm, &json!({ "alg": algorithm }))
    }

    pub(crate) fn token_of(&self, algorithm: &str, key: &str) -> String {
        self.sign(algorithm, &json!({ "alg": algorithm, "kid": key }))
    }

    pub(crate) fn sign(&self, algorithm: &str, header: &Value) -> String {
        let encoding: &'static dyn signature::RsaEncoding = match algorithm {
            "PS384" => &signature::RSA_PSS_SHA384,
            _ => &signature::RSA_PKCS1_SHA256,
        };
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(&json!({ "any": "claim" })));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(encoding, &random, message.as_bytes(), &mut signature)
            .unwrap();
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

pub(crate) fn verify(token: &str, keys: &VerificationKeys) -> Result<(), EarError> {
    let supported = rustls::crypto::ring::default_provider().signature_verification_algorithms;
    jwt::verify(token, keys, &supported).map(drop)
}
