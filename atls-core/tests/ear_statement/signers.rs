//! Keys that sign statements, and the statements that they sign.

use std::time::Duration;

use atls_core::ear::Appraisal;
use atls_core::ear::Category;
use atls_core::ear::Check;
use atls_core::ear::Ear;
use atls_core::ear::EarSigner;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::Statement;
use atls_core::ear::TrustClaim;
use atls_core::ear::TrustVector;
use atls_core::ear::VerificationKeys;
use atls_core::ear::VerifierId;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::encoding::Pkcs8V1Der;
use aws_lc_rs::rsa;
use aws_lc_rs::signature;
use aws_lc_rs::signature::EcdsaKeyPair;
use aws_lc_rs::signature::Ed25519KeyPair;
use aws_lc_rs::signature::KeyPair;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustls::crypto::CryptoProvider;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;
use serde_json::json;
use test_support::at;

pub(crate) const NOW: u64 = 1_000_000;

pub(crate) const NONCE: &[u8] = b"sixteen bytes ..";

pub(crate) fn stated(ear: &Ear) -> Statement<'_> {
    Statement {
        ear,
        issuer: "proxy",
        audience: "backend",
        nonce: NONCE,
    }
}

pub(crate) fn ear() -> Ear {
    let part = Appraisal::new(vector())
        .with_policy_id("p1")
        .with_policy_id("p2")
        .with_extension(
            "image",
            json!({ "name": ["a", -1, u64::MAX, null, true, 0.5] }),
        );
    Ear::local(VerifierId::new("us", "1"), at(NOW), "platform", part).with_expiry(at(NOW + 60))
}

pub(crate) fn vector() -> TrustVector {
    TrustVector::new()
        .with(Category::Hardware, TrustClaim::new(2))
        .with(Category::Executables, TrustClaim::new(33))
        .with(Category::SourcedData, TrustClaim::new(-2))
}

pub(crate) fn check() -> Check<'static> {
    Check::new(
        at(NOW),
        Duration::from_secs(3600),
        ExpectedNonce::DangerousOfAnySession,
    )
    .with_audience("backend")
}

/// A key of the service, and what its readers pin.
pub(crate) struct Key {
    pub(crate) signer: EarSigner,
    pub(crate) keys: VerificationKeys,
    pub(crate) supported: WebPkiSupportedAlgorithms,
    pub(crate) pkcs8: Vec<u8>,
}

impl Key {
    pub(crate) fn of(provider: &CryptoProvider, algorithm: &str) -> Self {
        let (pkcs8, jwk) = match algorithm {
            "ES256" => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            "ES384" => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            "EdDSA" => ed25519(),
            _ => rsa(algorithm),
        };
        let mut jwk = jwk;
        jwk["kid"] = "own".into();
        let key = provider.key_provider.load_private_key(pkcs8_of(&pkcs8));
        let signer = EarSigner::new(&*key.unwrap()).unwrap().with_key_id("own");
        Self {
            signer,
            keys: VerificationKeys::from_jwk(&jwk.to_string()).unwrap(),
            supported: provider.signature_verification_algorithms,
            pkcs8,
        }
    }
}

pub(crate) fn pkcs8_of(der: &[u8]) -> PrivateKeyDer<'static> {
    PrivatePkcs8KeyDer::from(der.to_vec()).into()
}

pub(crate) fn ecdsa(
    kind: &'static signature::EcdsaSigningAlgorithm,
    curve: &str,
) -> (Vec<u8>, Value) {
    let pair = EcdsaKeyPair::generate(kind).unwrap();
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    let (x, y) = (
        BASE64_URL_SAFE_NO_PAD.encode(x),
        BASE64_URL_SAFE_NO_PAD.encode(y),
    );
    let jwk = json!({ "kty": "EC", "crv": curve, "x": x, "y": y });
    (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), jwk)
}

pub(crate) fn ed25519() -> (Vec<u8>, Value) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
    (pair.to_pkcs8v1().unwrap().as_ref().to_vec(), jwk)
}

pub(crate) fn rsa(algorithm: &str) -> (Vec<u8>, Value) {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    // RSAPublicKey of 2048 bits: headers of 9 bytes, the modulus, a header of 2, the exponent 65537.
    let der = pair.public_key().as_ref();
    let n = BASE64_URL_SAFE_NO_PAD.encode(&der[9..265]);
    let e = BASE64_URL_SAFE_NO_PAD.encode(&der[267..]);
    let jwk = json!({ "kty": "RSA", "alg": algorithm, "n": n, "e": e });
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    (pkcs8.as_ref().to_vec(), jwk)
}
