//! An issuer of passports: results that an attester fetches and presents instead of Evidence.

use std::time::Duration;

use atls_core::AppraisalError;
use atls_core::Appraised;
use atls_core::BoxFuture;
use atls_core::Conveys;
use atls_core::Evidence;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::Verifier;
use atls_core::cmw::Cmw;
use atls_core::ear::Check;
use atls_core::ear::EarError;
use atls_core::ear::ExpectedNonce;
use atls_core::ear::VerificationKeys;
use atls_core::ear::jwt;
use atls_core::pki_types::UnixTime;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;
use serde_json::json;

/// Signs results, and verifies its own.
pub struct PassportOffice {
    key: EcdsaKeyPair,
    verification: VerificationKeys,
    media_types: Vec<MediaType>,
}

impl PassportOffice {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let (x, y) = key.public_key().as_ref().split_at(1).1.split_at(32);
        let encode = |octets| BASE64_URL_SAFE_NO_PAD.encode(octets);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        Self {
            verification: VerificationKeys::from_jwk(&jwk.to_string()).unwrap(),
            key,
            media_types: vec!["application/eat+jwt".parse().unwrap()],
        }
    }

    /// An affirming result that answers this nonce. It believes whatever it is asked: what is tested is the relying party.
    pub fn issue(&self, nonce: &[u8], now: UnixTime) -> Cmw {
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({
            "eat_profile": "tag:ietf.org,2026:rats/ear#04",
            "iat": now.as_secs(),
            "eat_nonce": BASE64_URL_SAFE_NO_PAD.encode(nonce),
            "ear_verifier_id": { "developer": "office", "build": "1" },
            "submods": { "device": { "ear_status": "affirming" } },
        });
        let message = format!("{}.{}", part(json!({ "alg": "ES256" })), part(claims));
        let signature = self
            .key
            .sign(&SystemRandom::new(), message.as_bytes())
            .unwrap();
        let token = format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
        let media_type = self.media_types.first().unwrap();
        Cmw::attestation_results(media_type.clone(), token.into_bytes())
    }
}

impl Default for PassportOffice {
    fn default() -> Self {
        Self::new()
    }
}

impl Verifier for PassportOffice {
    fn media_types(&self) -> &[MediaType] {
        &self.media_types
    }

    fn conveys(&self) -> Conveys {
        Conveys::AttestationResults
    }

    fn appraise<'a>(
        &'a self,
        evidence: &'a Evidence<'a>,
        now: UnixTime,
    ) -> BoxFuture<'a, Result<Appraised, AppraisalError>> {
        Box::pin(async move {
            let token =
                std::str::from_utf8(evidence.bytes()).map_err(|_| AppraisalError::Malformed)?;
            let nonce = ExpectedNonce::Echoed(evidence.bound().as_bytes());
            let check = Check::new(now, Duration::from_secs(3600), nonce).with_submods(&["device"]);
            let supported = demo::provider().signature_verification_algorithms;
            let ear = jwt::decode(token, &self.verification, &supported, &check);
            match ear {
                Ok(ear) => Ok(Appraised::new(ear, Origin::Device)),
                // In the passport model the nonce of the result is the binding.
                Err(EarError::Nonce) => Err(AppraisalError::NotBound),
                Err(other) => Err(other.into()),
            }
        })
    }
}
