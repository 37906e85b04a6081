//! The signing key of a service, which signs all that it is given.

use atls_core::ear::Algorithm;
use atls_core::ear::VerificationKeys;
use atls_core::pki_types::PrivatePkcs8KeyDer;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use coset::CoseSign1Builder;
use coset::HeaderBuilder;
use coset::TaggedCborSerializable;
use coset::iana;
use serde_json::Value;
use serde_json::json;

type Sign = dyn Fn(&[u8]) -> Vec<u8> + Send + Sync;

/// A key, and how it signs.
pub struct Signer {
    algorithm: Algorithm,
    jwk: Value,
    sign: Box<Sign>,
    /// PKCS #8 of an RSA key.
    pkcs8: Vec<u8>,
}

impl Signer {
    pub fn es256() -> Self {
        let key = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (x, y) = key.public_key().as_ref()[1..].split_at(32);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        let sign = move |message: &[u8]| {
            let signature = key.sign(&SystemRandom::new(), message).unwrap();
            signature.as_ref().to_vec()
        };
        Self {
            algorithm: Algorithm::Es256,
            jwk,
            sign: Box::new(sign),
            pkcs8: Vec::new(),
        }
    }

    pub fn ps384() -> Self {
        Self::rsa(Algorithm::Ps384, &signature::RSA_PSS_SHA384)
    }

    pub fn rs256() -> Self {
        Self::rsa(Algorithm::Rs256, &signature::RSA_PKCS1_SHA256)
    }

    fn rsa(algorithm: Algorithm, encoding: &'static dyn signature::RsaEncoding) -> Self {
        let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        // RSAPublicKey of 2048 bits: headers of 9 bytes, the modulus, a header of 2, the exponent 65537.
        let der = key.public_key().as_ref();
        let pkcs8: Pkcs8V1Der<'_> = key.as_der().unwrap();
        let pkcs8 = pkcs8.as_ref().to_vec();
        let jwk = json!({ "kty": "RSA", "n": encode(&der[9..265]), "e": encode(&der[267..]) });
        let sign = move |message: &[u8]| {
            let mut signature = vec![0; key.public_modulus_len()];
            let random = SystemRandom::new();
            key.sign(encoding, &random, message, &mut signature)
                .unwrap();
            signature
        };
        Self {
            algorithm,
            jwk,
            sign: Box::new(sign),
            pkcs8,
        }
    }

    /// The public key without `alg`, as some services publish it.
    pub fn jwk(&self) -> &Value {
        &self.jwk
    }

    pub fn jwk_set(&self) -> Value {
        json!({ "keys": [self.jwk] })
    }

    /// A self-signed certificate of an RSA key, base64.
    pub fn certificate(&self) -> String {
        let der = PrivatePkcs8KeyDer::from(&*self.pkcs8);
        let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_RSA_SHA256);
        let parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        let certificate = parameters.self_signed(&key.unwrap()).unwrap();
        BASE64_STANDARD.encode(certificate.der())
    }

    pub fn keys(&self) -> VerificationKeys {
        let set = self.jwk_set().to_string();
        VerificationKeys::from_jwk_set_allowing(&set, &[self.algorithm]).unwrap()
    }

    pub fn token(&self, claims: &Value) -> String {
        self.token_with(
            &json!({ "alg": self.algorithm.name(), "typ": "JWT" }),
            claims,
        )
    }

    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = encode((self.sign)(message.as_bytes()));
        format!("{message}.{signature}")
    }

    /// A CWT of these claims, encoded as CBOR, under ES256.
    pub fn cwt(&self, claims: Vec<u8>) -> Vec<u8> {
        assert_eq!(self.algorithm, Algorithm::Es256);
        let header = HeaderBuilder::new().algorithm(iana::Algorithm::ES256);
        CoseSign1Builder::new()
            .protected(header.build())
            .payload(claims)
            .create_signature(b"", &*self.sign)
            .build()
            .to_tagged_vec()
            .unwrap()
    }

    /// A token under the public key as a shared secret, which a confused verifier would accept.
    pub fn confused(&self, claims: &Value) -> String {
        let message = message(&json!({ "alg": "HS256" }), claims);
        let secret = self.jwk.to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let tag = hmac::sign(&key, message.as_bytes());
        format!("{message}.{}", encode(tag))
    }

    /// A token without signature.
    pub fn unsigned(claims: &Value) -> String {
        format!("{}.", message(&json!({ "alg": "none" }), claims))
    }
}

fn message(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    )
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
