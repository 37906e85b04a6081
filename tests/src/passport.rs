//! An issuer of passports: results that an attester fetches and presents instead of Evidence.

use std::sync::Arc;

use atls_core::Bound;
use atls_core::MediaType;
use atls_core::Origin;
use atls_core::cmw::Cmw;
use atls_core::ear::VerificationKeys;
use atls_core::pki_types::UnixTime;
use atls_passport::PassportVerifier;
use atls_passport::Scheme;
use atls_passport::TrustedIssuer;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
use ring::signature::EcdsaKeyPair;
use ring::signature::KeyPair;
use serde_json::json;

/// Signs results, for relying parties that trust it.
pub struct PassportOffice {
    key: EcdsaKeyPair,
    verification: VerificationKeys,
    media_type: MediaType,
}

impl PassportOffice {
    pub fn new() -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let (x, y) = key.public_key().as_ref().split_at(1).1.split_at(32);
        let encode = |bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        Self {
            verification: VerificationKeys::from_jwk(&jwk.to_string()).unwrap(),
            key,
            media_type: "application/eat+jwt; eat_profile=\"tag:ietf.org,2026:rats/ear#04\""
                .parse()
                .unwrap(),
        }
    }

    /// Trusts it, about devices, under its one policy.
    pub fn verifier(&self) -> Arc<PassportVerifier> {
        let scheme = Scheme::checks_freshness("device", "office", Bound::verbatim, Origin::Device);
        let issuer = TrustedIssuer::ietf(Arc::new(self.verification.clone()), "office");
        let verifier = PassportVerifier::builder(&demo::provider());
        Arc::new(verifier.issuer(issuer.with_scheme(scheme)).build().unwrap())
    }

    /// An affirming result that answers this nonce. It believes whatever it is asked: what is tested is the relying party.
    pub fn issue(&self, nonce: &[u8], now: UnixTime) -> Cmw {
        let part = |value: serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let claims = json!({
            "eat_profile": "tag:ietf.org,2026:rats/ear#04",
            "iss": "office",
            "iat": now.as_secs(),
            "eat_nonce": BASE64_URL_SAFE_NO_PAD.encode(nonce),
            "ear_verifier_id": { "developer": "office", "build": "1" },
            "submods": { "device": { "ear_status": "affirming", "ear_appraisal_policy_ids": ["office"] } },
        });
        let message = format!("{}.{}", part(json!({ "alg": "ES256" })), part(claims));
        let signature = self
            .key
            .sign(&SystemRandom::new(), message.as_bytes())
            .unwrap();
        let token = format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature));
        Cmw::attestation_results(self.media_type.clone(), token.into_bytes())
    }
}

impl Default for PassportOffice {
    fn default() -> Self {
        Self::new()
    }
}
